// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What a library lacks or refuses is passed on.
#include "support.hpp"

namespace mls_test {

namespace {

/// lacking: the default provider, with one fault at a time.
struct lacking : default_provider {
  enum class fault { none, ready, kem, aead, chacha, wide_aead, signature, hash, derive, seal };
  static inline fault now = fault::none;
  static inline int seals_left = 0;  // with fault::seal: so many succeed

  static status ready() noexcept { return now == fault::ready ? errc::unsupported : default_provider::ready(); }
  static bool supports(kem_id id) noexcept { return now != fault::kem && default_provider::supports(id); }
  static bool supports(signature_scheme id) noexcept {
    return now != fault::signature && default_provider::supports(id);
  }
  static bool supports(hash_id id) noexcept { return now != fault::hash && default_provider::supports(id); }
  static bool supports(ctr_id id) noexcept { return default_provider::supports(id); }
  static bool supports(aead_id id) noexcept {
    const bool missing = now == fault::aead || (now == fault::chacha && id == aead_id::chacha20_poly1305) ||
                         (now == fault::wide_aead && id != aead_id::aes_128_gcm);
    return !missing && default_provider::supports(id);
  }
  static status derive_many(kem_id kem, std::span<const byte_view> seeds, std::span<hpke::key_pair> out) {
    if (now == fault::derive) return errc::unsupported;
    return hpke::derive_many<default_provider>(kem, seeds, out);
  }

  struct aead_key : default_provider::aead_key {
    [[nodiscard]] static result<aead_key> make(aead_id id, byte_view raw) {
      CONCLAVE_TRY(auto key, default_provider::aead_key::make(id, raw));
      return aead_key{std::move(key)};
    }
    using default_provider::aead_key::seal;
    [[nodiscard]] status seal(byte_view nonce, byte_view aad, byte_view plaintext, byte_span out) {
      if (now == fault::seal && seals_left-- == 0) return errc::misuse;
      return default_provider::aead_key::seal(nonce, aad, plaintext, out);
    }
  };
};
static_assert(crypto_provider<lacking>);

/// with_fault: while it lives.
struct with_fault {
  explicit with_fault(lacking::fault what, int seals = 0) {
    lacking::now = what;
    lacking::seals_left = seals;
  }
  with_fault(const with_fault&) = delete;
  with_fault& operator=(const with_fault&) = delete;
  ~with_fault() { lacking::now = lacking::fault::none; }
};
using fault = lacking::fault;

basic_suite<lacking> a_suite() { return must(basic_suite<lacking>::make(suite_1)); }

}  // namespace

TEST_CASE("a suite is served where all its parts are") {
  CHECK(basic_suite<lacking>::make(suite_1));
  check_fails(basic_suite<lacking>::make(cipher_suite{8}), errc::unsupported, rules::supported_suite);
  for (const fault missing : {fault::kem, fault::aead, fault::signature, fault::hash}) {
    const with_fault scope(missing);
    check_fails(basic_suite<lacking>::make(suite_1), errc::unsupported, rules::supported_suite);
  }
  const with_fault scope(fault::ready);
  check_fails(basic_suite<lacking>::make(suite_1), errc::unsupported);
}

TEST_CASE("a message that a library does not encrypt does not go out") {
  deterministic_environment env(1);
  const auto s = a_suite();
  const sender_data_secret secret(s.nh());
  framed_content content;
  content.body.type = content_type::application;
  const auto protect = [&] {
    message_key key{conclave::secret<struct message_key_tag>(s.nk()), {}, 0};
    return protect_private(env, s, secret, content, {}, std::move(key), 0);
  };
  CHECK(protect());
  for (const int seals : {0, 1}) {  // the content, the sender data
    const with_fault scope(fault::seal, seals);
    check_fails(protect(), errc::misuse);
  }
  const joiner_secret joiner(s.nh());
  const psk_secret psk(s.nh());
  const auto invite = [&] { return make_welcome(env, s, bytes(100), joiner, psk, {}, {}); };
  CHECK(invite());
  const with_fault scope(fault::seal);
  check_fails(invite(), errc::misuse);
}

TEST_CASE("a path whose keys a library does not derive") {
  const auto s = a_suite();
  const auto derive = [&] { return derive_path(s, path_secret(s.nh()), 3); };
  CHECK(derive());
  const with_fault scope(fault::derive);
  check_fails(derive(), errc::unsupported);
}

TEST_CASE("a snapshot where a library lacks its AEAD, or does not encrypt it") {
  deterministic_environment env(1);
  const auto s = a_suite();
  const auto key = must(snapshot_key::copy_of(bytes(32, 1)));
  const auto seal = [&] { return seal_snapshot(env, s, key, 1, bytes(10)); };
  const bytes sealed = must(seal());
  CHECK(open_snapshot<lacking>(key, 0, sealed));
  {
    const with_fault scope(fault::seal);
    check_fails(seal(), errc::misuse);
  }
  {
    const with_fault scope(fault::wide_aead);
    check_fails(detail_snapshot::snapshot_aead<lacking>(), errc::unsupported);
    check_fails(seal(), errc::unsupported);
  }
  const with_fault scope(fault::chacha);
  check_fails(open_snapshot<lacking>(key, 0, sealed), errc::unsupported, rules::snapshot_version);
}

}  // namespace mls_test
