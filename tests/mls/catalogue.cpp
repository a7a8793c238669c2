// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The catalogue in catalogue.txt is complete: it names tests that exist, and every rule of the library is broken by
/// one.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

namespace {

const std::filesystem::path project_root = std::filesystem::path(CONCLAVE_VECTORS) / "..";

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

/// The catalogue from its `section` on.
std::string catalogue(const std::string& section = "## Rules\n") {
  const std::string all = content_of(project_root / "tests/mls/catalogue.txt");
  const auto at = all.find(section);
  REQUIRE(at != std::string::npos);
  return all.substr(at);
}

}  // namespace

TEST_CASE("the catalogue holds all rules and bugs, and its tests exist") {
  const auto entries = matches(catalogue(), R"(\n(B?\d+)  )");
  for (int i = 1; i <= 33; ++i) CHECK(entries.contains(std::to_string(i)));
  for (int i = 1; i <= 39; ++i) CHECK(entries.contains("B" + std::to_string(i)));
  CHECK(entries.size() == 33 + 39);

  std::set<std::string> existing;
  for (const auto& test : Catch::getAllTestCasesSorted(*Catch::getCurrentContext().getConfig()))
    existing.insert(test.name);
  const auto named = matches(catalogue(), R"(\n   mls: ([^\n]+))");
  CHECK(named.size() > 90);
  for (const std::string& name : named) {
    INFO(name);
    CHECK(existing.contains(name));
  }
  for (const std::string& header : matches(catalogue(), R"([|,] (\w+(?:/\w+)?\.hpp)(?=[,\n]))")) {
    INFO(header);
    CHECK(std::filesystem::exists(project_root / "include/conclave" / header));
  }
}

TEST_CASE("every rule of the library is broken by a test, or stands in the catalogue among those that are not") {
  const auto rules =
      matches(content_of(project_root / "include/conclave/mls/rules.hpp"), R"(inline constexpr rule (\w+)\{)");
  CHECK(rules.size() > 80);
  std::set<std::string> tested;
  for (const auto& file : std::filesystem::directory_iterator(project_root / "tests/mls"))
    if (file.path().extension() == ".cpp") tested.merge(matches(content_of(file.path()), R"(\brules::(\w+))"));
  const auto untested = matches(catalogue("## Rules of mls/rules.hpp"), R"(\n(\w+)\n)");
  CHECK_FALSE(untested.empty());
  for (const std::string& name : untested) {
    INFO(name);
    CHECK(rules.contains(name));
    CHECK_FALSE(tested.contains(name));
  }
  for (const std::string& name : rules) {
    INFO(name);
    CHECK((tested.contains(name) || untested.contains(name)));
  }
}

TEST_CASE("bug: a tag is compared in variable time") {
  // a server without secrets compares tags that everybody has seen
  const std::set<std::string> public_ones{"observer.hpp"};
  const std::regex careless(R"(([^_]equal\([^;]*_tag)|(_tag(\.view\(\))?\s*[!=]=)|([!=]=\s*[\w.>-]*_tag\b))");
  std::size_t careful = 0;
  for (const auto& file : std::filesystem::directory_iterator(project_root / "include/conclave/mls")) {
    if (public_ones.contains(file.path().filename().string())) continue;
    INFO(file.path().filename().string());
    const std::string text = content_of(file.path());
    CHECK_FALSE(std::regex_search(text, careless));
    careful += matches(text, R"((ct_equal\([^;]*_tag))").size();
  }
  CHECK(careful >= 3);
}
