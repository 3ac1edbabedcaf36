#include "recording/heap_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/temporary_directory.h"

namespace ebbtide {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::vector<std::byte> bytes_of(std::size_t size, unsigned first) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(first + i);
  return bytes;
}

class HeapImageFile : public testing::Test {
 protected:
  HeapImageFile() {
    image_.layout = {{"class_Map__prototype__Object", 24}, {"type_Map__MAP_TYPE", -1}, {"", 7}};
    image_.regions = {{0x1000, chunk_, true, true}, {0x2000, block_}, {0x3000, {}, true}};
    image_.copied_bytes = 4096;
    image_.pause_ns = 12'345;
    image_.ts_ns = 67'890;
  }

  std::string written() {
    const auto path = directory_.file("image");
    EXPECT_TRUE(write_heap_image(image_, path));
    return read_file(path);
  }
  Result<HeapImage> read_back(const std::string& bytes) {
    const auto path = directory_.file("changed");
    write_file(path, bytes);
    return read_heap_image(path);
  }

  TemporaryDirectory directory_;
  std::vector<std::byte> chunk_ = bytes_of(4096, 0);
  std::vector<std::byte> block_ = bytes_of(777, 3);
  HeapImage image_;
};

TEST_F(HeapImageFile, GivesBackWhatWasWritten) {
  const auto image = read_back(written());
  ASSERT_TRUE(image) << image.error().message();
  EXPECT_EQ(image->layout, image_.layout);
  EXPECT_EQ(image->copied_bytes, image_.copied_bytes);
  EXPECT_EQ(image->pause_ns, image_.pause_ns);
  EXPECT_EQ(image->ts_ns, image_.ts_ns);
  ASSERT_EQ(image->regions.size(), image_.regions.size());
  for (std::size_t i = 0; i < image->regions.size(); ++i) {
    const HeapRegion& region = image->regions[i];
    const HeapRegion& expected = image_.regions[i];
    EXPECT_EQ(region.start, expected.start);
    EXPECT_EQ(region.chunk_aligned, expected.chunk_aligned);
    EXPECT_EQ(region.read_only, expected.read_only);
    EXPECT_TRUE(std::equal(region.bytes.begin(), region.bytes.end(), expected.bytes.begin(),
                           expected.bytes.end()));
  }
}

TEST_F(HeapImageFile, RefusesEveryTruncation) {
  const auto whole = written();
  for (std::size_t size = 0; size < whole.size(); size += size < 400 ? 1 : 97) {
    EXPECT_FALSE(read_back(whole.substr(0, size))) << size;
  }
  EXPECT_FALSE(read_back(whole + '\0'));
}

TEST_F(HeapImageFile, RefusesRegionsThatOverlapOrWrapAround) {
  image_.regions = {{0x1000, chunk_, true}, {0x1fff, block_}};
  const auto overlapping = read_back(written());
  ASSERT_FALSE(overlapping);
  EXPECT_THAT(overlapping.error().reason, testing::HasSubstr("overlap"));
  image_.regions = {{0xfffffffffffffff0, block_}};
  EXPECT_FALSE(read_back(written()));
}

TEST_F(HeapImageFile, SaysWhatItIsNot) {
  EXPECT_THAT(read_back("SQLite format 3").error().reason, testing::HasSubstr("no heap image"));
  EXPECT_FALSE(read_heap_image(directory_.path().string()));
  EXPECT_FALSE(read_heap_image(directory_.file("missing")));
  EXPECT_FALSE(write_heap_image(image_, directory_.file("missing/image")));
}

// Every field holds every value some time; what counts is that nothing is read beyond the end.
TEST_F(HeapImageFile, SurvivesChangedBytes) {
  const auto whole = written();
  std::mt19937 random(1);
  std::size_t refused = 0;
  for (int i = 0; i < 500; ++i) {
    auto changed = whole;
    for (int change = 0; change < 4; ++change) {
      changed[random() % 200] = static_cast<char>(random());
    }
    const auto image = read_back(changed);
    if (!image) {
      ++refused;
      continue;
    }
    for (const HeapRegion& region : image->regions) EXPECT_LE(region.bytes.size(), whole.size());
  }
  EXPECT_GT(refused, 100u);
}

}  // namespace
}  // namespace ebbtide
