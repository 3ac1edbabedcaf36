#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "driver/plan.h"

namespace ebbtide {
namespace {

struct SchemeInfo {
  std::string_view name;
  Scheme scheme;
  std::uint16_t default_port;  // 0: the URL must name one
};

constexpr SchemeInfo schemes[] = {{"ws", Scheme::ws, 80},
                                  {"wss", Scheme::wss, 443},
                                  {"http", Scheme::http, 80},
                                  {"https", Scheme::https, 443},
                                  {"tcp", Scheme::tcp, 0}};

const SchemeInfo* find_scheme(std::string_view name) {
  const auto* found = std::ranges::find(schemes, name, &SchemeInfo::name);
  return found == std::end(schemes) ? nullptr : found;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

bool is_name(std::string_view host) {
  return !host.empty() && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

bool is_ipv6(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

// Fills host and port from "host", "host:port" or "[ipv6]:port"; returns what is wrong with it.
std::optional<std::string> parse_host_and_port(std::string_view text, Url& url) {
  if (text.find('@') != std::string_view::npos) {
    return "user info (user:password@) is not supported; send a header instead";
  }
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) return "the bracket before the IPv6 address stays open";
    url.host = lower(text.substr(1, bracket - 1));
    if (!is_ipv6(url.host)) return "what stands in [brackets] is no IPv6 address";
    text.remove_prefix(bracket + 1);
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    url.host = lower(text.substr(0, colon));
    text.remove_prefix(colon);
    if (std::ranges::count(text, ':') > 1) return "an IPv6 address needs [brackets]";
    if (!is_name(url.host)) return "it has no valid host";
  }
  if (text.empty()) return std::nullopt;
  if (!text.starts_with(':')) return "it has no valid host";
  const auto port = parse_port(text.substr(1));
  if (!port) return "the port is not a number from 1 to 65535";
  url.port = *port;
  return std::nullopt;
}

// What is wrong with the text, else nullopt and the URL's parts.
std::optional<std::string> parse_into(std::string_view text, Url& url) {
  if (!std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; })) {
    return "it contains a space, a control character or a letter outside ASCII";
  }
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return "it does not begin with a scheme";
  const std::string scheme_name = lower(text.substr(0, colon));
  const SchemeInfo* scheme = find_scheme(scheme_name);
  if (scheme == nullptr) {
    return fmt::format("the scheme \"{}\" is none of ws, wss, http, https, tcp", scheme_name);
  }
  url.scheme = scheme->scheme;
  url.port = scheme->default_port;

  const std::string_view rest = text.substr(colon + 3);
  const std::size_t path = std::min(rest.find_first_of("/?#"), rest.size());
  if (auto wrong = parse_host_and_port(rest.substr(0, path), url)) return wrong;
  if (url.port == 0) return "a tcp:// URL needs a port";
  url.target = rest.substr(path);
  if (url.target.find('#') != std::string::npos) return "a fragment (#) is never sent";
  if (url.scheme == Scheme::tcp) {
    if (!url.target.empty() && url.target != "/") return "a tcp:// URL has no path";
    url.target.clear();
  } else if (!url.target.starts_with('/')) {
    url.target.insert(0, "/");
  }
  return std::nullopt;
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  Url url;
  if (auto wrong = parse_into(text, url)) {
    return Error{"use the URL", fmt::format("\"{}\"", text), std::move(*wrong),
                 "a URL looks like ws://127.0.0.1:8000/ws, http://[::1]:8000/ or "
                 "tcp://localhost:6379"};
  }
  return url;
}

std::string authority(const Url& url) {
  const bool ipv6 = url.host.find(':') != std::string::npos;
  std::string text = ipv6 ? fmt::format("[{}]", url.host) : url.host;
  const bool is_default = std::ranges::any_of(schemes, [&](const SchemeInfo& info) {
    return info.scheme == url.scheme && info.default_port == url.port;
  });
  return is_default ? text : fmt::format("{}:{}", text, url.port);
}

}  // namespace ebbtide
