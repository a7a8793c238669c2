// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What a kernel offers: tables of plain functions at the granularity of whole frames. Only pointers and integers cross
/// from baseline code into code for another instruction set.
#pragma once

#include <conclave/config.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace conclave::inline CONCLAVE_ABI::simd {

/// aes_schedule: an expanded key of AES-128 or AES-256 (FIPS 197 5.2).
struct alignas(16) aes_schedule {
  std::uint8_t round_keys[15][16];
  std::uint32_t rounds;  ///< 10 or 14
};

inline constexpr std::size_t ghash_powers = 32;

/// gcm_key: what make_gcm prepared, for the kernels of the same table. They load it unaligned: it lives wherever
/// operator new puts it.
struct alignas(16) gcm_key {
  aes_schedule aes;
  std::uint8_t powers[ghash_powers][16];  ///< of the hash subkey H, the highest first
  std::uint8_t beyond[3][16];             ///< zero: vectors of several blocks read past the first power
};

/// gcm_frame: one frame to seal or to open (NIST SP 800-38D 7). The nonce has 12 bytes, the tag 16. `out` may start
/// where `in` does. A pointer may be null where its size is 0.
struct gcm_frame {
  const gcm_key* key;
  const std::uint8_t* nonce;
  const std::uint8_t* aad;
  std::size_t aad_size;
  const std::uint8_t* in;
  std::uint8_t* out;
  std::size_t size;
};
struct gcm_seal_job : gcm_frame {
  std::uint8_t* tag;
};
struct gcm_open_job : gcm_frame {
  const std::uint8_t* tag;
  bool good;  ///< the answer; where it is false, `out` holds bytes that nobody may see
};

/// ctr_job: bytes to encrypt or decrypt in counter mode. `counter` is the first counter block, of 16 bytes; its last four
/// are a big-endian number that wraps by itself.
struct ctr_job {
  const aes_schedule* key;
  const std::uint8_t* counter;
  const std::uint8_t* in;
  std::uint8_t* out;
  std::size_t size;
};

/// aes_kernels: AES-GCM and AES-CTR. Jobs may have different keys and must not touch each other's output.
struct aes_kernels {
  const char* name;
  std::uint32_t needs;  ///< bits of isa
  /// expand(key, bytes, out): bytes is 16 or 32
  void (*expand)(const std::uint8_t* key, std::size_t bytes, aes_schedule* out) noexcept;
  void (*make_gcm)(const std::uint8_t* key, std::size_t bytes, gcm_key* out) noexcept;
  void (*gcm_seal)(const gcm_seal_job* jobs, std::size_t count) noexcept;
  void (*gcm_open)(gcm_open_job* jobs, std::size_t count) noexcept;
  void (*ctr)(const ctr_job* jobs, std::size_t count) noexcept;
};

/// hash_kernels: compression functions of FIPS 180-4.
struct hash_kernels {
  const char* name;
  std::uint32_t needs;
  /// sha256(state, blocks, count): absorbs `count` blocks of 64 bytes
  void (*sha256)(std::uint32_t* state, const std::uint8_t* blocks, std::size_t count) noexcept;
  /// sha256_many(states, blocks, count, streams): the same for 1 to sha256_streams hashes side by side
  void (*sha256_many)(std::uint32_t* const* states, const std::uint8_t* const* blocks, std::size_t count,
                      std::size_t streams) noexcept;
};

/// x25519_job: one scalar times one point (RFC 7748 5), or times the base point, where `point` is not looked at. All have
/// 32 bytes. `good` is false where the product is all zero. Nothing that is written overlaps anything.
struct x25519_job {
  const std::uint8_t* scalar;
  const std::uint8_t* point;
  std::uint8_t* out;
  bool good;
};

/// ed25519_job: one signature to verify (RFC 8032 5.1.7); the key has 32 bytes and the signature 64.
struct ed25519_job {
  const std::uint8_t* key;
  const std::uint8_t* signature;
  const std::uint8_t* message;
  std::size_t size;
  bool good;  ///< the answer
};

/// curve_kernels: X25519 and the verification of Ed25519, for any number of independent jobs. As many as there are lanes
/// take the time of one; with fewer than the two `from`s left, a library does each alone in less time. Public keys pay from
/// one on.
struct curve_kernels {
  const char* name;
  std::uint32_t needs;
  std::size_t lanes, x25519_from, verify_from;
  void (*x25519)(x25519_job* jobs, std::size_t count) noexcept;
  void (*x25519_base)(x25519_job* jobs, std::size_t count) noexcept;
  void (*ed25519_verify)(ed25519_job* jobs, std::size_t count) noexcept;
};

/// all<Kernels>(): every table of a family that this build holds, the fastest last.
template <class Kernels>
[[nodiscard]] std::span<const Kernels* const> all() noexcept;
template <>
std::span<const aes_kernels* const> all<aes_kernels>() noexcept;
template <>
std::span<const hash_kernels* const> all<hash_kernels>() noexcept;
template <>
std::span<const curve_kernels* const> all<curve_kernels>() noexcept;

}  // namespace conclave::simd
