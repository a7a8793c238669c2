// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// HMAC (RFC 2104) over any incremental hash, for libraries whose own HMAC costs more than its four compressions.
#pragma once

#include <conclave/crypto/concepts.hpp>
#include <conclave/detail/wipe.hpp>

namespace conclave::inline CONCLAVE_ABI::detail {

/// incremental_hash: update() takes input in pieces; final() writes the hash and makes the object ready for the next
/// one.
template <class H>
concept incremental_hash = requires(H& h, byte_view in, byte_span out) {
  h.update(in);
  h.final(out);
};

[[nodiscard]] constexpr std::size_t hash_block_size(hash_id hash) noexcept {
  return hash == hash_id::sha384 || hash == hash_id::sha512 ? 128 : 64;
}

/// hmac(hash, id, key, parts, out): `hash` computes `id`, and is fresh; `out` has hash_size(id) bytes.
template <incremental_hash H>
void hmac(H& hash, hash_id id, byte_view key, byte_parts parts, byte_span out) {
  std::array<std::uint8_t, 128> pad{};
  const wipe_guard wipe(pad);
  const byte_span block = byte_span{pad}.first(hash_block_size(id));
  if (key.size() > block.size()) {
    hash.update(key);
    hash.final(block.first(hash_size(id)));
  } else {
    std::ranges::copy(key, block.begin());
  }
  for (std::uint8_t& b : block) b ^= 0x36;
  hash.update(block);
  for (const byte_view part : parts) hash.update(part);
  hash.final(out);
  for (std::uint8_t& b : block) b ^= 0x36 ^ 0x5c;
  hash.update(block);
  hash.update(out);
  hash.final(out);
}

}  // namespace conclave::detail
