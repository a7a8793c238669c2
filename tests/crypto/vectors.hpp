// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Reads test vectors, and runs a test over every provider that is built in.
#pragma once

#include <conclave/crypto/provider.hpp>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <fstream>
#include <numeric>
#include <string>

namespace conclave_test {

using namespace conclave;
using nlohmann::json;

[[nodiscard]] inline bytes unhex(const std::string& text) {
  const auto digit = [](char c) {
    const auto at = std::string_view{"0123456789abcdef"}.find(c);
    if (at == std::string_view::npos) throw std::runtime_error("not a hex digit");
    return at;
  };
  if (text.size() % 2 != 0) throw std::runtime_error("an odd number of hex digits");
  bytes out;
  for (std::size_t i = 0; i < text.size(); i += 2)
    out.push_back(static_cast<std::uint8_t>(16 * digit(text[i]) + digit(text[i + 1])));
  return out;
}

/// hex(object, name): the bytes behind a name that has to be there.
[[nodiscard]] inline bytes hex(const json& object, const char* name) {
  return unhex(object.at(name).get<std::string>());
}

/// load(path): a JSON file; one that is missing or empty fails the test.
[[nodiscard]] inline json load(const std::string& path) {
  INFO(path);
  std::ifstream file(path);
  REQUIRE(file);
  json out = json::parse(file);
  REQUIRE_FALSE(out.empty());
  return out;
}
[[nodiscard]] inline json own_cases(const std::string& name) {
  return load(CONCLAVE_VECTORS "/crypto/" + name).at("cases");
}

/// for_each_provider(work): calls work.operator()<P>() for each library on its own and for their composition. Returns
/// the number of calls that returned true: how many providers served what was tested.
template <class F>
int for_each_provider(F&& work) {
  int served = 0;
  const auto run = [&]<class P>(const char* name) {
    INFO("provider " << name);
    REQUIRE(P::ready());
    if (work.template operator()<P>()) ++served;
  };
  run.template operator()<default_provider>("default_provider");
  run.template operator()<sodium>("sodium");
#if CONCLAVE_WITH_BOTAN
  run.template operator()<botan>("botan");
#endif
#if CONCLAVE_WITH_OPENSSL
  run.template operator()<openssl>("openssl");
#endif
  return served;
}

/// scripted_environment: hands out given bytes as random ones, and has no entropy afterwards.
class scripted_environment final : public environment {
 public:
  explicit scripted_environment(bytes script) : script_{std::move(script)} {}
  [[nodiscard]] status random(byte_span out) noexcept override {
    if (out.size() > script_.size() - at_) {
      std::ranges::fill(out, std::uint8_t{0});
      return errc::no_entropy;
    }
    std::copy_n(script_.begin() + static_cast<std::ptrdiff_t>(at_), out.size(), out.begin());
    at_ += out.size();
    return {};
  }
  [[nodiscard]] unix_time wall() noexcept override { return {}; }
  [[nodiscard]] steady_time steady() noexcept override { return {}; }
  [[nodiscard]] std::size_t drawn() const noexcept { return at_; }

 private:
  bytes script_;
  std::size_t at_ = 0;
};

[[nodiscard]] inline bool all_zero(byte_view view) {
  return std::ranges::all_of(view, [](std::uint8_t b) { return b == 0; });
}

}  // namespace conclave_test
