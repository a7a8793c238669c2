// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// fingerprint: what two people compare once, in person or on paper, so that each knows the other's long-lived key.
#pragma once

#include <conclave/crypto/sodium.hpp>
#include <conclave/limits.hpp>
#include <conclave/codec/wire.hpp>
#include <conclave/sas/digits.hpp>

namespace conclave::inline CONCLAVE_ABI::sas {

/// long_lived_identity: a name that does not change, such as an address, and the public signature key. Views.
struct long_lived_identity {
  byte_view name;
  signature_scheme scheme{};
  byte_view key;
  static constexpr auto fields(auto& self) { return std::tie(self.name, self.scheme, self.key); }
};

/// memory_hard_provider: sodium::memory_hard_hash() says what it does.
template <class P>
concept memory_hard_provider = requires(byte_view in, byte_span out) {
  { P::memory_hard_hash(1U, std::size_t{}, in, in, out) } -> std::same_as<status>;
};

/// fingerprint: 45 digits over two identities, the same whoever computes it. It does not depend on a meeting and changes
/// only with a name or a key. A value; not secret.
class fingerprint {
 public:
  using digit_type = digit_groups<9>;
  static constexpr std::uint8_t version = 1;
  static constexpr unsigned passes = 3;
  static constexpr std::size_t memory_bytes = std::size_t{64} << 20U;

  /// make(a, b): Argon2id of the two identities in the order of their encodings, with 64 MiB and three passes: a good part
  /// of a second, so call it on a thread that may wait. Errors: over_limit (a name or key beyond limits.hpp), misuse (no
  /// name, no key, or twice the same identity), unsupported (not enough memory).
  template <memory_hard_provider P = sodium>
  [[nodiscard]] static result<fingerprint> make(const long_lived_identity& a, const long_lived_identity& b) {
    for (const auto* i : {&a, &b}) {
      if (i->name.empty() || i->key.empty()) return errc::misuse;
      if (i->name.size() > limits::name_bytes || i->key.size() > max_public_key_size) return errc::over_limit;
    }
    bytes first = wire::encode(a), second = wire::encode(b);
    if (first == second) return errc::misuse;
    if (second < first) std::swap(first, second);
    bytes input{version};
    append(input, first);  // each is a complete encoding, so their boundary is certain
    append(input, second);
    // not a secret and no password: the salt only keeps these hashes apart from all others
    static constexpr std::string_view salt = "conclave finger1";
    std::array<std::uint8_t, digit_type::source_bytes> source;
    CONCLAVE_CHECK(P::memory_hard_hash(passes, memory_bytes, as_bytes(salt), input, source));
    fingerprint out;
    out.digits_ = digit_type{source};
    return out;
  }

  /// strength_bits(): 74: somebody in between looks for two keys, one for each side, that give the same 45 digits: about
  /// 2^74 trials, each of them Argon2id with 64 MiB.
  [[nodiscard]] static constexpr unsigned strength_bits() noexcept { return digit_type::collision_bits; }

  /// digits(): "12345 67890 ...", nine groups.
  [[nodiscard]] std::string digits() const { return digits_.text(); }
  friend bool operator==(const fingerprint&, const fingerprint&) noexcept = default;

 private:
  digit_type digits_;
};

}  // namespace conclave::sas
