// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// otpauth URIs and Base32 from anybody. What is read has one meaning: made again, it is read as the same, and the
/// second time it is made byte for byte; nothing of it is out of bounds. Base32 that is read is made again as it was.
#include <conclave/otp/uri.hpp>

#include "support/oracle.hpp"

#include <string>

namespace {

using namespace conclave;
using conclave_fuzz::require;

void base32(byte_view input) {
  const std::size_t size = otp::base32_bytes(input.size());
  std::string storage(size + 1, '\x5a');  // one more, which nobody may touch
  const byte_span out{reinterpret_cast<std::uint8_t*>(storage.data()), size};
  const bool good = otp::base32_decode(input, out).has_value();
  require(storage.back() == '\x5a', "base32_decode writes behind its output");
  if (!good) return require(detail::ct_is_zero(out), "base32_decode leaves something behind a failure");
  bytes again(otp::base32_size(size));
  require(otp::base32_encode(out, again).has_value() && equal(again, input), "Base32 has a second form");
}

void uri(std::string_view input) {
  const auto first = otp::read_uri(input);
  if (!first) {
    const errc code = first.error().code();
    require(code == errc::malformed || code == errc::refused || code == errc::over_limit, "another error");
    return require(first.error().broken_rule() != nullptr, "an error without its rule");
  }
  require(input.size() <= limits::otp_uri_bytes && input.starts_with("otpauth://totp/"), "something else was read");
  require(first->secret.size() >= limits::otp_secret_least, "a short secret was read");
  require(first->parameters.check().has_value(), "parameters that are not served were read");
  const auto made = otp::make_uri(first->label, first->secret, first->parameters);
  require(made.has_value(), "what was read cannot be made");
  for (const std::uint8_t c : *made) require(c > 0x20 && c < 0x7f, "a URI is not visible ASCII");
  const auto second = otp::read_uri(as_text(*made));
  require(second.has_value(), "what was made cannot be read");
  require(second->label == first->label && second->parameters == first->parameters &&
              equal(second->secret.reveal(), first->secret.reveal()),
          "what was made says something else");
  const auto again = otp::make_uri(second->label, second->secret, second->parameters);
  require(again.has_value() && equal(*again, *made), "there are two forms of the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const byte_view input{data, size};
  base32(input.first(std::min<std::size_t>(size, 200)));
  uri(as_text(input));
  return 0;
}
