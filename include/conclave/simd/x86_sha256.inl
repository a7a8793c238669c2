// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// SHA-256 with the SHA extensions of x86: one stream, and several interleaved. The instructions of one stream wait for each
// other, so that up to four streams run in little more than the time of two. Each kernel includes this inside its own
// region and namespace.

/// streams<N>: N hashes in the order the instructions want, and the sixteen words of each that the schedule looks at.
template <std::size_t N>
struct streams {
  __m128i abef[N], cdgh[N];
  __m128i w[N][4];
};

// FIPS 180-4 6.2.2 step 1: W(t..t+3) from the sixteen words before them
[[gnu::always_inline]] inline __m128i next_words(__m128i w0, __m128i w4, __m128i w8, __m128i w12) noexcept {
  const __m128i partial = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w4), _mm_alignr_epi8(w12, w8, 4));
  return _mm_sha256msg2_epu32(partial, w12);
}

/// four_rounds<T>: rounds T to T + 3 of every stream (FIPS 180-4 6.2.2 step 3).
template <std::size_t T, std::size_t N, std::size_t... I>
[[gnu::always_inline]] inline void four_rounds(streams<N>& s, const std::uint32_t* constants,
                                               std::index_sequence<I...>) noexcept {
  constexpr std::size_t g = T / 4;
  const __m128i k = _mm_load_si128(reinterpret_cast<const __m128i*>(constants + T));
  __m128i wk[N];
  ((wk[I] = _mm_add_epi32(s.w[I][g % 4], k)), ...);
  ((s.cdgh[I] = _mm_sha256rnds2_epu32(s.cdgh[I], s.abef[I], wk[I])), ...);
  if constexpr (T < 48)
    ((s.w[I][g % 4] = next_words(s.w[I][g % 4], s.w[I][(g + 1) % 4], s.w[I][(g + 2) % 4], s.w[I][(g + 3) % 4])), ...);
  ((s.abef[I] = _mm_sha256rnds2_epu32(s.abef[I], s.cdgh[I], _mm_shuffle_epi32(wk[I], 0x0e))), ...);
}

template <std::size_t N, std::size_t... I, std::size_t... G>
[[gnu::always_inline]] inline void compress_streams(std::uint32_t* const* states, const std::uint8_t* const* data,
                                                    std::size_t blocks, std::index_sequence<I...> each,
                                                    std::index_sequence<G...>) noexcept {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  streams<N> s;
  const auto load = [&](std::size_t i) {
    const auto* from = reinterpret_cast<const __m128i*>(states[i]);
    const __m128i dcba = _mm_shuffle_epi32(_mm_loadu_si128(from), 0x1b);
    const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(from + 1), 0x1b);
    s.abef[i] = _mm_unpackhi_epi64(hgfe, dcba);
    s.cdgh[i] = _mm_unpacklo_epi64(hgfe, dcba);
  };
  const auto store = [&](std::size_t i) {
    auto* to = reinterpret_cast<__m128i*>(states[i]);
    _mm_storeu_si128(to, _mm_shuffle_epi32(_mm_unpackhi_epi64(s.cdgh[i], s.abef[i]), 0x1b));
    _mm_storeu_si128(to + 1, _mm_shuffle_epi32(_mm_unpacklo_epi64(s.cdgh[i], s.abef[i]), 0x1b));
  };
  const auto read = [&](std::size_t i, std::size_t block) {
    const auto* from = reinterpret_cast<const __m128i*>(data[i] + block * 64);
    for (std::size_t j = 0; j < 4; ++j) s.w[i][j] = _mm_shuffle_epi8(_mm_loadu_si128(from + j), big_endian);
  };

  (load(I), ...);
  for (std::size_t block = 0; block < blocks; ++block) {
    const __m128i abef[N] = {s.abef[I]...}, cdgh[N] = {s.cdgh[I]...};
    (read(I, block), ...);
    const std::uint32_t* constants = sha256_k;
    __asm__ __volatile__("" : "+r"(constants));  // read anew: in registers they would leave no room for the streams
    (four_rounds<4 * G>(s, constants, each), ...);
    ((s.abef[I] = _mm_add_epi32(s.abef[I], abef[I])), ...);
    ((s.cdgh[I] = _mm_add_epi32(s.cdgh[I], cdgh[I])), ...);
  }
  (store(I), ...);
}

template <std::size_t N>
inline void compress(std::uint32_t* const* states, const std::uint8_t* const* data, std::size_t blocks) noexcept {
  compress_streams<N>(states, data, blocks, std::make_index_sequence<N>{}, std::make_index_sequence<16>{});
}

inline void sha256(std::uint32_t* state, const std::uint8_t* blocks, std::size_t count) noexcept {
  compress<1>(&state, &blocks, count);
}

inline void sha256_many(std::uint32_t* const* states, const std::uint8_t* const* blocks, std::size_t count,
                        std::size_t streams) noexcept {
  switch (streams) {
    case 4: return compress<4>(states, blocks, count);
    case 3: return compress<3>(states, blocks, count);
    case 2: return compress<2>(states, blocks, count);
    case 1: return compress<1>(states, blocks, count);
    default: return;
  }
}
