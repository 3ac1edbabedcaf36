#include "tracer/v8/v8_layout.h"

#include <cstring>
#include <string_view>

#include "tracer/elf_symbols.h"

namespace ebbtide {
namespace {

constexpr std::string_view prefix = "v8dbg_";
constexpr std::size_t most_symbols = 10'000;

}  // namespace

Result<std::map<std::string, std::int32_t, std::less<>>> read_v8_layout(const std::string& path) {
  auto file = ElfFile::open(path);
  if (!file) return file.error();

  std::map<std::string, std::int32_t, std::less<>> layout;
  auto visited = file->visit_symbols([&](const ElfSymbol& symbol) {
    if (!symbol.name.starts_with(prefix) || layout.size() >= most_symbols) return;
    std::int32_t value = 0;  // what .bss holds is not in the file and zero
    if (const auto offset = file->offset_of_address(symbol.address)) {
      const auto bytes = file->read(*offset, sizeof value);
      if (bytes.size() != sizeof value) return;
      std::memcpy(&value, bytes.data(), sizeof value);
    }
    layout.emplace(symbol.name.substr(prefix.size()), value);
  });
  if (!visited) return visited.error();
  if (layout.empty()) {
    return Error{"read the heap's layout from", path, "it has no v8dbg symbols",
                 "Node from nodejs.org, NodeSource, npm or Debian has them; bun, deno and stripped "
                 "builds have not"};
  }
  return layout;
}

}  // namespace ebbtide
