// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// HKDF (RFC 5869) over the HMAC of a provider. It allocates nothing.
#pragma once

#include <conclave/crypto/concepts.hpp>
#include <conclave/detail/wipe.hpp>

namespace conclave::inline CONCLAVE_ABI {

namespace detail {

/// hmac_prefix(size, out, mac): the first bytes of an output of `size` bytes that mac() writes, in place where all fit.
void hmac_prefix(std::size_t size, byte_span out, auto mac) {
  if (out.size() == size) return mac(out);
  std::array<std::uint8_t, 64> storage;
  const byte_span whole = byte_span{storage}.first(size);
  const wipe_guard wipe(whole);
  mac(whole);
  std::ranges::copy(whole.first(out.size()), out.begin());
}

}  // namespace detail

/// hkdf_max_info_parts: how many pieces the info of hkdf_expand may come in.
inline constexpr std::size_t hkdf_max_info_parts = 12;

/// hkdf_extract<P>(hash, salt, ikm, out): PRK = HMAC(salt, ikm), hash_size(hash) bytes. An empty salt stands for zeros,
/// as in the RFC. `out` may be one of the inputs. Panics for a hash P does not support. Source: RFC 5869 2.2.
template <crypto_provider P>
void hkdf_extract(hash_id hash, byte_view salt, byte_parts ikm, byte_span out) {
  P::hmac(hash, salt, ikm, out);
}

/// hkdf_expand<P>(hash, prk, info, out): out.size() bytes of output keying material. `out` overlaps no input.
/// Panics over 255 blocks or hkdf_max_info_parts, which no input reaches: lengths come from the suite's parameters.
/// Source: RFC 5869 2.3.
template <crypto_provider P>
void hkdf_expand(hash_id hash, byte_view prk, byte_parts info, byte_span out) {
  const std::size_t block = hash_size(hash);
  if (out.size() > 255 * block || info.size() > hkdf_max_info_parts) CONCLAVE_PANIC();

  std::uint8_t counter = 0;
  std::array<byte_view, hkdf_max_info_parts + 2> storage;  // T(n-1) || info || n
  std::ranges::copy(info, storage.begin() + 1);
  storage[info.size() + 1] = byte_view{&counter, 1};
  const byte_parts message = byte_parts{storage}.first(info.size() + 2);

  if (out.size() <= block) {
    if (out.empty()) return;
    ++counter;
    return detail::hmac_prefix(block, out, [&](byte_span whole) { P::hmac(hash, prk, message, whole); });
  }
  auto key = P::hmac_key::make(hash, prk);  // its pads are hashed once for all blocks
  if (!key) CONCLAVE_PANIC();
  while (!out.empty()) {
    ++counter;
    const byte_span part = out.first(std::min(block, out.size()));
    detail::hmac_prefix(block, part, [&](byte_span whole) { key->mac(message, whole); });
    storage[0] = part;
    out = out.subspan(part.size());
  }
}

}  // namespace conclave
