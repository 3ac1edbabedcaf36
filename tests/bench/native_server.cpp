#include "tests/bench/native_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/fd_limit.h"

namespace ebbtide {
namespace {

constexpr int backlog = 4096;
constexpr std::size_t most_clients = 16'000;
constexpr unsigned char final_text = 0x81;
constexpr unsigned char final_close = 0x88;

// RFC 6455, 4.2.2: what proves that the server understood the key.
std::string accept_for(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 4 * (SHA_DIGEST_LENGTH + 2) / 3 + 1> encoded{};
  const int size = EVP_EncodeBlock(encoded.data(), digest.data(), digest.size());
  return {reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(size)};
}

std::string_view header(std::string_view request, std::string_view name) {
  const std::size_t at = request.find(name);
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + name.size();
  return request.substr(begin, request.find('\r', begin) - begin);
}

struct Frame {
  unsigned char first = 0;  // FIN and opcode
  std::string payload;
};

// Takes a masked frame of at most 64 KB off the front of `bytes`, if it is there as a whole.
std::optional<Frame> take_frame(std::string& bytes) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
  if (bytes.size() < 6) return std::nullopt;
  std::size_t size = byte(1) & 0x7f, mask = 2;
  if (size == 126) {
    size = static_cast<std::size_t>(byte(2)) << 8 | byte(3);
    mask = 4;
  }
  const std::size_t payload = mask + 4;
  if (bytes.size() < payload + size) return std::nullopt;
  Frame frame{byte(0), bytes.substr(payload, size)};
  for (std::size_t i = 0; i < size; i++)
    frame.payload[i] = static_cast<char>(frame.payload[i] ^ bytes[mask + i % 4]);
  bytes.erase(0, payload + size);
  return frame;
}

std::string frame_of(unsigned char first, std::string_view payload) {
  std::string frame(1, static_cast<char>(first));
  if (payload.size() < 126) {
    frame += static_cast<char>(payload.size());
  } else {
    frame += static_cast<char>(126);
    frame += static_cast<char>(payload.size() >> 8);
    frame += static_cast<char>(payload.size() & 0xff);
  }
  return frame.append(payload);
}

struct Client {
  bool upgraded = false;
  std::string unread;  // less than a request or a frame
};

class NativeServer {
 public:
  bool listen();
  [[noreturn]] void serve();

 private:
  void accept_all();
  void read(int fd);
  void take(int fd);
  void send(int fd, std::string_view bytes);
  void end(int fd);

  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  int listener_ = -1;
  std::vector<std::optional<Client>> clients_;  // by fd
};

bool NativeServer::listen() {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, any, size) != 0 || ::listen(listener_, backlog) != 0) return false;
  epoll_event event{EPOLLIN, {.fd = listener_}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event);
  if (getsockname(listener_, any, &size) != 0) return false;
  fmt::print("{}\n", ntohs(address.sin_port));
  return std::fflush(stdout) == 0;
}

void NativeServer::serve() {
  for (;;) {
    std::array<epoll_event, 256> events{};
    const int count = epoll_wait(epoll_, events.data(), events.size(), -1);
    for (int i = 0; i < count; i++)
      events[i].data.fd == listener_ ? accept_all() : read(events[i].data.fd);
  }
}

void NativeServer::accept_all() {
  for (;;) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (clients_.size() <= static_cast<std::size_t>(fd)) clients_.resize(fd + 1);
    clients_[fd].emplace();
    epoll_event event{EPOLLIN, {.fd = fd}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
}

void NativeServer::read(int fd) {
  if (!clients_[fd]) return;  // ended by an event before this one
  std::array<char, 65536> bytes;
  const ssize_t size = recv(fd, bytes.data(), bytes.size(), 0);
  if (size < 0 && errno == EAGAIN) return;
  if (size <= 0) return end(fd);
  clients_[fd]->unread.append(bytes.data(), static_cast<std::size_t>(size));
  take(fd);
}

void NativeServer::take(int fd) {
  Client& client = *clients_[fd];
  if (!client.upgraded) {
    const std::size_t request_end = client.unread.find("\r\n\r\n");
    if (request_end == std::string::npos) return;
    client.upgraded = true;
    send(fd, fmt::format("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                         "Connection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
                         accept_for(header(client.unread, "Sec-WebSocket-Key: "))));
    if (clients_[fd]) client.unread.erase(0, request_end + 4);
  }
  while (clients_[fd]) {
    const std::optional<Frame> frame = take_frame(client.unread);
    if (!frame) return;
    if (frame->first == final_close) {
      send(fd, frame_of(final_close, frame->payload));
      end(fd);
    } else if (frame->first == final_text) {
      const std::string copy = frame_of(final_text, frame->payload);
      for (int other = 0; other < static_cast<int>(clients_.size()); other++)
        if (other != fd && clients_[other] && clients_[other]->upgraded) send(other, copy);
    }
  }
}

void NativeServer::send(int fd, std::string_view bytes) {
  const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(bytes.size())) end(fd);
}

void NativeServer::end(int fd) {
  if (!clients_[fd]) return;
  clients_[fd].reset();
  close(fd);
}

}  // namespace

int serve_natively() {
  if (const auto room = raise_fd_limit(most_clients); !room) {
    fmt::print(stderr, "{}\n", room.error().message());
    return 1;
  }
  NativeServer server;
  if (!server.listen()) {
    std::perror("native server");
    return 1;
  }
  server.serve();
}

}  // namespace ebbtide
