#include "driver/trigger.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "driver/broadcast.h"
#include "driver/placeholder.h"

namespace ebbtide {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

Error not_a_trigger(std::string_view text, std::string reason) {
  return {"use the trigger", fmt::format("\"{}\"", text), std::move(reason),
          "a trigger looks like \"POST http://127.0.0.1:8000/messages\" or ws://127.0.0.1:8000/ws"};
}

}  // namespace

Result<TriggerPlan> parse_trigger(std::string_view text) {
  TriggerPlan plan;
  const std::size_t space = text.find(' ');
  const bool has_method = space != std::string_view::npos;
  std::string_view address = text;
  if (has_method) {
    plan.method = text.substr(0, space);
    if (plan.method.empty() || !std::ranges::all_of(plan.method, is_letter)) {
      return not_a_trigger(text, "what stands before the URL is no HTTP method");
    }
    for (char& c : plan.method) c = static_cast<char>(c & ~0x20);
    address.remove_prefix(std::min(text.find_first_not_of(' ', space), text.size()));
  }
  Result<Url> url = parse_url(address);
  if (!url) return url.error();
  if (url->scheme == Scheme::tcp) {
    return not_a_trigger(text, "it must be a request (http, https) or a WebSocket message");
  }
  if (has_method && is_websocket(url->scheme)) {
    return not_a_trigger(text, "a WebSocket message has no HTTP method");
  }
  plan.url = std::move(*url);
  return plan;
}

bool TriggerTokens::next(std::string_view& text, std::optional<std::uint64_t>& number) const {
  const void* found = memmem(text.data(), text.size(), beginning_.data(), beginning_.size());
  if (found == nullptr) return false;
  const char* const digits = static_cast<const char*>(found) + beginning_.size();
  const char* const text_end = text.data() + text.size();
  std::uint64_t value = 0;
  const auto [behind, error] = std::from_chars(digits, text_end, value);
  const bool whole = error == std::errc{} && behind != text_end && *behind == end;
  number = whole ? std::optional(value) : std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(behind - text.data()));
  return true;
}

TriggerText fill_in(const TriggerPlan& plan, const std::string& token, std::uint64_t number) {
  const std::string digits = std::to_string(number);
  const auto fill = [&](std::string_view text) {
    return filled(text, {{"{token}", token}, {"{n}", digits}});
  };
  TriggerText text{fill(plan.url.target), {}, fill(plan.body)};
  for (const auto& [name, value] : plan.headers) {
    text.headers.emplace_back(name, fill(value));
  }
  return text;
}

}  // namespace ebbtide
