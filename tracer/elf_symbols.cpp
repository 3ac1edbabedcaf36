#include "tracer/elf_symbols.h"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ebbtide {
namespace {

// Far above any real binary (Chromium's .symtab is 60 MB); keeps a forged header from making us
// allocate what its author likes.
constexpr std::uint64_t max_table_bytes = 512ull << 20;

Error elf_error(const std::string& path, std::string reason) {
  return {"read the symbols of", path, std::move(reason), ""};
}

std::string libelf_reason() {
  const char* text = elf_errmsg(-1);
  return text != nullptr ? text : "damaged ELF file";
}

// libelf's view of a file. It keeps every table it has read, megabytes for a large binary, so one
// lives only as long as the question that needs it.
class ElfView {
 public:
  explicit ElfView(int fd) {
    elf_version(EV_CURRENT);
    elf_ = elf_begin(fd, ELF_C_READ, nullptr);
  }
  ElfView(const ElfView&) = delete;
  ElfView& operator=(const ElfView&) = delete;
  ~ElfView() { elf_end(elf_); }

  [[nodiscard]] bool is_elf() const { return elf_kind(elf_) == ELF_K_ELF; }
  [[nodiscard]] Elf* get() const { return elf_; }

 private:
  Elf* elf_ = nullptr;
};

bool is_defined(const GElf_Sym& symbol) {
  const auto type = GELF_ST_TYPE(symbol.st_info);
  return symbol.st_shndx != SHN_UNDEF && symbol.st_value != 0 &&
         (type == STT_FUNC || type == STT_OBJECT || type == STT_NOTYPE || type == STT_GNU_IFUNC);
}

}  // namespace

bool NamePattern::matches(std::string_view name) const {
  if (exact) return name == prefix;
  return name.size() >= prefix.size() + suffix.size() && name.starts_with(prefix) &&
         name.ends_with(suffix) && name.find('.') == std::string_view::npos;
}

ElfFile::ElfFile(ElfFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      segments_(std::move(other.segments_)) {}

ElfFile& ElfFile::operator=(ElfFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  std::swap(segments_, other.segments_);
  return *this;
}

ElfFile::~ElfFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<ElfFile> ElfFile::open(const std::string& path) {
  // O_NONBLOCK: opening a FIFO that a hostile target put there must not hang us.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return elf_error(path, std::strerror(errno));
  ElfFile file(path, fd);
  struct stat status {};
  if (fstat(fd, &status) != 0) return elf_error(path, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return elf_error(path, "it is no regular file");
  if (auto read = file.read_segments(); !read) return read.error();
  return file;
}

Result<void> ElfFile::read_segments() {
  const ElfView view(fd_);
  if (!view.is_elf()) return elf_error(path_, "it is no ELF file");
  std::size_t count = 0;
  if (elf_getphdrnum(view.get(), &count) != 0) return elf_error(path_, libelf_reason());
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr header;
    if (gelf_getphdr(view.get(), static_cast<int>(i), &header) == nullptr) {
      return elf_error(path_, libelf_reason());
    }
    if (header.p_type != PT_LOAD) continue;
    segments_.push_back({header.p_vaddr, header.p_offset, header.p_filesz});
  }
  return {};
}

Result<void> ElfFile::visit_symbols(const std::function<void(const ElfSymbol&)>& visit) const {
  const ElfView view(fd_);
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(view.get(), section)) != nullptr) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr) return elf_error(path_, libelf_reason());
    if (header.sh_type != SHT_SYMTAB && header.sh_type != SHT_DYNSYM) continue;
    GElf_Shdr names;
    if (gelf_getshdr(elf_getscn(view.get(), header.sh_link), &names) == nullptr) {
      return elf_error(path_, libelf_reason());
    }
    if (header.sh_size > max_table_bytes || names.sh_size > max_table_bytes) {
      return elf_error(path_, "a symbol table claims an absurd size");
    }
    Elf_Data* data = elf_getdata(section, nullptr);
    if (data == nullptr) return elf_error(path_, libelf_reason());
    const auto count = header.sh_entsize == 0 ? 0 : data->d_size / header.sh_entsize;
    for (std::size_t i = 0; i < count; ++i) {
      GElf_Sym symbol;
      if (gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr) break;
      if (!is_defined(symbol)) continue;
      const char* name = elf_strptr(view.get(), header.sh_link, symbol.st_name);
      if (name == nullptr || *name == '\0') continue;
      const auto type = GELF_ST_TYPE(symbol.st_info);
      visit({name, symbol.st_value, symbol.st_size, names.sh_offset + symbol.st_name,
             type == STT_FUNC || type == STT_GNU_IFUNC});
    }
  }
  return {};
}

Result<std::vector<std::optional<ElfFunction>>> ElfFile::find_functions(
    const std::vector<NamePattern>& patterns) const {
  std::vector<std::optional<ElfFunction>> found(patterns.size());
  auto visited = visit_symbols([&](const ElfSymbol& symbol) {
    if (!symbol.function) return;
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      if (found[i] || !patterns[i].matches(symbol.name)) continue;
      if (const auto offset = offset_of_address(symbol.address)) {
        found[i] = ElfFunction{std::string(symbol.name), *offset, symbol.size};
      }
    }
  });
  if (!visited) return visited.error();
  return found;
}

std::optional<std::uint64_t> ElfFile::offset_of_address(std::uint64_t address) const {
  for (const Segment& segment : segments_) {
    if (address >= segment.address && address - segment.address < segment.size) {
      return segment.offset + (address - segment.address);
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> ElfFile::address_of_offset(std::uint64_t offset) const {
  for (const Segment& segment : segments_) {
    if (offset >= segment.offset && offset - segment.offset < segment.size) {
      return segment.address + (offset - segment.offset);
    }
  }
  return std::nullopt;
}

std::optional<FileRange> ElfFile::section(std::string_view name) const {
  const ElfView view(fd_);
  std::size_t names = 0;
  if (elf_getshdrstrndx(view.get(), &names) != 0) return std::nullopt;
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(view.get(), section)) != nullptr) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr) return std::nullopt;
    const char* found = elf_strptr(view.get(), names, header.sh_name);
    if (found == nullptr || name != found) continue;
    if (header.sh_type == SHT_NOBITS) return std::nullopt;
    return FileRange{header.sh_offset, header.sh_size};
  }
  return std::nullopt;
}

std::string ElfFile::read(std::uint64_t offset, std::size_t size) const {
  std::string bytes(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const auto got =
        pread(fd_, bytes.data() + filled, size - filled, static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace ebbtide
