// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The contract of ctr_key_type, written once around the cipher of any library.
#pragma once

#include <conclave/crypto/checked_aead.hpp>

namespace conclave::inline CONCLAVE_ABI::detail {

/// ctr_cipher: what a library has to bring. Sizes are right when these are called, and outputs need no care on failure.
template <class C>
concept ctr_cipher = std::movable<C> && requires(C& c, byte_view in, byte_span out) {
  { C::supports(ctr_id{}) } noexcept -> std::same_as<bool>;
  { C::make(ctr_id{}, in) } -> std::same_as<result<C>>;
  { c.xor_keystream(in, in, out) } -> std::same_as<status>;
};

/// checked_ctr<Cipher>: Cipher behind the checks that ctr_key_type promises.
template <ctr_cipher Cipher>
class checked_ctr {
 public:
  [[nodiscard]] static result<checked_ctr> make(ctr_id ctr, byte_view key) {
    if (!Cipher::supports(ctr)) return errc::unsupported;
    if (key.size() != ctr_key_size(ctr)) return errc::misuse;
    CONCLAVE_TRY(Cipher cipher, Cipher::make(ctr, key));
    return checked_ctr(std::move(cipher));
  }

  [[nodiscard]] status xor_keystream(byte_view counter, byte_view in, byte_span out) {
    output_guard guard(out);
    CONCLAVE_CHECK(check(counter, in, out));
    CONCLAVE_CHECK(cipher_.xor_keystream(counter, in, out));
    guard.keep();
    return {};
  }

  /// check: what is wrong with the arguments, for those who work with cipher() directly.
  [[nodiscard]] static status check(byte_view counter, byte_view in, byte_view out) noexcept {
    const bool good = counter.size() == counter_block_size && out.size() == in.size() && may_share(in, out);
    return good ? status{} : errc::misuse;
  }
  [[nodiscard]] const Cipher& cipher() const noexcept { return cipher_; }

 private:
  explicit checked_ctr(Cipher cipher) noexcept : cipher_{std::move(cipher)} {}

  Cipher cipher_;
};

/// no_ctr: the ctr_key of a library without AES-CTR.
class no_ctr {
 public:
  [[nodiscard]] static bool supports(ctr_id) noexcept { return false; }
  [[nodiscard]] static result<no_ctr> make(ctr_id, byte_view) noexcept { return errc::unsupported; }
  [[nodiscard]] status xor_keystream(byte_view, byte_view, byte_span) noexcept { return errc::unsupported; }
};

}  // namespace conclave::detail
