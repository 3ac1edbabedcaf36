#include "recording/heap_image.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <optional>
#include <string_view>

namespace ebbtide {
namespace {

constexpr std::string_view image_magic = "EBBHEAP1";
constexpr std::uint32_t most_layout_entries = 100'000;
constexpr std::uint32_t chunk_aligned_flag = 1;
constexpr std::uint32_t read_only_flag = 2;

Error unreadable(const std::string& path, std::string reason) {
  return {"read the heap image", path, std::move(reason), ""};
}

template <class T>
void put(std::ostream& file, T value) {
  file.write(reinterpret_cast<const char*>(&value), sizeof value);
}

// Takes values off the front of a file's bytes; nullopt at its end.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> rest) : rest_(rest) {}

  template <class T>
  std::optional<T> number() {
    T value{};
    const auto bytes = take(sizeof value);
    if (!bytes) return std::nullopt;
    std::memcpy(&value, bytes->data(), sizeof value);
    return value;
  }
  std::optional<std::span<const std::byte>> take(std::uint64_t size) {
    if (size > rest_.size()) return std::nullopt;
    const auto front = rest_.first(size);
    rest_ = rest_.subspan(size);
    return front;
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::span<const std::byte> rest_;
};

bool read_layout(Cursor& cursor, std::uint32_t count, HeapImage& image) {
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto length = cursor.number<std::uint16_t>();
    const auto name = length ? cursor.take(*length) : std::nullopt;
    const auto value = name ? cursor.number<std::int32_t>() : std::nullopt;
    if (!value) return false;
    image.layout.emplace(std::string(reinterpret_cast<const char*>(name->data()), name->size()),
                         *value);
  }
  return true;
}

// Why the regions are no good; "" when they are.
std::string read_regions(Cursor& cursor, std::uint32_t count, HeapImage& image) {
  std::uint64_t end = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto start = cursor.number<std::uint64_t>();
    const auto size = cursor.number<std::uint64_t>();
    const auto flags = cursor.number<std::uint32_t>();
    const auto bytes = flags ? cursor.take(*size) : std::nullopt;
    if (!bytes) return "it ends in a region";
    if (*start < end || *size > std::numeric_limits<std::uint64_t>::max() - *start) {
      return "its regions overlap";
    }
    end = *start + *size;
    image.regions.push_back(
        {*start, *bytes, (*flags & chunk_aligned_flag) != 0, (*flags & read_only_flag) != 0});
  }
  return cursor.at_end() ? "" : "it goes on after its last region";
}

}  // namespace

Result<void> write_heap_image(const HeapImage& image, const std::string& path) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << image_magic;
  put(file, static_cast<std::uint32_t>(image.layout.size()));
  put(file, static_cast<std::uint32_t>(image.regions.size()));
  put(file, image.copied_bytes);
  put(file, image.pause_ns);
  put(file, image.ts_ns);
  for (const auto& [name, value] : image.layout) {
    const auto length = static_cast<std::uint16_t>(name.size());
    put(file, length);
    file.write(name.data(), length);
    put(file, value);
  }
  for (const HeapRegion& region : image.regions) {
    put(file, region.start);
    put(file, static_cast<std::uint64_t>(region.bytes.size()));
    put(file, (region.chunk_aligned ? chunk_aligned_flag : 0U) |
                  (region.read_only ? read_only_flag : 0U));
    file.write(reinterpret_cast<const char*>(region.bytes.data()),
               static_cast<std::streamsize>(region.bytes.size()));
  }
  file.close();
  if (!file) return Error{"write the heap image", path, std::strerror(errno), ""};
  return {};
}

Result<HeapImage> read_heap_image(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return unreadable(path, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return unreadable(path, "not a regular file");
  std::ifstream file(path, std::ios::binary);
  const auto bytes =
      std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(status.st_size));
  file.read(reinterpret_cast<char*>(bytes->data()), static_cast<std::streamsize>(bytes->size()));
  if (!file) return unreadable(path, std::strerror(errno));

  Cursor cursor(*bytes);
  const auto mark = cursor.take(image_magic.size());
  if (!mark || std::memcmp(mark->data(), image_magic.data(), image_magic.size()) != 0) {
    return unreadable(path, "it is no heap image");
  }
  HeapImage image;
  const auto layout_entries = cursor.number<std::uint32_t>();
  const auto regions = cursor.number<std::uint32_t>();
  const auto copied = cursor.number<std::uint64_t>();
  const auto pause = cursor.number<std::uint64_t>();
  const auto ts = cursor.number<std::uint64_t>();
  if (!ts || *layout_entries > most_layout_entries)
    return unreadable(path, "its header is damaged");
  if (!read_layout(cursor, *layout_entries, image))
    return unreadable(path, "it ends in the layout");
  if (const auto why = read_regions(cursor, *regions, image); !why.empty()) {
    return unreadable(path, why);
  }
  image.copied_bytes = *copied;
  image.pause_ns = *pause;
  image.ts_ns = *ts;
  image.memory = bytes;
  return image;
}

}  // namespace ebbtide
