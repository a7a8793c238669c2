// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What belongs to no run, and what is no code or fingerprint.
#include "support.hpp"

#include <conclave/sas/fingerprint.hpp>

namespace sas_test {

TEST_CASE("where no run is on, a message belongs to none, whatever it says") {
  sas::verification idle(26);
  idle.enter_epoch(make_epoch(1), begin);
  const bytes nobodys = encoded(message_type::commit, {}, [](message& m) {
    static const bytes zeros(32);
    m.commitment = zeros;
  });
  const auto got = idle.receive(2, 7, nobodys, begin);
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == errc::unknown_key);
  CHECK(got.error().broken_rule() == &sas::rules::known_run);
}

TEST_CASE("a code has a form that exists and a value of that form") {
  const sas::run_id run{};
  const auto codes = sas::parameters(form::emoji_5)->codes;
  CHECK(sas::short_code::make(form::emoji_5, codes - 1, 7, run));
  CHECK(sas::short_code::make(form::emoji_5, codes, 7, run).error() == errc::misuse);
  CHECK(sas::short_code::make(form{99}, 0, 7, run).error() == errc::misuse);
}

TEST_CASE("a fingerprint that there is no memory for is none") {
  struct small_machine {
    static status memory_hard_hash(unsigned, std::size_t, byte_view, byte_view, byte_span) { return errc::unsupported; }
  };
  const bytes key(32, 1);
  const sas::long_lived_identity ada{as_bytes("ada"), signature_scheme::ed25519, key},
      bela{as_bytes("bela"), signature_scheme::ed25519, key};
  CHECK(sas::fingerprint::make<small_machine>(ada, bela).error() == errc::unsupported);
}

TEST_CASE("a fingerprint compares two people who have a name and a key") {
  const bytes key(32, 1), other_key(32, 2);
  const auto made = [&](byte_view name, byte_view of) {
    const auto got = sas::fingerprint::make({as_bytes("alice"), signature_scheme::ed25519, key},
                                            {name, signature_scheme::ed25519, of});
    return got ? errc{} : got.error().code();
  };
  CHECK(made({}, other_key) == errc::misuse);
  CHECK(made(as_bytes("bob"), {}) == errc::misuse);
}

}  // namespace sas_test
