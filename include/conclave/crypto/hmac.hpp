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

/// hmac_pads: the key of HMAC as the two blocks that are hashed before the message and before its hash.
class hmac_pads {
 public:
  /// `hash` computes `id`, and is fresh.
  template <incremental_hash H>
  hmac_pads(H& hash, hash_id id, byte_view key) : size_{hash_block_size(id)}, hash_size_{hash_size(id)} {
    const byte_span block = byte_span{pads_.value.inner}.first(size_);
    if (key.size() > size_) {
      hash.update(key);
      hash.final(block.first(hash_size_));
    } else {
      std::ranges::copy(key, block.begin());
    }
    pads_.value.outer = pads_.value.inner;
    for (std::uint8_t& b : pads_.value.inner) b ^= 0x36;
    for (std::uint8_t& b : pads_.value.outer) b ^= 0x5c;
  }

  /// start(inner, outer): both are fresh, and have hashed their pads then.
  template <class H>
  void start(H& inner, H& outer) const {
    inner.update(byte_view{pads_.value.inner}.first(size_));
    outer.update(byte_view{pads_.value.outer}.first(size_));
  }

  /// mac(hash, parts, out): `hash` is fresh, and afterwards again; `out` has the size of the hash.
  template <incremental_hash H>
  void mac(H& hash, byte_parts parts, byte_span out) const {
    if (out.size() != hash_size_) CONCLAVE_PANIC();
    hash.update(byte_view{pads_.value.inner}.first(size_));
    for (const byte_view part : parts) hash.update(part);
    hash.final(out);
    hash.update(byte_view{pads_.value.outer}.first(size_));
    hash.update(out);
    hash.final(out);
  }

 private:
  struct blocks {
    std::array<std::uint8_t, 128> inner{}, outer{};
  };
  wiped<blocks> pads_;
  std::size_t size_, hash_size_;
};

/// hmac(hash, id, key, parts, out): `hash` computes `id`, and is fresh; `out` has hash_size(id) bytes.
template <incremental_hash H>
void hmac(H& hash, hash_id id, byte_view key, byte_parts parts, byte_span out) {
  hmac_pads(hash, id, key).mac(hash, parts, out);
}

}  // namespace conclave::detail
