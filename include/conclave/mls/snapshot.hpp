// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The state of a group as bytes, sealed under a key of the host's.
///
/// Format, version 3. In the clear: "conclave" (8 bytes), the version (uint16), the cipher suite (uint16), a sequence
/// number (uint64), the AEAD (uint16, its HPKE number) and 32 random bytes. Then the state, in the presentation
/// language of RFC 9420, sealed with that AEAD; everything in the clear is authenticated with it. Key and nonce are
/// HKDF-Expand(HKDF-Extract(random bytes, host's key), "conclave snapshot key" and "conclave snapshot nonce") with the
/// suite's hash.
#pragma once

#include <conclave/mls/suite.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

namespace rules {
inline constexpr rule snapshot_format{"this is no snapshot of a group", "snapshot format 3"};
inline constexpr rule snapshot_version{"the snapshot has a version or suite that is not served here",
                                       "snapshot format 3"};
inline constexpr rule snapshot_opens{"the snapshot is damaged, or sealed under another key", "snapshot format 3"};
inline constexpr rule snapshot_is_newest{"the snapshot is older than the newest one", "snapshot format 3"};
}  // namespace rules

/// snapshot_key: 32 bytes that only the host has.
using snapshot_key = secret<struct snapshot_key_tag>;

/// snapshot_header: what stands in the clear.
struct snapshot_header {
  static constexpr std::array<std::uint8_t, 8> expected_magic{'c', 'o', 'n', 'c', 'l', 'a', 'v', 'e'};
  static constexpr std::uint16_t current_version = 3;
  static constexpr std::size_t size = 8 + 2 + 2 + 8 + 2 + 32;

  std::array<std::uint8_t, 8> magic = expected_magic;
  std::uint16_t version = current_version;
  cipher_suite suite{};
  std::uint64_t sequence = 0;
  aead_id aead{};
  std::array<std::uint8_t, 32> salt{};

  static constexpr auto fields(auto& self) {
    return std::tie(self.magic, self.version, self.suite, self.sequence, self.aead, self.salt);
  }
};

namespace detail_snapshot {

/// The AEAD of a snapshot: whichever 256-bit one the provider serves.
template <crypto_provider P>
[[nodiscard]] result<aead_id> snapshot_aead() {
  if (P::supports(aead_id::chacha20_poly1305)) return aead_id::chacha20_poly1305;
  if (P::supports(aead_id::aes_256_gcm)) return aead_id::aes_256_gcm;
  return errc::unsupported;
}

struct sealing {
  secret<struct snapshot_aead_key_tag> key{32};
  std::array<std::uint8_t, aead_nonce_size> nonce{};
};

template <crypto_provider P>
[[nodiscard]] sealing derive(const basic_suite<P>& s, const snapshot_key& key, byte_view salt) {
  const auto extracted = s.template extract<struct snapshot_prk_tag>(salt, key.reveal());
  sealing out;
  const std::array key_info{as_bytes("conclave snapshot key")}, nonce_info{as_bytes("conclave snapshot nonce")};
  hkdf_expand<P>(s.hash_algorithm(), extracted.reveal(), key_info, out.key.writable());
  hkdf_expand<P>(s.hash_algorithm(), extracted.reveal(), nonce_info, out.nonce);
  return out;
}

}  // namespace detail_snapshot

/// seal_snapshot(env, suite, key, sequence, state): Errors: misuse (key size), no_entropy, unsupported.
template <crypto_provider P>
[[nodiscard]] result<bytes> seal_snapshot(environment& env, const basic_suite<P>& s, const snapshot_key& key,
                                          std::uint64_t sequence, byte_view state) {
  if (key.size() != 32) return errc::misuse;
  snapshot_header header;
  header.suite = s.id();
  header.sequence = sequence;
  CONCLAVE_CHECK(env.random(header.salt));
  CONCLAVE_TRY(header.aead, detail_snapshot::snapshot_aead<P>());
  const auto derived = detail_snapshot::derive(s, key, header.salt);
  CONCLAVE_TRY(auto sealing_key, P::aead_key::make(header.aead, derived.key.reveal()));
  bytes out = wire::encode(header);
  const bytes clear = out;
  out.resize(out.size() + state.size() + aead_tag_size);
  CONCLAVE_CHECK(sealing_key.seal(derived.nonce, clear, state, byte_span{out}.subspan(clear.size())));
  return out;
}

/// opened_snapshot: the state, and what its header says.
template <crypto_provider P>
struct opened_snapshot {
  basic_suite<P> suite;
  std::uint64_t sequence;
  secret_bytes state;
};

/// open_snapshot(key, newest, sealed): Errors: malformed (no snapshot), unsupported (version, suite), replayed (older
/// than `newest`), unauthentic (damaged or another key), misuse (key size).
template <crypto_provider P>
[[nodiscard]] result<opened_snapshot<P>> open_snapshot(const snapshot_key& key, std::uint64_t newest,
                                                       byte_view sealed) {
  if (key.size() != 32) return errc::misuse;
  reader in{sealed};
  const auto header = wire::read<snapshot_header>(in);
  if (!header || header->magic != snapshot_header::expected_magic || in.rest().size() < aead_tag_size)
    return failure{errc::malformed, rules::snapshot_format};
  if (header->version != snapshot_header::current_version) return failure{errc::unsupported, rules::snapshot_version};
  auto s = basic_suite<P>::make(header->suite);
  const bool served = header->aead == aead_id::chacha20_poly1305 || header->aead == aead_id::aes_256_gcm;
  if (!s || !served || !P::supports(header->aead)) return failure{errc::unsupported, rules::snapshot_version};
  if (header->sequence < newest) return failure{errc::replayed, rules::snapshot_is_newest};
  const auto derived = detail_snapshot::derive(*s, key, header->salt);
  CONCLAVE_TRY(auto opening_key, P::aead_key::make(header->aead, derived.key.reveal()));
  secret_bytes state(in.rest().size() - aead_tag_size);
  if (!opening_key.open(derived.nonce, sealed.first(snapshot_header::size), in.rest(), state))
    return failure{errc::unauthentic, rules::snapshot_opens};
  return opened_snapshot<P>{*s, header->sequence, std::move(state)};
}

}  // namespace conclave::mls
