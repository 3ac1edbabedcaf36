// Answers: what is sent where a text has places to be filled in? {id}, {token}, {n}.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace ebbtide {

struct Placeholder {
  std::string_view place;  // "{id}"
  std::string_view value;
};

// In one pass: what was filled in is not looked at again.
std::string filled(std::string_view text, std::initializer_list<Placeholder> placeholders);

// With the connection's number for {id}.
std::string with_id(std::string_view text, std::uint64_t id);

}  // namespace ebbtide
