#include "driver/placeholder.h"

#include <algorithm>

namespace ebbtide {

std::string filled(std::string_view text, std::initializer_list<Placeholder> placeholders) {
  std::string result;
  for (;;) {
    const std::size_t brace = std::min(text.find('{'), text.size());
    result += text.substr(0, brace);
    text.remove_prefix(brace);
    if (text.empty()) return result;
    const auto* const found = std::ranges::find_if(
        placeholders, [&](const Placeholder& each) { return text.starts_with(each.place); });
    const bool known = found != placeholders.end();
    result += known ? found->value : text.substr(0, 1);
    text.remove_prefix(known ? found->place.size() : 1);
  }
}

std::string with_id(std::string_view text, std::uint64_t id) {
  const std::string number = std::to_string(id);
  return filled(text, {{"{id}", number}});
}

}  // namespace ebbtide
