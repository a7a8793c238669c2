// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// conclave_vectors DIR [--suites LIST] [--sframe-suites LIST] [--without-psk] [--every-kernel]: runs every vector file
/// below a folder, or with --every-kernel, once for each kernel that the CPU can run and once without any.
/// A case that needs a suite which is not served here fails, unless a list of suites is given and leaves it out.
#include "registry.hpp"

#include "support/kernels.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>

namespace {

using namespace conclave_vectors;
namespace simd = conclave::simd;
namespace fs = std::filesystem;

struct options {
  fs::path folder;
  std::set<std::uint16_t> suites, sframe_suites;  // empty: all
  bool without_psk = false, every_kernel = false;
};

struct tally {
  std::size_t passed = 0, failed = 0;
  std::map<std::string, std::size_t> excluded;  // by reason
};

/// read_list(text, into): numbers with commas between them.
bool read_list(const std::string& text, std::set<std::uint16_t>& into) {
  std::istringstream list(text);
  for (std::string item; std::getline(list, item, ',');) {
    unsigned number = 0;
    char rest = 0;
    if (std::sscanf(item.c_str(), "%u%c", &number, &rest) != 1 || number > 0xffff) return false;
    into.insert(static_cast<std::uint16_t>(number));
  }
  return !into.empty();
}

std::optional<options> parse(int count, char** arguments) {
  options out;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    if (argument == "--without-psk") {
      out.without_psk = true;
    } else if (argument == "--every-kernel") {
      out.every_kernel = true;
    } else if ((argument == "--suites" || argument == "--sframe-suites") && i + 1 < count) {
      if (!read_list(arguments[++i], argument == "--suites" ? out.suites : out.sframe_suites)) return std::nullopt;
    } else if (out.folder.empty() && !argument.starts_with("-")) {
      out.folder = argument;
    } else {
      return std::nullopt;
    }
  }
  if (out.folder.empty()) return std::nullopt;
  return out;
}

std::string reason_to_exclude(const vector_case& c, const options& chosen) {
  if (!c.not_offered.empty()) return c.not_offered;
  const auto excludes = [](const std::set<std::uint16_t>& list, std::optional<std::uint16_t> suite) {
    return suite && !list.empty() && !list.contains(*suite);
  };
  if (excludes(chosen.suites, c.suite) || excludes(chosen.sframe_suites, c.sframe_suite)) return "another suite";
  if (c.needs_psk && chosen.without_psk) return "needs a pre-shared key";
  return {};
}

case_list cases_of(const fs::path& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot be read");
  if (in.peek() == std::ifstream::traits_type::eof()) throw std::runtime_error("the file is empty");
  // the cases refer to it until the program ends
  static std::vector<std::unique_ptr<nlohmann::json>> files;
  files.push_back(std::make_unique<nlohmann::json>(nlohmann::json::parse(in)));
  for (const family look : families) {
    auto cases = look(path.stem().string(), *files.back());
    if (!cases) continue;
    if (cases->empty()) throw std::runtime_error("the file holds no cases");
    return *std::move(cases);
  }
  throw std::runtime_error("no known kind of vector file");
}

void run_file(const fs::path& path, const std::string& name, const options& chosen, tally& total) {
  tally here;
  std::string problems;
  const auto fail = [&](const std::string& label, const char* why) {
    ++here.failed;
    problems += "    " + (label.empty() ? "" : label + ": ") + why + "\n";
  };
  try {
    for (const vector_case& c : cases_of(path)) {
      if (const std::string reason = reason_to_exclude(c, chosen); !reason.empty()) {
        ++here.excluded[reason];
        continue;
      }
      try {
        c.run();
        ++here.passed;
      } catch (const std::exception& e) {
        fail(c.label, e.what());
      }
    }
  } catch (const std::exception& e) {
    fail("", e.what());
  }
  std::printf("%-48s %5zu passed, %zu failed", name.c_str(), here.passed, here.failed);
  for (const auto& [reason, count] : here.excluded) std::printf(", %zu excluded (%s)", count, reason.c_str());
  std::printf("\n%s", problems.c_str());
  std::fflush(stdout);
  total.passed += here.passed;
  total.failed += here.failed;
  for (const auto& [reason, count] : here.excluded) total.excluded[reason] += count;
}

}  // namespace

int main(int count, char** arguments) {
  const auto chosen = parse(count, arguments);
  if (!chosen) {
    std::fprintf(stderr,
                 "usage: conclave_vectors DIR [--suites 1,3] [--sframe-suites 4,5] [--without-psk] [--every-kernel]\n");
    return 2;
  }
  std::error_code unreadable;
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(chosen->folder, unreadable))
    if (entry.path().extension() == ".json") paths.push_back(entry.path());
  if (unreadable) std::fprintf(stderr, "%s: %s\n", chosen->folder.c_str(), unreadable.message().c_str());
  std::ranges::sort(paths);

  tally total;
  std::vector<std::string_view> kernels{"best"};
  if (chosen->every_kernel) {
    kernels = simd::available();
    kernels.emplace_back("none");
  }
  for (const std::string_view kernel : kernels) {
    const conclave_test::forced_kernel here(kernel);
    if (chosen->every_kernel) std::printf("kernel %.*s\n", static_cast<int>(kernel.size()), kernel.data());
    for (const fs::path& path : paths) run_file(path, path.lexically_relative(chosen->folder).string(), *chosen, total);
  }
  if (unreadable || total.passed + total.failed == 0) {
    std::printf("no vector was run\n");
    ++total.failed;
  }
  for (const auto& [reason, n] : total.excluded) std::printf("%zu excluded: %s\n", n, reason.c_str());
  std::printf("%zu passed, %zu failed\n", total.passed, total.failed);
  return total.failed == 0 ? 0 : 1;
}
