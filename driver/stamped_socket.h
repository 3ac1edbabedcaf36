// Answers: when did the bytes that a read returned come in, by the kernel's own stamp?
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace ebbtide {

// A connected socket as a stream for Beast and OpenSSL. With stamps, a read takes all that waits,
// up to 64 KB, because the kernel stamps only what is read to the end of a segment; what the caller
// has no room for is kept for the next read.
//
// The stamp is CLOCK_REALTIME, when the kernel took the segment in; it is moved to CLOCK_MONOTONIC
// by the distance of the clocks right after the read, which is known within the time of one clock
// read (some 50 ns) and wrong when CLOCK_REALTIME was set in between. Segments that waited unread
// together may be one to the kernel, with the stamp of the last: never later than the read.
class StampedSocket {
 public:
  using executor_type = boost::asio::ip::tcp::socket::executor_type;
  using next_layer_type = boost::asio::ip::tcp::socket;
  using lowest_layer_type = boost::asio::ip::tcp::socket;

  // Without stamps, reads are the socket's own: stamps make the kernel read the clock for every
  // packet of the machine.
  StampedSocket(boost::asio::ip::tcp::socket& socket, bool with_stamps);

  executor_type get_executor() { return socket_.get_executor(); }
  next_layer_type& next_layer() { return socket_; }
  lowest_layer_type& lowest_layer() { return socket_; }

  // On CLOCK_MONOTONIC, of the last read; 0: the kernel gave no stamp.
  [[nodiscard]] std::uint64_t arrived_ns() const { return arrived_ns_; }

  // recvmsg() without waiting; notes the stamp. An end of the stream is the error eof. Not to be
  // mixed with async_read_some().
  std::size_t receive(std::span<char> into, boost::system::error_code& error);

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    if (!with_stamps_) return socket_.async_read_some(buffers, std::forward<Token>(token));
    return boost::asio::async_compose<Token, void(boost::system::error_code, std::size_t)>(
        Reading<Buffers>{*this, buffers}, token, socket_);
  }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return socket_.async_write_some(buffers, std::forward<Token>(token));
  }

 private:
  template <class Buffers>
  struct Reading {
    StampedSocket& stream;
    Buffers buffers;
    bool waited = false;

    template <class Self>
    void operator()(Self& self, boost::system::error_code error = {}) {
      if (!waited) {
        waited = true;
        if (!stream.kept_.empty() || boost::asio::buffer_size(buffers) == 0) {
          return boost::asio::post(stream.get_executor(), std::move(self));
        }
        return stream.wait(std::move(self));
      }
      std::size_t size = 0;
      if (!error) size = stream.read(buffers, error);
      if (error == boost::asio::error::would_block) return stream.wait(std::move(self));
      self.complete(error, size);
    }
  };

  template <class Handler>
  void wait(Handler handler) {
    socket_.async_wait(boost::asio::socket_base::wait_read, std::move(handler));
  }

  template <class Buffers>
  std::size_t read(const Buffers& buffers, boost::system::error_code& error) {
    const std::size_t room = boost::asio::buffer_size(buffers);
    if (room == 0) return 0;
    if (!kept_.empty()) {
      const std::size_t size = boost::asio::buffer_copy(buffers, boost::asio::buffer(kept_));
      kept_.erase(0, size);
      return size;
    }
    std::array<char, 65536> waiting;
    const std::size_t size = receive(waiting, error);
    const std::size_t taken =
        boost::asio::buffer_copy(buffers, boost::asio::buffer(waiting.data(), size));
    kept_.assign(waiting.data() + taken, size - taken);
    return taken;
  }

  boost::asio::ip::tcp::socket& socket_;
  bool with_stamps_;
  std::uint64_t arrived_ns_ = 0;
  std::string kept_;
};

}  // namespace ebbtide
