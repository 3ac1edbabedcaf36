#include "tracer/v8/v8_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <string_view>

#include "tracer/elf_symbols.h"
#include "tracer/process_maps.h"

namespace ebbtide {
namespace {

// Node answers /json/version of its inspector with this constant, so it lies in .rodata whole:
// "node.js/v20.20.2". It is the one spot where the text of the version needs no symbol, no code
// run and no layout of a C++ object; a file made to lie about it fools only its own report.
constexpr std::string_view version_mark = "node.js/v";

std::string find_node_version(const ElfFile& file) {
  const auto section = file.section(".rodata");
  if (!section) return "";
  constexpr std::uint64_t chunk_bytes = 1 << 20;
  constexpr std::uint64_t longest_version = 64;
  for (std::uint64_t done = 0; done < section->size; done += chunk_bytes) {
    const auto bytes = file.read(section->offset + done,
                                 std::min(chunk_bytes + longest_version, section->size - done));
    if (bytes.empty()) break;
    const auto at = bytes.find(version_mark);
    if (at == std::string::npos || at >= chunk_bytes) continue;
    const auto start = at + version_mark.size() - 1;
    const auto end = std::min(bytes.find('\0', start), start + longest_version);
    const auto version = bytes.substr(start, end - start);
    const auto plain = version.find_first_not_of("v0123456789.-abcdefghijklmnopqrstuvwxyz");
    return plain == std::string::npos ? version : "";
  }
  return "";
}

// The executable and the shared libraries that distributions put V8 into. The executable is known
// by its path: on overlayfs the inode that stat shows is not the one in maps.
bool may_hold_v8(const ProcessMapping& mapping, std::string_view executable) {
  const auto name = std::string_view(mapping.path).substr(mapping.path.rfind('/') + 1);
  return executable == mapping.path || executable == mapping.path + " (deleted)" ||
         name.starts_with("libnode") || name.starts_with("libv8");
}

}  // namespace

Result<std::optional<V8Target>> inspect_v8_file(const std::string& path) {
  auto file = ElfFile::open(path);
  if (!file) return file.error();

  // The parameters, and so the ends of the mangled names, differ between majors.
  static constexpr std::array gc_names = {
      NamePattern{"_ZN2v88internal4Heap25GarbageCollectionPrologueE", "", false},
      NamePattern{"_ZN2v88internal4Heap25GarbageCollectionEpilogueE", "", false},
      NamePattern{"_ZN2v88internal4Heap15CommittedMemoryE", "", false},
      NamePattern{"_ZN2v88internal4Heap13SizeOfObjectsE", "", false}};
  static constexpr NamePattern node_start{"_ZN4node5StartEiPPc", "", true};

  std::array<std::optional<std::uint64_t>, gc_names.size()> sites;
  bool v8 = false;
  bool node = false;
  auto visited = file->visit_symbols([&](const ElfSymbol& symbol) {
    v8 = v8 || symbol.name.starts_with("v8dbg_");
    if (!symbol.function) return;
    v8 = v8 || symbol.name.starts_with("_ZN2v88internal");
    node = node || node_start.matches(symbol.name);
    for (std::size_t i = 0; i < gc_names.size(); ++i) {
      if (!sites[i] && gc_names[i].matches(symbol.name)) {
        sites[i] = file->offset_of_address(symbol.address);
      }
    }
  });
  if (!visited) return visited.error();
  if (!v8) return std::optional<V8Target>{};

  V8Target target;
  target.file = target.file_name = path;
  if (node) {
    target.runtime = "node";
    target.version = find_node_version(*file);
  }
  for (std::size_t i = 0; i < gc_names.size(); ++i) {
    if (sites[i]) continue;
    target.gc_sites_missing = fmt::format("the symbol tables have no {}…", gc_names[i].prefix);
    return std::optional(target);
  }
  target.gc_sites = GcSites{*sites[0], *sites[1], *sites[2], *sites[3]};
  return std::optional(target);
}

Result<std::optional<V8Target>> find_v8(pid_t pid) {
  auto mappings = read_process_maps(pid);
  if (!mappings) return mappings.error();
  std::error_code unreadable;
  const auto executable =
      std::filesystem::read_symlink(fmt::format("/proc/{}/exe", pid), unreadable);

  std::set<std::uint64_t> seen;
  std::optional<Error> failed;
  for (const ProcessMapping& mapping : *mappings) {
    if (mapping.inode == 0 || !may_hold_v8(mapping, executable.native()) ||
        !seen.insert(mapping.inode).second) {
      continue;
    }
    auto path = openable_path(pid, mapping);
    auto target = path ? inspect_v8_file(*path) : Result<std::optional<V8Target>>(path.error());
    if (!target) {
      failed = target.error();
    } else if (target->has_value()) {
      (*target)->file_name = mapping.path;
      return target;
    }
  }
  if (failed) return *failed;
  return std::optional<V8Target>{};
}

}  // namespace ebbtide
