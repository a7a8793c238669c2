// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// AES-GCM, AES-CTR and SHA-256 with the cryptographic extension of ARMv8.
#pragma once

#include <conclave/simd/cpu.hpp>
#include <conclave/simd/kernels.hpp>
#include <conclave/simd/sha256.hpp>
#include <conclave/simd/target.hpp>

#if CONCLAVE_AARCH64
#include <arm_neon.h>

#include <cstring>
#include <utility>

CONCLAVE_TARGET_BEGIN(CONCLAVE_TARGET_AARCH64_CRYPTO)
namespace conclave::inline CONCLAVE_ABI::simd::aarch64_crypto {

// --- AES (FIPS 197) ---------------------------------------------------------------------------------------------------

using vec = uint8x16_t;

inline constexpr std::size_t chunk_blocks = 4;
inline constexpr std::size_t chunk_bytes = 16 * chunk_blocks;

/// load_some(p, n): n bytes, 0 to 16, and zeros behind them.
[[gnu::always_inline]] inline vec load_some(const std::uint8_t* p, std::size_t n) noexcept {
  std::uint8_t block[16] = {};
  if (n > 0) std::memcpy(block, p, n);
  return vld1q_u8(block);
}
[[gnu::always_inline]] inline void store_some(std::uint8_t* p, vec x, std::size_t n) noexcept {
  std::uint8_t block[16];
  vst1q_u8(block, x);
  std::memcpy(p, block, n);
}

// AESE substitutes all bytes; with four equal columns, ShiftRows changes nothing.
[[gnu::always_inline]] inline std::uint32_t sub_word(std::uint32_t w) noexcept {
  const vec substituted = vaeseq_u8(vreinterpretq_u8_u32(vdupq_n_u32(w)), vdupq_n_u8(0));
  return vgetq_lane_u32(vreinterpretq_u32_u8(substituted), 0);
}

// FIPS 197 5.2, KeyExpansion; words are little-endian here, so that RotWord turns to the right.
inline void expand(const std::uint8_t* key, std::size_t bytes, aes_schedule* out) noexcept {
  const std::size_t nk = bytes / 4;
  out->rounds = static_cast<std::uint32_t>(nk + 6);
  std::uint8_t* const words = out->round_keys[0];
  const auto get = [words](std::size_t i) {
    std::uint32_t w;
    std::memcpy(&w, words + 4 * i, 4);
    return w;
  };
  std::memcpy(words, key, bytes);
  for (std::uint32_t i = static_cast<std::uint32_t>(nk), rcon = 1; i < 4 * (out->rounds + 1); ++i) {
    std::uint32_t w = get(i - 1);
    if (i % nk == 0) {
      w = sub_word(w >> 8U | w << 24U) ^ rcon;
      rcon = (rcon << 1U) ^ (rcon >= 0x80 ? 0x11bU : 0U);
    } else if (nk == 8 && i % nk == 4) {
      w = sub_word(w);
    }
    w ^= get(i - nk);
    std::memcpy(words + 4 * i, &w, 4);
  }
}

/// blocks<N>: N blocks on their way through the cipher.
template <std::size_t N>
struct blocks {
  vec b[N];
};

template <std::size_t... I>
[[gnu::always_inline]] inline void encrypt(const aes_schedule& key, blocks<sizeof...(I)>& x,
                                           std::index_sequence<I...>) noexcept {
  for (std::size_t r = 0; r + 1 < key.rounds; ++r) {
    const vec k = vld1q_u8(key.round_keys[r]);
    ((x.b[I] = vaesmcq_u8(vaeseq_u8(x.b[I], k))), ...);
  }
  const vec k = vld1q_u8(key.round_keys[key.rounds - 1]), last = vld1q_u8(key.round_keys[key.rounds]);
  ((x.b[I] = veorq_u8(vaeseq_u8(x.b[I], k), last)), ...);
}

/// counter_block: NIST SP 800-38A B.1 with 32 bits that count.
struct counter_block {
  uint32x4_t block;
  std::uint32_t number;

  [[gnu::always_inline]] vec next() noexcept {
    return vreinterpretq_u8_u32(vsetq_lane_u32(__builtin_bswap32(number++), block, 3));
  }
};
[[gnu::always_inline]] inline counter_block counter_from(vec block) noexcept {
  const uint32x4_t words = vreinterpretq_u32_u8(block);
  return {words, __builtin_bswap32(vgetq_lane_u32(words, 3))};
}

template <std::size_t... I>
[[gnu::always_inline]] inline void crypt_blocks(const aes_schedule& key, counter_block& counter, const std::uint8_t* in,
                                                std::uint8_t* out, std::index_sequence<I...> each) noexcept {
  blocks<sizeof...(I)> x{{(static_cast<void>(I), counter.next())...}};
  encrypt(key, x, each);
  (vst1q_u8(out + 16 * I, veorq_u8(x.b[I], vld1q_u8(in + 16 * I))), ...);
}

/// crypt(key, counter, in, out, size): counter mode.
[[gnu::always_inline]] inline void crypt(const aes_schedule& key, counter_block& counter, const std::uint8_t* in,
                                         std::uint8_t* out, std::size_t size) noexcept {
  for (; size >= chunk_bytes; in += chunk_bytes, out += chunk_bytes, size -= chunk_bytes)
    crypt_blocks(key, counter, in, out, std::make_index_sequence<chunk_blocks>{});
  for (; size >= 16; in += 16, out += 16, size -= 16) crypt_blocks(key, counter, in, out, std::index_sequence<0>{});
  if (size == 0) return;
  blocks<1> x{{counter.next()}};
  encrypt(key, x, std::index_sequence<0>{});
  store_some(out, veorq_u8(x.b[0], load_some(in, size)), size);
}

inline void ctr(const ctr_job* jobs, std::size_t count) noexcept {
  for (const ctr_job* j = jobs; j != jobs + count; ++j) {
    counter_block counter = counter_from(vld1q_u8(j->counter));
    crypt(*j->key, counter, j->in, j->out, j->size);
  }
}

// --- GHASH (NIST SP 800-38D 6.3, 6.4) ---------------------------------------------------------------------------------
// With the bits of every byte turned round, bit i of the little-endian number stands for x^i.

[[gnu::always_inline]] inline vec element(vec block) noexcept { return vrbitq_u8(block); }

/// product: a sum of carry-less products that is still to be reduced; `middle` counts 64 bits up.
struct product {
  vec low, middle, high;
};

[[gnu::always_inline]] inline vec multiply(poly64_t a, poly64_t b) noexcept {
  return vreinterpretq_u8_p128(vmull_p64(a, b));
}
[[gnu::always_inline]] inline poly64_t low_half(vec x) noexcept { return vgetq_lane_p64(vreinterpretq_p64_u8(x), 0); }
[[gnu::always_inline]] inline poly64_t high_half(vec x) noexcept { return vgetq_lane_p64(vreinterpretq_p64_u8(x), 1); }

[[gnu::always_inline]] inline product no_product() noexcept {
  const vec zero = vdupq_n_u8(0);
  return {zero, zero, zero};
}
[[gnu::always_inline]] inline void add_product(product& to, vec a, vec b) noexcept {
  to.low = veorq_u8(to.low, multiply(low_half(a), low_half(b)));
  to.middle = veorq_u8(to.middle, multiply(low_half(a), high_half(b)));
  to.middle = veorq_u8(to.middle, multiply(high_half(a), low_half(b)));
  to.high = veorq_u8(to.high, multiply(high_half(a), high_half(b)));
}

/// reduced(p): x^128 = x^7 + x^2 + x + 1, first for the upper 64 bits, then for those below them.
[[gnu::always_inline]] inline vec reduced(const product& p) noexcept {
  const vec zero = vdupq_n_u8(0);
  const poly64_t tail = 0x87;
  vec low = veorq_u8(p.low, vextq_u8(zero, p.middle, 8));
  vec high = veorq_u8(p.high, vextq_u8(p.middle, zero, 8));
  const vec upper = multiply(high_half(high), tail);
  low = veorq_u8(low, vextq_u8(zero, upper, 8));
  high = veorq_u8(high, vextq_u8(upper, zero, 8));
  return veorq_u8(low, multiply(low_half(high), tail));
}

/// powers(key, e): H^e, e up to chunk_blocks.
[[gnu::always_inline]] inline vec powers(const gcm_key& key, std::size_t e) noexcept {
  return vld1q_u8(key.powers[ghash_powers - e]);
}

[[gnu::always_inline]] inline vec absorb_block(const gcm_key& key, vec y, vec block) noexcept {
  product p = no_product();
  add_product(p, veorq_u8(y, element(block)), powers(key, 1));
  return reduced(p);
}
template <std::size_t... I>
[[gnu::always_inline]] inline vec absorb_chunk(const gcm_key& key, vec y, const std::uint8_t* data,
                                               std::index_sequence<I...>) noexcept {
  product p = no_product();
  add_product(p, y, powers(key, sizeof...(I)));
  (add_product(p, element(vld1q_u8(data + 16 * I)), powers(key, sizeof...(I) - I)), ...);
  return reduced(p);
}

/// absorb(key, y, data, size): y after these bytes; the last block is filled up with zeros.
[[gnu::always_inline]] inline vec absorb(const gcm_key& key, vec y, const std::uint8_t* data,
                                         std::size_t size) noexcept {
  for (; size >= chunk_bytes; data += chunk_bytes, size -= chunk_bytes)
    y = absorb_chunk(key, y, data, std::make_index_sequence<chunk_blocks>{});
  for (; size >= 16; data += 16, size -= 16) y = absorb_block(key, y, vld1q_u8(data));
  return size == 0 ? y : absorb_block(key, y, load_some(data, size));
}

// --- AES-GCM (NIST SP 800-38D 7) --------------------------------------------------------------------------------------

// 7.1 step 1: H = CIPH_K(0^128)
inline void make_gcm(const std::uint8_t* key, std::size_t bytes, gcm_key* out) noexcept {
  std::memset(out, 0, sizeof *out);
  expand(key, bytes, &out->aes);
  blocks<1> h{{vdupq_n_u8(0)}};
  encrypt(out->aes, h, std::index_sequence<0>{});
  vst1q_u8(out->powers[ghash_powers - 1], element(h.b[0]));
  for (std::size_t e = 2; e <= chunk_blocks; ++e) {
    product p = no_product();
    add_product(p, powers(*out, e - 1), powers(*out, 1));
    vst1q_u8(out->powers[ghash_powers - e], reduced(p));
  }
}

/// first_counter(nonce): J0 of a nonce of 96 bits (7.1 step 2).
[[gnu::always_inline]] inline counter_block first_counter(const std::uint8_t* nonce) noexcept {
  std::uint8_t block[16] = {};
  std::memcpy(block, nonce, 12);
  block[15] = 1;
  return counter_from(vld1q_u8(block));
}

/// tag_of(key, y, j0, aad_size, size): from the hash y of additional data and ciphertext (7.1 steps 5 and 6).
[[gnu::always_inline]] inline vec tag_of(const gcm_key& key, vec y, vec j0, std::size_t aad_size,
                                         std::size_t size) noexcept {
  const uint64x2_t bits = vcombine_u64(vcreate_u64(__builtin_bswap64(std::uint64_t{aad_size} * 8)),
                                       vcreate_u64(__builtin_bswap64(std::uint64_t{size} * 8)));
  blocks<1> mask{{j0}};
  encrypt(key.aes, mask, std::index_sequence<0>{});
  return veorq_u8(element(absorb_block(key, y, vreinterpretq_u8_u64(bits))), mask.b[0]);
}

inline void gcm_seal(const gcm_seal_job* jobs, std::size_t count) noexcept {
  for (const gcm_seal_job* j = jobs; j != jobs + count; ++j) {
    counter_block counter = first_counter(j->nonce);
    const vec j0 = counter.next();
    vec y = absorb(*j->key, vdupq_n_u8(0), j->aad, j->aad_size);
    crypt(j->key->aes, counter, j->in, j->out, j->size);
    y = absorb(*j->key, y, j->out, j->size);
    vst1q_u8(j->tag, tag_of(*j->key, y, j0, j->aad_size, j->size));
  }
}

inline void gcm_open(gcm_open_job* jobs, std::size_t count) noexcept {
  for (gcm_open_job* j = jobs; j != jobs + count; ++j) {
    counter_block counter = first_counter(j->nonce);
    const vec j0 = counter.next();
    vec y = absorb(*j->key, vdupq_n_u8(0), j->aad, j->aad_size);
    y = absorb(*j->key, y, j->in, j->size);
    const vec difference = veorq_u8(tag_of(*j->key, y, j0, j->aad_size, j->size), vld1q_u8(j->tag));
    j->good = vmaxvq_u8(difference) == 0;
    if (j->good) crypt(j->key->aes, counter, j->in, j->out, j->size);
  }
}

inline constexpr aes_kernels aes{"armv8-aes", isa::aarch64_aes, expand, make_gcm, gcm_seal, gcm_open, ctr};

// --- SHA-256 (FIPS 180-4 6.2) -----------------------------------------------------------------------------------------

/// streams<N>: N hashes, and the sixteen words of each that the schedule looks at.
template <std::size_t N>
struct streams {
  uint32x4_t abcd[N], efgh[N];
  uint32x4_t w[N][4];
};

/// four_rounds<T>: rounds T to T + 3 of stream i, and W(T + 16..T + 19).
template <std::size_t T, std::size_t N>
[[gnu::always_inline]] inline void four_rounds(streams<N>& s, std::size_t i) noexcept {
  constexpr std::size_t g = T / 4;
  uint32x4_t* const w = s.w[i];
  const uint32x4_t wk = vaddq_u32(w[g % 4], vld1q_u32(&sha256_k[T])), abcd = s.abcd[i];
  if constexpr (T < 48)
    w[g % 4] = vsha256su1q_u32(vsha256su0q_u32(w[g % 4], w[(g + 1) % 4]), w[(g + 2) % 4], w[(g + 3) % 4]);
  s.abcd[i] = vsha256hq_u32(abcd, s.efgh[i], wk);
  s.efgh[i] = vsha256h2q_u32(s.efgh[i], abcd, wk);
}
template <std::size_t T, std::size_t N, std::size_t... I>
[[gnu::always_inline]] inline void four_rounds_of_each(streams<N>& s, std::index_sequence<I...>) noexcept {
  (four_rounds<T>(s, I), ...);
}

template <std::size_t N, std::size_t... I, std::size_t... G>
[[gnu::always_inline]] inline void compress_streams(std::uint32_t* const* states, const std::uint8_t* const* data,
                                                    std::size_t count, std::index_sequence<I...> each,
                                                    std::index_sequence<G...>) noexcept {
  streams<N> s;
  const auto read = [&](std::size_t i, std::size_t block) {
    for (std::size_t j = 0; j < 4; ++j)
      s.w[i][j] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(data[i] + 64 * block + 16 * j)));
  };
  ((s.abcd[I] = vld1q_u32(states[I]), s.efgh[I] = vld1q_u32(states[I] + 4)), ...);
  for (std::size_t block = 0; block < count; ++block) {
    const uint32x4_t abcd[N] = {s.abcd[I]...}, efgh[N] = {s.efgh[I]...};
    (read(I, block), ...);
    (four_rounds_of_each<4 * G>(s, each), ...);
    ((s.abcd[I] = vaddq_u32(s.abcd[I], abcd[I]), s.efgh[I] = vaddq_u32(s.efgh[I], efgh[I])), ...);
  }
  ((vst1q_u32(states[I], s.abcd[I]), vst1q_u32(states[I] + 4, s.efgh[I])), ...);
}

template <std::size_t N>
inline void compress(std::uint32_t* const* states, const std::uint8_t* const* data, std::size_t count) noexcept {
  compress_streams<N>(states, data, count, std::make_index_sequence<N>{}, std::make_index_sequence<16>{});
}

inline void sha256(std::uint32_t* state, const std::uint8_t* data, std::size_t count) noexcept {
  compress<1>(&state, &data, count);
}

inline void sha256_many(std::uint32_t* const* states, const std::uint8_t* const* data, std::size_t count,
                        std::size_t streams) noexcept {
  for (; streams >= 2; streams -= 2, states += 2, data += 2) compress<2>(states, data, count);
  if (streams == 1) compress<1>(states, data, count);
}

inline constexpr hash_kernels hash{"armv8-sha2", isa::aarch64_sha2, sha256, sha256_many};

}  // namespace conclave::simd::aarch64_crypto
CONCLAVE_TARGET_END
#endif
