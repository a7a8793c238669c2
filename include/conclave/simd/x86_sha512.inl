// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// SHA-512 of as many messages side by side as a vector has lanes (FIPS 180-4 6.4). Messages and lengths are public.
// Written once for all vectors.

/// hash_input: one message in three pieces, as the challenge of Ed25519 is hashed (RFC 8032 5.1.7 step 2).
struct hash_input {
  const std::uint8_t* first;   ///< 32 bytes
  const std::uint8_t* second;  ///< 32 bytes
  const std::uint8_t* rest;
  std::size_t rest_size;

  [[nodiscard]] std::size_t size() const noexcept { return 64 + rest_size; }
  /// blocks(): with the bit behind the message and its length.
  [[nodiscard]] std::size_t blocks() const noexcept { return (size() + 16) / 128 + 1; }

  /// block(i, out): the padded message from byte 128 i on (FIPS 180-4 5.1.2).
  void block(std::size_t i, std::uint8_t* out) const noexcept {
    std::size_t filled = 0, at = 0;
    if (i == 0) {
      std::memcpy(out, first, 32);
      std::memcpy(out + 32, second, 32);
      filled = 64;
    } else {
      at = i * 128 - 64;
    }
    if (at < rest_size) {
      const std::size_t n = rest_size - at < 128 - filled ? rest_size - at : 128 - filled;
      std::memcpy(out + filled, rest + at, n);
      filled += n;
    }
    std::memset(out + filled, 0, 128 - filled);
    if (filled < 128 && i * 128 + filled == size()) out[filled] = 0x80;
    if (i + 1 == blocks())
      for (std::size_t k = 0; k < 8; ++k) out[120 + k] = static_cast<std::uint8_t>(size() << 3U >> (56 - 8 * k));
  }
};

/// read_block(inputs, i, w): word k of block i of each message to w[k].
inline void read_block(const hash_input (&inputs)[lanes], std::size_t i, vec* w) noexcept {
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    alignas(64) std::uint64_t block[16] = {};
    if (i < inputs[lane].blocks()) inputs[lane].block(i, reinterpret_cast<std::uint8_t*>(block));
    for (std::size_t at = 0; at < 16; at += lanes) w[at + lane] = from_big_endian(load(block + at));
  }
  for (std::size_t at = 0; at < 16; at += lanes) transpose(w + at);
}

/// sha512(inputs, out): word k of the digests to out[k].
[[gnu::noinline]] inline void sha512(const hash_input (&inputs)[lanes], vec* out) noexcept {
  std::size_t most = 0;
  for (const hash_input& in : inputs) most = in.blocks() > most ? in.blocks() : most;
  for (std::size_t k = 0; k < 8; ++k) out[k] = broadcast(sha512_initial[k]);
  for (std::size_t i = 0; i < most; ++i) {
    vec w[16], s[8];
    read_block(inputs, i, w);
    for (std::size_t k = 0; k < 8; ++k) s[k] = out[k];
    for (std::size_t t = 0; t < 80; ++t) {
      if (t >= 16) {
        const vec x = w[(t + 1) % 16], y = w[(t + 14) % 16];
        w[t % 16] += sum_of_3(rotate_right<1>(x), rotate_right<8>(x), x >> 7) + w[(t + 9) % 16] +
                     sum_of_3(rotate_right<19>(y), rotate_right<61>(y), y >> 6);
      }
      const vec t1 = s[7] + sum_of_3(rotate_right<14>(s[4]), rotate_right<18>(s[4]), rotate_right<41>(s[4])) +
                     choose(s[4], s[5], s[6]) + broadcast(sha512_k[t]) + w[t % 16];
      const vec t2 =
          sum_of_3(rotate_right<28>(s[0]), rotate_right<34>(s[0]), rotate_right<39>(s[0])) + majority(s[0], s[1], s[2]);
      s[7] = s[6], s[6] = s[5], s[5] = s[4], s[4] = s[3] + t1;
      s[3] = s[2], s[2] = s[1], s[1] = s[0], s[0] = t1 + t2;
    }
    unsigned unfinished = 0;
    for (std::size_t lane = 0; lane < lanes; ++lane) unfinished |= (i < inputs[lane].blocks() ? 1U : 0U) << lane;
    const mask active = lanes_of(unfinished);
    for (std::size_t k = 0; k < 8; ++k) out[k] = select(active, out[k] + s[k], out[k]);
  }
}
