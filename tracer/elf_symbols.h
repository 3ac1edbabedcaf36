// Answers: which functions does this ELF file define, and at which file offset does each begin
// (which is what an uprobe attaches to)? Reads .symtab and .dynsym; debug information is never
// needed.
//
// The file belongs to the traced process and is not trusted: every offset in it is checked, and it
// is read rather than mapped, so that truncating it under our feet is an error and not a SIGBUS.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recording/result.h"

namespace ebbtide {

// A defined symbol; the name lives as long as the visit.
struct ElfSymbol {
  std::string_view name;          // mangled
  std::uint64_t address = 0;      // virtual, as linked
  std::uint64_t size = 0;         // 0: not recorded (assembler)
  std::uint64_t name_offset = 0;  // of the name in the file
  bool function = false;
};

struct ElfFunction {
  std::string name;  // mangled
  std::uint64_t file_offset = 0;
  std::uint64_t size = 0;
};

// A mangled name given by its two ends. The pieces that a compiler splits off a function
// (NAME.cold, NAME.part.0) never match: they do not begin where the function begins.
struct NamePattern {
  std::string_view prefix;
  std::string_view suffix;
  bool exact = false;  // prefix is the whole name

  [[nodiscard]] bool matches(std::string_view name) const;
};

struct FileRange {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

class ElfFile {
 public:
  // Errors: no regular file, no ELF, damaged headers.
  static Result<ElfFile> open(const std::string& path);
  ElfFile(ElfFile&&) noexcept;
  ElfFile& operator=(ElfFile&&) noexcept;
  ~ElfFile();

  // Every defined symbol of .symtab and of .dynsym; most of the latter come twice. A symbol whose
  // name lies outside its string table is left out. Error: a table that cannot be read.
  Result<void> visit_symbols(const std::function<void(const ElfSymbol&)>& visit) const;

  // Element i answers patterns[i]: the first function that matches, nullopt when none does.
  [[nodiscard]] Result<std::vector<std::optional<ElfFunction>>> find_functions(
      const std::vector<NamePattern>& patterns) const;

  // Through the PT_LOAD segments; nullopt when no segment takes that byte from the file.
  [[nodiscard]] std::optional<std::uint64_t> offset_of_address(std::uint64_t address) const;
  [[nodiscard]] std::optional<std::uint64_t> address_of_offset(std::uint64_t offset) const;

  // Where the section's contents lie in the file; nullopt when it has none.
  [[nodiscard]] std::optional<FileRange> section(std::string_view name) const;

  // Up to size bytes from offset; fewer at the end of the file.
  [[nodiscard]] std::string read(std::uint64_t offset, std::size_t size) const;

 private:
  struct Segment {
    std::uint64_t address = 0;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;  // in the file
  };
  explicit ElfFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  Result<void> read_segments();

  std::string path_;
  int fd_ = -1;
  std::vector<Segment> segments_;
};

}  // namespace ebbtide
