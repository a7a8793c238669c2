// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Recordings where a library is missing, or fails.
#include "support.hpp"

#include <support/lacking_provider.hpp>

namespace conclave_test {
namespace unserved_recording {

using key_here = rec::file_key<lacking_provider>;

/// failing_provider: its chunks are sealed until they are not.
struct failing_provider : default_provider {
  static inline bool fails = false;
  class extended_nonce_key {
   public:
    [[nodiscard]] static result<extended_nonce_key> make(byte_view raw) {
      CONCLAVE_TRY(auto key, default_provider::extended_nonce_key::make(raw));
      return extended_nonce_key(std::move(key));
    }
    [[nodiscard]] status seal(byte_view nonce, byte_view aad, byte_view in, byte_span out, byte_span tag) {
      if (fails) return errc::misuse;
      return key_.seal(nonce, aad, in, out, tag);
    }
    [[nodiscard]] status open(byte_view nonce, byte_view aad, byte_view in, byte_view tag, byte_span out) {
      return key_.open(nonce, aad, in, tag, out);
    }

   private:
    explicit extended_nonce_key(default_provider::extended_nonce_key key) : key_{std::move(key)} {}
    default_provider::extended_nonce_key key_;
  };
};

}  // namespace unserved_recording

using namespace unserved_recording;

TEST_CASE("M21: without its libraries no key of a recording is made, taken up or opened") {
  deterministic_environment env(1);
  const auto key = key_here::generate(env);
  REQUIRE(key);
  const auto sealed = key->wrap(env, pub(1));
  REQUIRE(sealed);
  const bytes private_key(32, 1);
  const auto failures = [&] {
    return std::array{rec::generate_person<lacking_provider>(env).has_value(),
                      rec::import_person<lacking_provider>(private_key).has_value(),
                      key_here::generate(env).has_value(), key_here::unwrap(person(1), key->id(), *sealed).has_value()};
  };
  CHECK(failures() == std::array{true, true, true, true});
  {
    const without_libraries now;
    CHECK(failures() == std::array{false, false, false, false});
  }
  const without now(aead_id::chacha20_poly1305);
  CHECK(key_here::generate(env).error() == errc::unsupported);
  // nobody is told that a recording is for somebody else
  CHECK(key_here::unwrap(person(1), key->id(), *sealed).error() == errc::unsupported);
}

TEST_CASE("M12: what could not be sealed is not written") {
  deterministic_environment env(1);
  memory_sink to;
  auto tape = rec::basic_recorder<failing_provider>::create(env, to, std::array{byte_view{pub(1)}});
  REQUIRE(tape);
  REQUIRE(tape->add(nth(0).view()));
  const bytes before = to.content;
  failing_provider::fails = true;
  const status done = tape->flush();
  failing_provider::fails = false;
  CHECK(done.error() == errc::misuse);
  CHECK(to.content == before);
}

}  // namespace conclave_test
