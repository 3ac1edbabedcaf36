#include "tests/unit/node_program.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace ebbtide {
namespace {

std::filesystem::path packages() {
  return std::filesystem::path(SOURCE_DIR) / "tests/packages/node_modules";
}

}  // namespace

std::filesystem::path node_of_major(int major) {
  return packages() / fmt::format("node{}/bin/node", major);
}

void run_node(int major, const std::vector<std::string>& arguments) {
  const std::string node = node_of_major(major);
  std::vector<char*> argv = {const_cast<char*>(node.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  pid_t pid = -1;
  ASSERT_EQ(posix_spawn(&pid, node.c_str(), nullptr, nullptr, argv.data(), environ), 0) << node;
  int status = -1;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << node << " " << arguments.front();
}

std::string text_of_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

TypeScriptProgram::TypeScriptProgram(const std::string& source) {
  std::filesystem::create_directories(directory_.file("src"));
  std::ofstream(directory_.file("src/program.ts")) << source;
  run_node(20, {packages() / "typescript/lib/tsc.js", "--module", "commonjs", "--target", "es2022",
                "--sourceMap", "--noCheck", "--rootDir", directory_.file("src"), "--outDir",
                directory_.file("dist"), directory_.file("src/program.ts")});
}

std::string TypeScriptProgram::compiled() const { return text_of_file(path()); }

std::string TypeScriptProgram::map() const { return text_of_file(path() + ".map"); }

}  // namespace ebbtide
