#include "tracer/elf_symbols.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

// Looked for in this test's own executable, where memory tells what the file must hold.
extern "C" __attribute__((noinline, used)) int ebbtide_elf_fixture(int value) { return value * 7; }

namespace ebbtide_fixture {
__attribute__((noinline, used)) long overloaded(long value, const char* text) {
  return value + (text != nullptr ? text[0] : 1);
}
}  // namespace ebbtide_fixture

namespace ebbtide {
namespace {

namespace fs = std::filesystem;

std::string slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class ElfSymbolsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "ebbtide-elf-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(directory_); }

  [[nodiscard]] std::string write(const std::string& bytes) const {
    const auto path = directory_ / "file";
    std::ofstream(path, std::ios::binary).write(bytes.data(), std::ssize(bytes));
    return path;
  }

  // Asks every question there is; the answers do not matter, that they come does.
  static void interrogate(const std::string& path) {
    auto file = ElfFile::open(path);
    if (!file) return;
    std::size_t name_bytes = 0;
    (void)file->visit_symbols([&](const ElfSymbol& symbol) {
      name_bytes += symbol.name.size();
      (void)file->offset_of_address(symbol.address);
    });
    if (const auto section = file->section(".rodata")) (void)file->read(section->offset, 4096);
    (void)file->address_of_offset(4096);
  }

  fs::path directory_;
};

void expect_same_code(const ElfFile& file, const std::optional<ElfFunction>& function,
                      const void* in_memory) {
  ASSERT_TRUE(function.has_value());
  ASSERT_GT(function->size, 4u);
  const auto in_file = file.read(function->file_offset, function->size);
  ASSERT_EQ(in_file.size(), function->size);
  EXPECT_EQ(std::memcmp(in_file.data(), in_memory, in_file.size()), 0);
}

TEST_F(ElfSymbolsTest, FileOffsetOfAFunctionHoldsItsCode) {
  auto file = ElfFile::open("/proc/self/exe");
  ASSERT_TRUE(file) << file.error().message();
  const auto found = file->find_functions({
      {"ebbtide_elf_fixture", "", true},
      {"_ZN15ebbtide_fixture10overloadedE", "", false},
      {"_ZN15ebbtide_fixture", "PKc", false},
      {"ebbtide_elf_fixtur", "", true},
  });
  ASSERT_TRUE(found) << found.error().message();
  expect_same_code(*file, (*found)[0], reinterpret_cast<const void*>(&ebbtide_elf_fixture));
  expect_same_code(*file, (*found)[1], reinterpret_cast<const void*>(&ebbtide_fixture::overloaded));
  expect_same_code(*file, (*found)[2], reinterpret_cast<const void*>(&ebbtide_fixture::overloaded));
  EXPECT_FALSE((*found)[3].has_value());
}

TEST_F(ElfSymbolsTest, AddressAndOffsetTranslateBackAndForth) {
  auto file = ElfFile::open("/proc/self/exe");
  ASSERT_TRUE(file);
  std::size_t seen = 0;
  auto visited = file->visit_symbols([&](const ElfSymbol& symbol) {
    if (!symbol.function) return;
    const auto offset = file->offset_of_address(symbol.address);
    ASSERT_TRUE(offset.has_value()) << symbol.name;
    EXPECT_EQ(file->address_of_offset(*offset), symbol.address) << symbol.name;
    seen++;
  });
  ASSERT_TRUE(visited) << visited.error().message();
  EXPECT_GT(seen, 100u);
}

TEST_F(ElfSymbolsTest, ClonesOfAFunctionDoNotMatchItsPrefix) {
  const NamePattern pattern{"_ZN2v88internal4Heap13SizeOfObjectsE", "", false};
  EXPECT_TRUE(pattern.matches("_ZN2v88internal4Heap13SizeOfObjectsEv"));
  EXPECT_FALSE(pattern.matches("_ZN2v88internal4Heap13SizeOfObjectsEv.cold"));
  EXPECT_FALSE(pattern.matches("_ZN2v88internal4Heap13SizeOfObjects"));
}

TEST_F(ElfSymbolsTest, NameOffsetPointsAtTheName) {
  auto file = ElfFile::open("/proc/self/exe");
  ASSERT_TRUE(file);
  bool seen = false;
  (void)file->visit_symbols([&](const ElfSymbol& symbol) {
    if (symbol.name != "ebbtide_elf_fixture") return;
    seen = true;
    EXPECT_EQ(file->read(symbol.name_offset, symbol.name.size() + 1),
              std::string("ebbtide_elf_fixture") + '\0');
  });
  EXPECT_TRUE(seen);
}

TEST_F(ElfSymbolsTest, WhatIsNoElfFileIsAnError) {
  EXPECT_FALSE(ElfFile::open(write("")));
  EXPECT_FALSE(ElfFile::open(write("#!/bin/sh\necho hello\n")));
  EXPECT_FALSE(ElfFile::open(write("\177ELF")));
  EXPECT_FALSE(ElfFile::open(directory_));
  const auto missing = ElfFile::open("/nonexistent/file");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().subject, "/nonexistent/file");
  EXPECT_NE(missing.error().reason, "");
}

TEST_F(ElfSymbolsTest, AFifoIsRefusedWithoutWaitingForAWriter) {
  const auto path = directory_ / "fifo";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_FALSE(ElfFile::open(path));
}

TEST_F(ElfSymbolsTest, TruncatedFilesAreSurvived) {
  const auto whole = slurp("/bin/true");
  ASSERT_GT(whole.size(), 1000u);
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    interrogate(write(whole.substr(0, size)));
  }
}

TEST_F(ElfSymbolsTest, DamagedFilesAreSurvived) {
  // .dynsym, .dynstr and the program headers lie at the front, the section headers at the end.
  const auto whole = slurp("/bin/true");
  std::mt19937 random(20240607);
  for (int round = 0; round < 2000; ++round) {
    auto bytes = whole;
    for (int i = 0; i < 8; ++i) {
      const auto near_edge = random() % 4096;
      const auto at = i % 2 == 0 ? near_edge : bytes.size() - 1 - near_edge;
      bytes[at] = static_cast<char>(random());
    }
    interrogate(write(bytes));
  }
}

TEST_F(ElfSymbolsTest, ATableOfAbsurdSizeIsNotAllocated) {
  auto bytes = slurp("/bin/true");
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  std::size_t forged = 0;
  for (int i = 0; i < header.e_shnum; ++i) {
    auto* at = bytes.data() + header.e_shoff + static_cast<std::size_t>(i) * header.e_shentsize;
    Elf64_Shdr section;
    std::memcpy(&section, at, sizeof section);
    if (section.sh_type != SHT_DYNSYM) continue;
    section.sh_size = std::uint64_t{1} << 50;
    std::memcpy(at, &section, sizeof section);
    forged++;
  }
  ASSERT_EQ(forged, 1u);
  auto file = ElfFile::open(write(bytes));
  ASSERT_TRUE(file);
  EXPECT_FALSE(file->visit_symbols([](const ElfSymbol&) {}));
}

}  // namespace
}  // namespace ebbtide
