#include "tracer/symbolizer.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "tracer/elf_symbols.h"

namespace ebbtide {
namespace {

// A demangled name can be exponentially longer than a mangled one made for the purpose.
constexpr std::size_t max_mangled_bytes = 1024;
constexpr std::size_t max_symbol_bytes = 4096;

std::string demangle(std::string mangled) {
  if (!mangled.starts_with("_Z")) return mangled;
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> plain(
      abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status), &std::free);
  if (status != 0 || plain == nullptr) return mangled;
  return std::string(plain.get()).substr(0, max_symbol_bytes);
}

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

// The functions of one file, sorted. Why not libdwfl: it scans the whole table for every address,
// keeps all names in memory, and knows one mapping a file: it does not see V8's builtins, which
// Node maps a second time. For 700 addresses in a 100 MB node this takes as long as libdwfl on Node
// 18 and a tenth of it on Node 20 to 24.
class Symbolizer::Module {
 public:
  explicit Module(std::optional<ElfFile> file) : file_(std::move(file)) {
    if (!file_) return;
    // A table that is damaged half-way still serves with what was read of it.
    (void)file_->visit_symbols([this](const ElfSymbol& symbol) {
      // Without a size (_init, _fini) there is no telling where its code ends.
      if (!symbol.function || symbol.size == 0) return;
      functions_.push_back({symbol.address, symbol.size, symbol.name_offset});
    });
    std::stable_sort(functions_.begin(), functions_.end(),
                     [](const auto& a, const auto& b) { return a.address < b.address; });
    const auto duplicates = std::unique(functions_.begin(), functions_.end(),
                                        [](auto& a, auto& b) { return a.address == b.address; });
    functions_.erase(duplicates, functions_.end());
    functions_.shrink_to_fit();
  }

  // The function whose code the file holds at that offset, demangled; "" when none is known.
  [[nodiscard]] std::string name_at(std::uint64_t file_offset) const {
    if (!file_) return "";
    const auto address = file_->address_of_offset(file_offset);
    if (!address) return "";
    const auto after = std::upper_bound(
        functions_.begin(), functions_.end(), *address,
        [](std::uint64_t wanted, const auto& function) { return wanted < function.address; });
    if (after == functions_.begin()) return "";
    const auto& function = *std::prev(after);
    if (*address - function.address >= function.size) return "";
    const auto bytes = file_->read(function.name_offset, max_mangled_bytes);
    return demangle(bytes.substr(0, bytes.find('\0')));
  }

 private:
  struct Function {
    std::uint64_t address = 0;
    std::uint64_t size = 0;
    std::uint64_t name_offset = 0;
  };
  std::optional<ElfFile> file_;
  std::vector<Function> functions_;
};

Symbolizer::Symbolizer(pid_t pid) : pid_(pid) {}
Symbolizer::~Symbolizer() = default;
Symbolizer::Symbolizer(Symbolizer&&) noexcept = default;
Symbolizer& Symbolizer::operator=(Symbolizer&&) noexcept = default;

Result<void> Symbolizer::refresh() {
  auto mappings = read_process_maps(pid_);
  if (!mappings) return mappings.error();
  mappings_ = std::move(mappings).value();
  std::erase_if(mappings_, [](const ProcessMapping& mapping) { return !mapping.executable; });
  perf_map_.refresh(pid_);
  return {};
}

std::vector<Frame> Symbolizer::resolve(std::span<const std::uint64_t> stack) {
  std::vector<Frame> frames;
  frames.reserve(stack.size());
  for (const auto address : stack) {
    const bool return_address = !frames.empty() && address != 0;
    frames.push_back(resolve_one(address, return_address ? address - 1 : address));
  }
  return frames;
}

Frame Symbolizer::resolve_one(std::uint64_t address, std::uint64_t looked_up) {
  Frame frame{address, "", ""};
  const auto after = std::upper_bound(
      mappings_.begin(), mappings_.end(), looked_up,
      [](std::uint64_t wanted, const ProcessMapping& mapping) { return wanted < mapping.start; });
  if (after == mappings_.begin()) return frame;
  const ProcessMapping& mapping = *std::prev(after);
  if (looked_up >= mapping.end) return frame;
  if (mapping.inode == 0) {
    if (mapping.path.starts_with("[v")) frame.module = mapping.path;  // [vdso], [vsyscall]
    frame.symbol = perf_map_.name_at(looked_up);
    return frame;
  }
  frame.module = base_name(mapping.path);
  frame.symbol = module_of(mapping).name_at(looked_up - mapping.start + mapping.file_offset);
  return frame;
}

Symbolizer::Module& Symbolizer::module_of(const ProcessMapping& mapping) {
  const FileId id{std::uint64_t{mapping.device_major} << 32 | mapping.device_minor, mapping.inode};
  auto& module = modules_[id];
  if (module == nullptr) {
    std::optional<ElfFile> opened;
    if (auto path = openable_path(pid_, mapping)) {
      if (auto file = ElfFile::open(*path)) opened = std::move(file).value();
    }
    module = std::make_unique<Module>(std::move(opened));
  }
  return *module;
}

}  // namespace ebbtide
