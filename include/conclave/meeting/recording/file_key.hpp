// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The key of one recording: drawn at random, never taken from a meeting, and made out to persons by HPKE.
#pragma once

#include <conclave/crypto/hpke.hpp>
#include <conclave/detail/ct.hpp>
#include <conclave/meeting/recording/format.hpp>

namespace conclave::inline CONCLAVE_ABI::recording {

/// recording_provider: what a recording needs of cryptography.
template <class P>
concept recording_provider = crypto_provider<P> && extended_nonce_key_type<typename P::extended_nonce_key>;

/// suite: how the key is wrapped. A person's key pair is one of hpke::generate_key_pair for its kem: 32 bytes each.
inline constexpr hpke::suite suite{kem_id::dhkem_x25519_sha256, kdf_id::hkdf_sha256, aead_id::chacha20_poly1305};

/// slip: the file key, sealed to one person.
using slip = std::array<std::uint8_t, slip_size>;

/// generate_person<P>(env): a key pair to which recordings can be made out. Errors: no_entropy, unsupported.
template <recording_provider P>
[[nodiscard]] result<hpke::key_pair> generate_person(environment& env) {
  CONCLAVE_CHECK(P::ready());
  return hpke::generate_key_pair<P>(env, suite.kem);
}

/// import_person<P>(private_key): the pair of one that was kept. Errors: malformed (not 32 bytes), unsupported.
template <recording_provider P>
[[nodiscard]] result<hpke::key_pair> import_person(byte_view private_key) {
  CONCLAVE_CHECK(P::ready());
  return hpke::import_key_pair<P>(suite.kem, private_key);
}

/// file_key: opens one recording. Whoever holds it can read the recording, rewrite it and pass it on. Move-only, wiped.
template <recording_provider P>
class file_key {
 public:
  /// generate(env): of a new recording. Errors: no_entropy, unsupported.
  [[nodiscard]] static result<file_key> generate(environment& env) {
    CONCLAVE_CHECK(P::ready());
    if (!hpke::supports<P>(suite)) return errc::unsupported;
    file_secret drawn(secret_size);
    CONCLAVE_CHECK(env.random(drawn.writable()));
    return file_key(std::move(drawn));
  }

  /// unwrap(who, id, sealed): the key in a slip. Errors: unknown_key where it is made out to somebody else or for
  /// another recording; unauthentic where the key in it is not the one that `id` commits to; unsupported.
  [[nodiscard]] static result<file_key> unwrap(const hpke::key_pair& who, const file_id& id, byte_view sealed) {
    CONCLAVE_CHECK(P::ready());
    file_secret got(secret_size);
    const auto opened =
        hpke::open<P>(suite, who, sealed.first(enc_size), info(id), {}, sealed.subspan(enc_size), got.writable());
    if (!opened && opened.error() == errc::unsupported) return errc::unsupported;
    if (!opened) return failure{errc::unknown_key, rules::no_slip};
    file_key out(std::move(got));
    if (!conclave::detail::ct_equal(out.id_, id)) return failure{errc::unauthentic, rules::file_key};
    return out;
  }

  /// wrap(env, recipient): a slip for the holder of a public key. Errors: malformed (the key is not valid), no_entropy.
  [[nodiscard]] result<slip> wrap(environment& env, byte_view recipient) const {
    slip out{};
    const byte_span whole{out};
    CONCLAVE_CHECK(hpke::seal<P>(env, suite, info(id_), {},
                                 {recipient, secret_.reveal(), whole.first(enc_size), whole.subspan(enc_size)}));
    return out;
  }

  [[nodiscard]] const file_id& id() const noexcept { return id_; }

  /// cipher(): the key of the chunks. Errors: none that a caller can cause.
  [[nodiscard]] result<typename P::extended_nonce_key> cipher() const {
    secret<struct chunk_key_tag> key(secret_size);
    derive("conclave recording 1 chunks", key.writable());
    return P::extended_nonce_key::make(key.reveal());
  }
  /// mac(header): over a header up to its MAC.
  [[nodiscard]] header_mac mac(byte_view header) const {
    secret<struct header_key_tag> key(secret_size);
    derive("conclave recording 1 header", key.writable());
    header_mac out;
    P::hmac(hash_id::sha256, key.reveal(), byte_parts{&header, 1}, out);
    return out;
  }

 private:
  static constexpr std::size_t secret_size = 32, enc_size = 32;
  using file_secret = secret<struct file_secret_tag>;

  explicit file_key(file_secret drawn) : secret_{std::move(drawn)} { derive("conclave recording 1 id", id_); }

  // The secret is as random as a key of HKDF has to be, so that Extract is left out (RFC 5869 3.3).
  void derive(std::string_view label, byte_span out) const {
    const byte_view part = as_bytes(label);
    hkdf_expand<P>(hash_id::sha256, secret_.reveal(), byte_parts{&part, 1}, out);
  }
  [[nodiscard]] static bytes info(const file_id& id) {
    bytes out = to_bytes(as_bytes("conclave recording 1 slip"));
    append(out, id);
    return out;
  }

  file_secret secret_;
  file_id id_{};
};

// ---- a slip that is given later, as a file of its own ---------------------------------------------------------------

inline constexpr std::size_t key_slip_size = slip_magic.size() + 2 + 32 + slip_size;

/// make_key_slip(env, key, recipient): what a further person needs, beside a private key, to open the recording that is
/// there already. Errors: malformed (the key is not valid), no_entropy.
template <recording_provider P>
[[nodiscard]] result<bytes> make_key_slip(environment& env, const file_key<P>& key, byte_view recipient) {
  CONCLAVE_TRY(const slip sealed, key.wrap(env, recipient));
  bytes out;
  out.reserve(key_slip_size);
  conclave::writer w{out};
  w.raw(as_bytes(slip_magic));
  w.number(version);
  w.raw(key.id());
  w.raw(sealed);
  return out;
}

/// key_slip: what such a file says.
struct key_slip {
  file_id id{};
  slip sealed{};
};

/// read_key_slip(raw): all of it. Errors: malformed, unsupported for another version.
[[nodiscard]] inline result<key_slip> read_key_slip(byte_view raw) {
  conclave::reader in{raw};
  const auto text = in.take(slip_magic.size());
  if (!text || as_text(*text) != slip_magic) return failure{errc::malformed, rules::magic};
  CONCLAVE_TRY(const auto number, in.number<std::uint16_t>());
  if (number != version) return failure{errc::unsupported, rules::version};
  key_slip out;
  CONCLAVE_TRY(out.id, wire::read<file_id>(in));
  CONCLAVE_TRY(out.sealed, wire::read<slip>(in));
  CONCLAVE_CHECK(in.finish());
  return out;
}

}  // namespace conclave::recording
