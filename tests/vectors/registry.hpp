// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What kinds of vector file there are. Each family looks at a file and lists its cases, or leaves it to the others.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace conclave_vectors {

/// vector_case: one thing that passes or fails. `run` throws where it fails; the file outlives it.
struct vector_case {
  std::string label;
  std::function<void()> run;
  std::optional<std::uint16_t> suite{};  ///< the MLS cipher suite it needs
  std::optional<std::uint16_t> sframe_suite{};
  bool needs_psk = false;
  std::string not_offered{};  ///< why the library does not claim to pass it; empty where it does
};
using case_list = std::vector<vector_case>;

/// A family: the cases of a file that is called <stem>.json, nothing where the file is of no kind it knows. Throws for
/// a file that is of its kind by name but not by content.
using family = std::optional<case_list> (*)(const std::string& stem, const nlohmann::json& file);

std::optional<case_list> mls_cases(const std::string& stem, const nlohmann::json& file);
std::optional<case_list> sframe_cases(const std::string& stem, const nlohmann::json& file);
std::optional<case_list> standards_cases(const std::string& stem, const nlohmann::json& file);
std::optional<case_list> otp_cases(const std::string& stem, const nlohmann::json& file);
std::optional<case_list> wycheproof_cases(const std::string& stem, const nlohmann::json& file);

inline constexpr family families[] = {mls_cases, sframe_cases, standards_cases, otp_cases, wycheproof_cases};

}  // namespace conclave_vectors
