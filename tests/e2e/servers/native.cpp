// A server in C++ for tcp:// whose memory is planted: the argument says what a connection leaves in
// malloc, or what only looks so.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

using Blocks = std::vector<char*>;

char* touched(std::size_t bytes) {
  char* block = static_cast<char*>(std::malloc(bytes));
  std::memset(block, 1, bytes);
  asm volatile("" : : "r"(block) : "memory");  // a block that is lost would not be made else
  return block;
}

// What a plant returns is freed when its connection closes.
Blocks clean() { return {touched(8000)}; }

Blocks leak(std::size_t bytes) {
  touched(bytes);
  return {};
}

// Each connection takes 200 KB for as long as it is open, and a small block between for longer:
// what is freed lies in pieces that cannot be given back.
Blocks fragment() {
  static std::deque<char*> lasting;
  Blocks blocks;
  for (int i = 0; i < 200; i++) {
    blocks.push_back(touched(1000));
    if (i % 50 == 0) lasting.push_back(touched(100));
  }
  for (; lasting.size() > 800; lasting.pop_front()) std::free(lasting.front());
  return blocks;
}

// A thread takes 2 MB in an arena of its own and gives back all but its last block, which a later
// one gives back: the arena cannot shrink below it.
Blocks fill_an_arena() {
  std::thread([] {
    std::vector<char*> blocks;
    for (int i = 0; i < 2000; i++) blocks.push_back(touched(1000));
    char* last = touched(1000);
    usleep(20'000);
    for (char* block : blocks) std::free(block);
    static std::mutex mutex;
    static std::deque<char*> lasting;
    const std::lock_guard lock(mutex);
    lasting.push_back(last);
    if (lasting.size() <= 16) return;
    std::free(lasting.front());
    lasting.pop_front();
  }).detach();
  return {};
}

int listen_at_any_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(fd, 512) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    std::exit(1);
  std::printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return fd;
}

}  // namespace

int main(int count, char** arguments) {
  const std::map<std::string, std::function<Blocks()>> plants = {
      {"clean", clean},
      {"leak_1k", [] { return leak(1024); }},
      {"leak_16k", [] { return leak(16384); }},
      {"fragments", fragment},
      {"threads", fill_an_arena},
  };
  const auto plant = plants.find(count > 1 ? arguments[1] : "");
  if (plant == plants.end()) return 1;
  std::map<int, Blocks> open;
  std::vector<pollfd> waits{{listen_at_any_port(), POLLIN, 0}};
  while (poll(waits.data(), waits.size(), -1) > 0) {
    for (std::size_t i = waits.size(); i-- > 1;) {
      char bytes[512];
      if (waits[i].revents == 0) continue;
      const int fd = waits[i].fd;
      const ssize_t got = read(fd, bytes, sizeof bytes);
      if (got > 0 && write(fd, bytes, static_cast<std::size_t>(got)) == got) continue;
      close(fd);
      for (char* block : open[fd]) std::free(block);
      open.erase(fd);
      waits.erase(waits.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (waits[0].revents == 0) continue;
    const int fd = accept(waits[0].fd, nullptr, nullptr);
    waits.push_back({fd, POLLIN, 0});
    open[fd] = plant->second();
  }
}
