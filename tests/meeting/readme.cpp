// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The program in the README is the example that CI compiles and runs.
#include <catch2/catch.hpp>

#include <fstream>
#include <sstream>
#include <string>

namespace {
std::string text_of(const std::string& path) {
  std::ifstream in(path);
  REQUIRE(in);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}
}  // namespace

TEST_CASE("the program in the README is examples/hello.cpp") {
  const std::string project = CONCLAVE_VECTORS "/../";
  const std::string readme = text_of(project + "README.md"), example = text_of(project + "examples/hello.cpp");
  const std::string program = example.substr(example.find('\n') + 1);  // without the licence line
  REQUIRE(program.size() > 500);
  CHECK(readme.find("```cpp\n" + program + "```") != std::string::npos);
}
