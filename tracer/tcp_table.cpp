#include "tracer/tcp_table.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace ebbtide {
namespace {

// The kernel prints each 32-bit word of the address as a number of the machine's byte order.
bool parse_address(const char* hex, IpAddress& address) {
  const std::size_t words = std::strlen(hex) / 8;
  if (words != 1 && words != 4) return false;
  std::array<std::uint32_t, 4> parts{0, 0, htonl(0xffff), 0};
  for (std::size_t i = 0; i < words; i++) {
    char word[9] = {};
    std::memcpy(word, hex + 8 * i, 8);
    parts[4 - words + i] = static_cast<std::uint32_t>(std::strtoul(word, nullptr, 16));
  }
  std::memcpy(address.data(), parts.data(), address.size());
  return true;
}

bool parse_row(const std::string& line, TcpRow& row) {
  char local[33] = {}, remote[33] = {};
  unsigned local_port = 0, remote_port = 0, state = 0;
  if (std::sscanf(line.c_str(),
                  " %*d: %32[0-9A-F]:%x %32[0-9A-F]:%x %x %" SCNx32 ":%*x %*s %*s %*d %*d %" SCNu64,
                  local, &local_port, remote, &remote_port, &state, &row.send_queue_bytes,
                  &row.inode) != 7)
    return false;
  row.local_port = static_cast<std::uint16_t>(local_port);
  row.remote_port = static_cast<std::uint16_t>(remote_port);
  row.state = static_cast<std::uint8_t>(state);
  return parse_address(local, row.local) && parse_address(remote, row.remote);
}

}  // namespace

Result<std::vector<TcpRow>> read_tcp_table(std::int32_t pid) {
  std::vector<TcpRow> rows;
  bool readable = false;
  for (const char* name : {"tcp", "tcp6"}) {
    std::ifstream file(fmt::format("/proc/{}/net/{}", pid, name));
    readable = readable || file.good();
    for (std::string line; std::getline(file, line);) {
      TcpRow row;
      if (parse_row(line, row)) rows.push_back(row);
    }
  }
  if (!readable) {
    return Error{"read", fmt::format("/proc/{}/net/tcp", pid), "there is no such process", ""};
  }
  return rows;
}

bool is_any_address(const IpAddress& address) {
  static constexpr IpAddress any_v4{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
  return address == IpAddress{} || address == any_v4;
}

std::string address_text(const IpAddress& address) {
  static constexpr std::uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  char text[INET6_ADDRSTRLEN] = {};
  if (std::memcmp(address.data(), mapped, sizeof mapped) == 0)
    inet_ntop(AF_INET, address.data() + 12, text, sizeof text);
  else
    inet_ntop(AF_INET6, address.data(), text, sizeof text);
  return text;
}

}  // namespace ebbtide
