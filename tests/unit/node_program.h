// Answers: what does a program that a test writes leave in a real Node's heap, and what does the
// TypeScript compiler make of it?
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/temporary_directory.h"

namespace ebbtide {

// A Node of the test packages, by its major version.
std::filesystem::path node_of_major(int major);

// program.ts compiled to CommonJS beside it, with a source map in a file of its own.
class TypeScriptProgram {
 public:
  explicit TypeScriptProgram(const std::string& source);

  [[nodiscard]] std::string compiled() const;
  [[nodiscard]] std::string map() const;
  [[nodiscard]] std::string path() const { return directory_.file("dist/program.js"); }

 private:
  TemporaryDirectory directory_;
};

// Runs a script to its end; fails the test when that is not a success.
void run_node(int major, const std::vector<std::string>& arguments);

std::string text_of_file(const std::filesystem::path& path);

}  // namespace ebbtide
