#include "analysis/heap/snapshot_strings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace ebbtide {
namespace {

// In the order of Word. The pairs of a WeakMap get one name, so that paths through different ones
// are the same path.
constexpr std::array<std::string_view, 18> words = {"",
                                                    "elements",
                                                    "system / Hole",
                                                    "pair in WeakMap",
                                                    "properties",
                                                    "__proto__",
                                                    "script",
                                                    "script_or_debug_info",
                                                    "shared",
                                                    "table",
                                                    "(GC roots)",
                                                    "(Global handles)",
                                                    "(Traced handles)",
                                                    "(Eternal handles)",
                                                    "(External strings)",
                                                    "(Internalized strings)",
                                                    "(Weak collections)",
                                                    "(Weak roots)"};
static_assert(words.size() == static_cast<std::size_t>(Word::weak_roots) + 1);

bool names_a_pair(std::string_view text) {
  return text.find(" / part of key (") != std::string_view::npos &&
         text.find(" pair in WeakMap (") != std::string_view::npos;
}

bool parse_number(std::string_view text, std::uint32_t& number) {
  const bool canonical = !text.empty() && text.size() <= 9 && (text[0] != '0' || text.size() == 1);
  if (!canonical) return false;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  return code == std::errc{} && end == text.data() + text.size();
}

}  // namespace

SnapshotStrings::SnapshotStrings() : kept_(words.begin(), words.end()) {}

void SnapshotStrings::grow(std::uint32_t index) {
  wanted_.resize(std::max<std::size_t>(index + std::size_t{1}, wanted_.size() * 2));
}

std::uint32_t SnapshotStrings::intern(const std::string& text) {
  const auto [found, fresh] = interned_.emplace(text, static_cast<std::uint32_t>(kept_.size()));
  if (fresh) kept_.push_back(text);
  return found->second;
}

std::uint32_t SnapshotStrings::keep(std::string&& text) {
  if (std::uint32_t number = 0; parse_number(text, number)) return number | number_flag;
  if (names_a_pair(text)) return static_cast<std::uint32_t>(Word::pair);
  if (const auto word = std::ranges::find(words, text); word != words.end())
    return static_cast<std::uint32_t>(word - words.begin());
  kept_.push_back(std::move(text));
  return static_cast<std::uint32_t>(kept_.size() - 1);
}

bool SnapshotStrings::read(JsonScanner& scanner) {
  while (!wanted_.empty() && !wanted_.back()) wanted_.pop_back();
  place_.assign(wanted_.size(), 0);
  if (!scanner.expect('[')) return false;
  if (!scanner.take(']')) {
    std::string text;
    do {
      if (count_ % stride == 0) offsets_.push_back(scanner.offset());
      const bool wanted = count_ < wanted_.size() && wanted_[count_];
      if (!scanner.read_string(wanted ? &text : nullptr)) return false;
      if (wanted) place_[count_] = keep(std::string(text));
      ++count_;
    } while (scanner.take(','));
    if (!scanner.expect(']')) return false;
  }
  if (count_ < wanted_.size())
    return scanner.fail(fmt::format("there are {} strings, but something is named by number {}",
                                    count_, wanted_.size() - 1));
  return true;
}

std::string SnapshotStrings::look_up(JsonScanner& scanner, std::uint32_t index) const {
  std::string text;
  if (index >= count_) return text;
  scanner.seek(offsets_[index / stride]);
  for (std::uint32_t skipped = 0; skipped < index % stride; ++skipped) {
    scanner.read_string(nullptr);
    scanner.take(',');
  }
  scanner.read_string(&text);
  return text;
}

}  // namespace ebbtide
