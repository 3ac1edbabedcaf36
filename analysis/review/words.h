// Answers: is a name one of a few?
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace ebbtide {

inline bool one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

template <class Container, class Value>
bool holds(const Container& container, const Value& value) {
  return std::find(container.begin(), container.end(), value) != container.end();
}

}  // namespace ebbtide
