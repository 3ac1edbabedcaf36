# A pre-fork server in Debian's own perl-base: the parent listens, two workers accept from the same
# socket and answer each line. With KEEP in the environment each keeps 256 KB per connection.
use strict;
use warnings;
use IO::Handle;
use IO::Select;
use IO::Socket::INET;

my $listener = IO::Socket::INET->new(
    Listen => 512, LocalAddr => '127.0.0.1', LocalPort => $ENV{PORT} // 0, Blocking => 0)
    or die "listen: $@";
my @kept;

sub work {
    my $readable = IO::Select->new($listener);
    while (getppid() != 1) {
        for my $socket ($readable->can_read(1)) {
            if ($socket == $listener) {
                my $connection = $listener->accept or next;    # the other worker was faster
                $readable->add($connection);
                push @kept, 'x' x 262144 if exists $ENV{KEEP};
            } elsif (sysread $socket, my $line, 4096) {
                syswrite $socket, "subscribed\n";
            } else {
                $readable->remove($socket);
                close $socket;
            }
        }
    }
    exit;
}

for (1 .. 2) {
    work() if fork == 0;
}
STDOUT->autoflush(1);
print 'listening on 127.0.0.1:', $listener->sockport, "\n";
sleep;
