// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// One-time passwords: the figures of RFC 4226 and RFC 6238.
#include "check.hpp"
#include "registry.hpp"

#include <conclave/otp/totp.hpp>
#if CONCLAVE_WITH_BOTAN
#include <conclave/otp/botan_hotp.hpp>
#endif

namespace conclave_vectors {
namespace {

#if CONCLAVE_WITH_BOTAN
otp::algorithm algorithm_of(const json& c) {
  const auto name = c.at("algorithm").get<std::string>();
  if (name == "sha1") return otp::algorithm::sha1;
  if (name == "sha256") return otp::algorithm::sha256;
  expect(name == "sha512", "an unknown algorithm");
  return otp::algorithm::sha512;
}

void one_code(const json& file, const json& c) {
  otp::parameters p{algorithm_of(c), file.at("digits").get<std::uint8_t>()};
  std::uint64_t step = 0;
  if (c.contains("counter"))
    step = c.at("counter").get<std::uint64_t>();
  else
    step = succeeds(otp::time_step(unix_time{std::chrono::seconds{c.at("time").get<std::int64_t>()}}, p), "time_step");
  const auto code = succeeds(otp::read_code(c.at("code").get<std::string>(), p.digits), "read_code");
  const auto made = succeeds(otp::botan_hotp::hotp(p.algorithm, hex(c, "secret"), p.digits, step), "hotp");
  expect_equal(made, code, "the code");
}
#endif

}  // namespace

std::optional<case_list> otp_cases(const std::string& stem, const nlohmann::json& file) {
  if (stem != "rfc4226-hotp" && stem != "rfc6238-totp") return std::nullopt;
  case_list out;
  for (const json& c : file.at("cases")) {
#if CONCLAVE_WITH_BOTAN
    out.push_back({"case " + std::to_string(out.size()), [&file, &c] { one_code(file, c); }});
#else
    out.push_back({c.at("code").get<std::string>(), {}});
    out.back().not_offered = "needs Botan";
#endif
  }
  return out;
}

}  // namespace conclave_vectors
