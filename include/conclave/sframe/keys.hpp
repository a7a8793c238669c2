// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Which key seals a frame: key ids from MLS (RFC 9605 5.2), and keys and nonces from a base key (4.4.2, 4.4.3).
#pragma once

#include <conclave/crypto/hkdf.hpp>
#include <conclave/limits.hpp>
#include <conclave/sframe/suite.hpp>

#include <bit>

namespace conclave::inline CONCLAVE_ABI::sframe {

struct base_key_tag {
  static constexpr std::size_t capacity = max_Nk;
};
struct sframe_key_tag {
  static constexpr std::size_t capacity = max_Nk;
};
struct sframe_salt_tag {
  static constexpr std::size_t capacity = Nn;
};
struct sframe_secret_tag;

/// base_key: what MLS-Exporter("SFrame 1.0 Base Key", "", Nk) gives for an epoch; every key of the epoch follows from
/// it.
using base_key = secret<base_key_tag>;
using sframe_secret = secret<sframe_secret_tag>;
using sframe_key = secret<sframe_key_tag>;
using sframe_salt = secret<sframe_salt_tag>;

/// key_and_salt: the secrets of one key id.
struct key_and_salt {
  sframe_key key;
  sframe_salt salt;
};

/// extract<P>(suite, base): sframe_secret, which is the same for all key ids of a base key and stands for it from here
/// on.
/// Errors: unsupported; misuse for an empty base key. Source: RFC 9605 4.4.2.
template <crypto_provider P>
[[nodiscard]] result<sframe_secret> extract(cipher_suite suite, const base_key& base) {
  CONCLAVE_CHECK(P::ready());
  CONCLAVE_TRY(const auto row, parameters(suite));
  if (!supports<P>(suite)) return failure{errc::unsupported, rules::known_suite};
  if (base.empty()) return errc::misuse;
  sframe_secret out(row.Nh);
  const byte_view ikm[] = {base.reveal()};
  hkdf_extract<P>(row.hash, {}, ikm, out.writable());
  return out;
}

/// derive_key_salt<P>(suite, kid, secret): sframe_key and sframe_salt. unsupported for a number that is not in the
/// registry. Source: RFC 9605 4.4.2.
template <crypto_provider P>
[[nodiscard]] result<key_and_salt> derive_key_salt(cipher_suite suite, std::uint64_t kid, const sframe_secret& secret) {
  CONCLAVE_TRY(const auto row, parameters(suite));
  std::array<std::uint8_t, 10> context;  // KID in eight bytes, cipher_suite in two
  store_be(kid, context);
  store_be(static_cast<std::uint16_t>(suite), byte_span{context}.subspan(8));
  key_and_salt out{sframe_key(row.Nk), sframe_salt(row.Nn)};
  const byte_view key_label[] = {as_bytes("SFrame 1.0 Secret key "), context};
  const byte_view salt_label[] = {as_bytes("SFrame 1.0 Secret salt "), context};
  hkdf_expand<P>(row.hash, secret.reveal(), key_label, out.key.writable());
  hkdf_expand<P>(row.hash, secret.reveal(), salt_label, out.salt.writable());
  return out;
}

using nonce = std::array<std::uint8_t, Nn>;

/// form_nonce(salt, ctr): sframe_salt XOR the counter as a big-endian number of Nn bytes. Source: RFC 9605 4.4.3.
[[nodiscard]] inline nonce form_nonce(const sframe_salt& salt, std::uint64_t ctr) noexcept {
  const byte_view mask = salt.reveal();
  nonce out;
  store_be(load_be<std::uint64_t>(mask) ^ ctr >> 32U, out);
  store_be(load_be<std::uint32_t>(mask.subspan(8)) ^ static_cast<std::uint32_t>(ctr), byte_span{out}.subspan(8));
  return out;
}

/// kid_fields: what a key id of an MLS group says.
struct kid_fields {
  std::uint64_t epoch;  ///< the low E bits of the epoch
  std::uint32_t index;  ///< leaf index of the sender; below 2^S, but maybe not below the number of leaves
  std::uint64_t context;

  friend constexpr bool operator==(const kid_fields&, const kid_fields&) noexcept = default;
};

/// kid_layout: how E bits of the epoch, S bits of the sender's index and a context share the 64 bits of a key id.
/// Source: RFC 9605 5.2. "Group size" there is the number of leaves of the tree, blank ones included: an index can
/// exceed the number of members, and the number of leaves is the same for every member of an epoch.
class kid_layout {
 public:
  /// make(E, leaves): S becomes the least value with leaves <= 2^S.
  /// Errors: misuse for no leaves; over_limit for more than limits::leaves, or where E and S leave no bit for a
  /// context.
  [[nodiscard]] static constexpr result<kid_layout> make(unsigned epoch_bits, std::uint32_t leaves) noexcept {
    if (leaves == 0) return errc::misuse;
    const auto index_bits = static_cast<unsigned>(std::bit_width(leaves - 1));
    if (leaves > limits::leaves || epoch_bits >= 64 - index_bits) return errc::over_limit;
    return kid_layout(epoch_bits, index_bits);
  }

  /// encode(epoch, index, context): the key id. over_limit where the index or the context does not fit its bits.
  [[nodiscard]] constexpr result<std::uint64_t> encode(std::uint64_t epoch, std::uint32_t index,
                                                       std::uint64_t context) const noexcept {
    if (index > mask(S_) || context > mask(64 - S_ - E_)) return errc::over_limit;
    return (context << (S_ + E_)) + (std::uint64_t{index} << E_) + (epoch & mask(E_));
  }

  [[nodiscard]] constexpr kid_fields decode(std::uint64_t kid) const noexcept {
    return {kid & mask(E_), static_cast<std::uint32_t>(kid >> E_ & mask(S_)), kid >> (S_ + E_)};
  }

  [[nodiscard]] constexpr unsigned epoch_bits() const noexcept { return E_; }
  [[nodiscard]] constexpr unsigned index_bits() const noexcept { return S_; }

 private:
  constexpr kid_layout(unsigned epoch_bits, unsigned index_bits) noexcept : E_{epoch_bits}, S_{index_bits} {}

  /// The lowest n bits set; n is at most 64.
  [[nodiscard]] static constexpr std::uint64_t mask(unsigned n) noexcept {
    return n == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1;
  }

  unsigned E_;
  unsigned S_;
};

}  // namespace conclave::sframe
