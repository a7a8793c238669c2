// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Which rules of the catalogue no test breaks: so that nobody believes they are covered.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>

namespace {

const std::filesystem::path root = std::filesystem::path(CONCLAVE_VECTORS) / "..";

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::set<std::string> matches(const std::string& text, const std::string& pattern) {
  const std::regex wanted(pattern);
  std::set<std::string> out;
  for (std::sregex_iterator i(text.begin(), text.end(), wanted), end; i != end; ++i) out.insert((*i)[1]);
  return out;
}

/// Those without a test, each with the reason.
const std::map<std::string, std::string> untested{
    {"update_sender", "an Update of anybody but a member breaks sender_allows_content or update_by_committer first"},
};

}  // namespace

TEST_CASE("every rule of the catalogue is broken by a test, or stands in the list of those that are not") {
  const auto rules = matches(content_of(root / "include/conclave/mls/rules.hpp"), R"(inline constexpr rule (\w+)\{)");
  CHECK(rules.size() > 80);
  std::set<std::string> tested;
  for (const auto& file : std::filesystem::directory_iterator(root / "tests/mls"))
    if (file.path().extension() == ".cpp") tested.merge(matches(content_of(file.path()), R"(\brules::(\w+))"));

  for (const auto& [name, reason] : untested) {
    std::cout << "no test breaks " << name << ": " << reason << "\n";
    INFO(name);
    CHECK(rules.contains(name));
    CHECK_FALSE(tested.contains(name));
  }
  for (const std::string& name : rules) {
    INFO(name);
    CHECK((tested.contains(name) || untested.contains(name)));
  }
}
