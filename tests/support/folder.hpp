// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// folder: an empty folder of its own for a test, gone at the end of it.
#pragma once

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace conclave_test {

class folder {
 public:
  folder() : path_{(std::filesystem::temp_directory_path() / "conclave-XXXXXX").string()} {
    REQUIRE(::mkdtemp(path_.data()) != nullptr);
  }
  ~folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;

  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + '/' + name; }

  /// names(): what is in it, sorted.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator{path_})
      out.push_back(entry.path().filename().string());
    std::ranges::sort(out);
    return out;
  }

 private:
  std::string path_;
};

}  // namespace conclave_test
