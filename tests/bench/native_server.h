// Answers: which server do the clients of a comparison load? One whose own cost hides no client's:
// a thread, an epoll set and plain system calls.
#pragma once

namespace ebbtide {

// Listens on an ephemeral port of 127.0.0.1, prints that port, and serves until the process is
// killed. Any path is upgraded. A text message goes to every other client, a close frame is
// answered and the connection ended; anything else is dropped. A client that does not read what is
// sent to it is disconnected. Returns the exit code of a server that could not start.
int serve_natively();

}  // namespace ebbtide
