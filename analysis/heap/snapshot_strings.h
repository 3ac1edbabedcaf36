// Answers: which of a snapshot's strings are worth keeping? The names of classes, functions,
// variables and properties are; what the program's own strings hold is not.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "analysis/heap/json_scanner.h"

namespace ebbtide {

// V8's own words that decide what an edge or node is: the first of the strings that are kept, so
// that a place tells the word.
enum class Word : std::uint32_t {
  none,
  elements,
  hole,
  pair,  // all that V8 calls "1 / part of key (…) -> value (…) pair in WeakMap (…)"
  properties,
  prototype,
  script,
  script_or_debug_info,
  shared,
  table,
  gc_roots,
  global_handles,
  traced_handles,
  eternal_handles,
  external_strings,
  internalized_strings,
  weak_collections,
  weak_roots,
};

class SnapshotStrings {
 public:
  SnapshotStrings();

  // All calls come before read(). `index` is the file's.
  void want(std::uint32_t index) {
    if (index >= wanted_.size()) grow(index);
    wanted_[index] = true;
  }

  // The array "strings", at which the scanner stands. False: see scanner.error().
  bool read(JsonScanner& scanner);

  // Of a string that was wanted: is it nothing but a number, as the slots of arrays are named?
  [[nodiscard]] bool is_number(std::uint32_t index) const {
    return (place_[index] & number_flag) != 0;
  }
  [[nodiscard]] std::uint32_t number(std::uint32_t index) const {
    return place_[index] & ~number_flag;
  }
  [[nodiscard]] bool is(std::uint32_t index, Word word) const {
    return place_[index] == static_cast<std::uint32_t>(word);
  }
  // Its place in kept().
  std::uint32_t place(std::uint32_t index) {
    return is_number(index) ? intern(std::to_string(number(index))) : place_[index];
  }
  std::uint32_t intern(const std::string& text);

  [[nodiscard]] const std::vector<std::string>& kept() const { return kept_; }
  std::vector<std::string> take() { return std::move(kept_); }

  // Any string of the file, after read(): it is looked up there. "" when there is none.
  std::string look_up(JsonScanner& scanner, std::uint32_t index) const;

 private:
  static constexpr std::uint32_t number_flag = 1U << 31;
  static constexpr std::uint32_t stride = 1024;

  void grow(std::uint32_t index);
  std::uint32_t keep(std::string&& text);

  std::vector<bool> wanted_;
  std::vector<std::uint32_t> place_;  // by the file's index, as far as anything is wanted
  std::vector<std::string> kept_;     // [0] is ""
  std::unordered_map<std::string, std::uint32_t> interned_;
  std::uint64_t count_ = 0;
  std::vector<std::uint64_t> offsets_;  // in the file, of every stride-th string
};

}  // namespace ebbtide
