// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The modes of operation, written once for vectors of one, two and four blocks. Each x86 kernel includes this inside its
// own region and namespace, below the vector operations it names; a template would stay baseline code.
//
// GHASH (NIST SP 800-38D 6.3, 6.4) multiplies in a field whose bits are numbered backwards. With the bytes of a block
// reversed, bit i of the number stands for x^(127-i), and the carry-less product of two such numbers is the reflected
// product times x. So the powers of H are kept times x, reduced by the reflected polynomial
// x^128 + x^127 + x^126 + x^121 + 1, whose two low words are 0...01: dividing by x^64 then takes one multiplication.

/// product: a sum of products that is still to be reduced, 256 bits in three overlapping parts. It has no initialisers:
/// the constructor they imply would be compiled outside of the region.
struct product {
  vec low, middle, high;
};
[[gnu::always_inline]] inline product no_product() noexcept { return {zero(), zero(), zero()}; }

[[gnu::always_inline]] inline void add_product(product& to, vec a, vec b) noexcept {
  to.low = sum(to.low, clmul<0x00>(a, b));
  to.middle = sum(to.middle, clmul<0x01>(a, b), clmul<0x10>(a, b));
  to.high = sum(to.high, clmul<0x11>(a, b));
}

/// reduced(p): the sum over all lanes as one element of the field. Twice, the lowest word times the polynomial is added,
/// which clears it, and the number moves down by 64 bits.
[[gnu::always_inline]] inline __m128i reduced(const product& p) noexcept {
  const __m128i polynomial = _mm_set_epi32(0, 0, static_cast<int>(0xc2000000), 0);
  const __m128i low = fold(p.low), high = fold(p.high);
  __m128i middle = fold(p.middle);
  middle =
      _mm_xor_si128(_mm_xor_si128(middle, _mm_shuffle_epi32(low, 0x4e)), _mm_clmulepi64_si128(low, polynomial, 0x00));
  return _mm_xor_si128(_mm_xor_si128(high, _mm_shuffle_epi32(middle, 0x4e)),
                       _mm_clmulepi64_si128(middle, polynomial, 0x00));
}

/// powers(key, e): H^e in the first lane, H^(e-1) in the second and so on.
[[gnu::always_inline]] inline vec powers(const gcm_key& key, std::size_t e) noexcept {
  return load(key.powers[ghash_powers - e]);
}

inline constexpr std::size_t vector_bytes = 16 * width;
inline constexpr std::size_t chunk_blocks = width * chunk_vectors;
inline constexpr std::size_t chunk_bytes = 16 * chunk_blocks;
inline constexpr std::size_t group_vectors = chunk_vectors < 4 ? chunk_vectors : 4;

[[gnu::always_inline]] inline std::size_t blocks_of(std::size_t bytes) noexcept { return (bytes + 15) / 16; }

/// absorb(p, key, y, data, n, e): adds y * H^e and then the blocks of data times H^e, H^(e-1) and so on; the last one
/// is filled up with zeros. Returns the next exponent.
[[gnu::always_inline]] inline std::size_t absorb(product& p, const gcm_key& key, __m128i y, const std::uint8_t* data,
                                                 std::size_t n, std::size_t e) noexcept {
  const std::size_t after = e - blocks_of(n);
  vec first = widen(y);
  for (; n > 0; data += vector_bytes, e -= width) {
    const std::size_t now = n < vector_bytes ? n : vector_bytes;
    add_product(p, sum(first, reversed(load_some(data, now))), powers(key, e));
    first = zero();
    n -= now;
  }
  return after;
}

/// state<N>: N vectors on their way through the cipher.
template <std::size_t N>
struct state {
  vec v[N];
};

[[gnu::always_inline]] inline __m128i encrypt_block(const aes_schedule& key, __m128i x) noexcept {
  const auto round_key = [&](std::size_t i) {
    return _mm_load_si128(reinterpret_cast<const __m128i*>(key.round_keys[i]));
  };
  x = _mm_xor_si128(x, round_key(0));
  for (std::size_t i = 1; i < 10; ++i) x = _mm_aesenc_si128(x, round_key(i));
  if (key.rounds == 14)
    for (std::size_t i = 10; i < 14; ++i) x = _mm_aesenc_si128(x, round_key(i));
  return _mm_aesenclast_si128(x, round_key(key.rounds));
}

/// start(s, counters, key): the next counter blocks, with the first round key added. `counters` moves on.
template <std::size_t... I>
[[gnu::always_inline]] inline void start(state<sizeof...(I)>& s, vec& counters, const aes_schedule& key,
                                         std::index_sequence<I...>) noexcept {
  const vec first = broadcast(key.round_keys[0]), step = broadcast(_mm_cvtsi32_si128(static_cast<int>(width)));
  ((s.v[I] = sum(reversed(counters), first), counters = add_to_counters(counters, step)), ...);
}
template <std::size_t R, std::size_t... I>
[[gnu::always_inline]] inline void round(state<sizeof...(I)>& s, const aes_schedule& key,
                                         std::index_sequence<I...>) noexcept {
  const vec k = broadcast(key.round_keys[R]);
  ((s.v[I] = aes_round(s.v[I], k)), ...);
}
template <std::size_t... I, std::size_t... R>
[[gnu::always_inline]] inline void rounds(state<sizeof...(I)>& s, const aes_schedule& key,
                                          std::index_sequence<I...> all, std::index_sequence<R...>) noexcept {
  (round<R>(s, key, all), ...);
}
/// finish(s, data, key): what AES-256 has more, and the last round, which adds the data for nothing.
template <std::size_t... I>
[[gnu::always_inline]] inline void finish(state<sizeof...(I)>& s, const state<sizeof...(I)>& data,
                                          const aes_schedule& key, std::index_sequence<I...> all) noexcept {
  if (key.rounds == 14) rounds(s, key, all, std::index_sequence<10, 11, 12, 13>{});
  const vec last = broadcast(key.round_keys[key.rounds]);
  ((s.v[I] = aes_last(s.v[I], sum(last, data.v[I]))), ...);
}

template <std::size_t I>
[[gnu::always_inline]] inline void absorb_vector(product& p, const gcm_key& key, __m128i y,
                                                 const std::uint8_t* hashed) noexcept {
  vec x = reversed(load(hashed + I * vector_bytes));
  if constexpr (I == 0) x = sum(x, widen(y));
  add_product(p, x, powers(key, chunk_blocks - I * width));
}
template <std::size_t R, std::size_t... I>
[[gnu::always_inline]] inline void round_and_absorb(state<sizeof...(I)>& s, const gcm_key& key, product& p, __m128i y,
                                                    const std::uint8_t* hashed,
                                                    std::index_sequence<I...> all) noexcept {
  round<R>(s, key.aes, all);
  if constexpr (R <= sizeof...(I)) absorb_vector<sizeof...(I) - R>(p, key, y, hashed);
}
template <std::size_t... I>
[[gnu::always_inline]] inline __m128i hash_chunk(const gcm_key& key, __m128i y, const std::uint8_t* hashed,
                                                 std::index_sequence<I...>) noexcept {
  product p = no_product();
  (absorb_vector<I>(p, key, y, hashed), ...);
  return reduced(p);
}
template <std::size_t... I>
[[gnu::always_inline]] inline void finish_chunk(state<sizeof...(I)>& s, const std::uint8_t* in, std::uint8_t* out,
                                                const aes_schedule& key, std::index_sequence<I...> all) noexcept {
  finish(s, {{load(in + I * vector_bytes)...}}, key, all);
  (store(out + I * vector_bytes, s.v[I]), ...);
}
/// chunk_and_hash: chunk_bytes in counter mode, while as many bytes at `hashed` go into the hash y.
template <std::size_t... I, std::size_t... R>
[[gnu::always_inline]] inline __m128i chunk_and_hash(vec& counters, const gcm_key& key, const std::uint8_t* in,
                                                     std::uint8_t* out, __m128i y, const std::uint8_t* hashed,
                                                     std::index_sequence<I...> all,
                                                     std::index_sequence<R...>) noexcept {
  state<sizeof...(I)> s;
  product p = no_product();
  start(s, counters, key.aes, all);
  (round_and_absorb<R>(s, key, p, y, hashed, all), ...);
  finish_chunk(s, in, out, key.aes, all);
  return reduced(p);
}
[[gnu::always_inline]] inline void chunk(vec& counters, const aes_schedule& key, const std::uint8_t* in,
                                         std::uint8_t* out) noexcept {
  constexpr auto all = std::make_index_sequence<chunk_vectors>{};
  state<chunk_vectors> s;
  start(s, counters, key, all);
  rounds(s, key, all, std::index_sequence<1, 2, 3, 4, 5, 6, 7, 8, 9>{});
  finish_chunk(s, in, out, key, all);
}

/// some<N>: up to N vectors, the last of them perhaps not full. Gives what GHASH wants of them: the ciphertext, with
/// zeros behind it.
template <bool Seal, std::size_t... I>
[[gnu::always_inline]] inline void some(state<sizeof...(I)>& s, vec& counters, const aes_schedule& key,
                                        const std::uint8_t* in, std::uint8_t* out, std::size_t n,
                                        std::index_sequence<I...> all) noexcept {
  constexpr std::size_t last = sizeof...(I) - 1;
  const std::size_t rest = n - last * vector_bytes;
  start(s, counters, key, all);
  rounds(s, key, all, std::index_sequence<1, 2, 3, 4, 5, 6, 7, 8, 9>{});
  const state<sizeof...(I)> data{
      {(I < last ? load(in + I * vector_bytes) : load_some(in + I * vector_bytes, rest))...}};
  finish(s, data, key, all);
  ((I < last ? store(out + I * vector_bytes, s.v[I]) : store_some(out + I * vector_bytes, s.v[I], rest)), ...);
  if constexpr (Seal)
    s.v[last] = keep_some(s.v[last], rest);
  else
    s = data;
}
template <std::size_t... I>
[[gnu::always_inline]] inline void absorb_state(product& p, const gcm_key& key, __m128i y, const state<sizeof...(I)>& s,
                                                std::size_t e, std::index_sequence<I...>) noexcept {
  (add_product(p, I == 0 ? sum(reversed(s.v[I]), widen(y)) : reversed(s.v[I]), powers(key, e - I * width)), ...);
}
template <bool Seal, std::size_t N>
[[gnu::always_inline]] inline void some_and_hash(vec& counters, const gcm_key& key, const std::uint8_t* in,
                                                 std::uint8_t* out, std::size_t n, product& p, __m128i y,
                                                 std::size_t e) noexcept {
  constexpr auto all = std::make_index_sequence<N>{};
  state<N> s;
  some<Seal>(s, counters, key.aes, in, out, n, all);
  absorb_state(p, key, y, s, e, all);
}

/// first_counters(block): the counter blocks from `block` on, reversed, one to a lane.
[[gnu::always_inline]] inline vec first_counters(__m128i block) noexcept {
  return add_to_counters(reversed(broadcast(block)), lane_numbers());
}

/// apply<Seal>(job): GCM-AE or GCM-AD of one frame (NIST SP 800-38D 7.1, 7.2). Gives the tag as it should be.
template <bool Seal>
[[gnu::always_inline]] inline __m128i apply(const gcm_frame& job) noexcept {
  const gcm_key& key = *job.key;
  const std::uint8_t* in = job.in;
  std::uint8_t* out = job.out;
  std::size_t left = job.size;

  const __m128i j0 =
      _mm_insert_epi32(_mm_insert_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(job.nonce)),
                                        static_cast<int>(x86_aesni::peek<std::uint32_t>(job.nonce + 8)), 2),
                       0x01000000, 3);
  vec counters = first_counters(_mm_insert_epi32(j0, 0x02000000, 3));

  // all the blocks that GHASH sees: additional data, ciphertext, lengths. Few enough share one reduction.
  __m128i y = _mm_setzero_si128();
  product p = no_product();
  const std::size_t blocks = blocks_of(job.aad_size) + blocks_of(left) + 1;
  if (blocks <= ghash_powers) {
    absorb(p, key, y, job.aad, job.aad_size, blocks);
  } else {
    const std::uint8_t* aad = job.aad;
    for (std::size_t n = job.aad_size; n > 0;) {
      const std::size_t now = n < chunk_bytes ? n : chunk_bytes;
      product q = no_product();
      absorb(q, key, y, aad, now, blocks_of(now));
      y = reduced(q);
      aad += now;
      n -= now;
    }
    constexpr auto all = std::make_index_sequence<chunk_vectors>{};
    constexpr auto nine = std::index_sequence<1, 2, 3, 4, 5, 6, 7, 8, 9>{};
    const auto more = [&] { return blocks_of(left) >= ghash_powers; };
    if constexpr (Seal) {
      // one chunk ahead of the hash
      if (more()) {
        const std::uint8_t* hashed = out;
        chunk(counters, key.aes, in, out);
        for (in += chunk_bytes, out += chunk_bytes, left -= chunk_bytes; more();
             in += chunk_bytes, out += chunk_bytes, left -= chunk_bytes, hashed += chunk_bytes)
          y = chunk_and_hash(counters, key, in, out, y, hashed, all, nine);
        y = hash_chunk(key, y, hashed, all);
      }
    } else {
      for (; more(); in += chunk_bytes, out += chunk_bytes, left -= chunk_bytes)
        y = chunk_and_hash(counters, key, in, out, y, in, all, nine);
    }
  }

  std::size_t e = blocks_of(left) + 1;
  for (; left > group_vectors * vector_bytes; e -= group_vectors * width) {
    some_and_hash<Seal, group_vectors>(counters, key, in, out, group_vectors * vector_bytes, p, y, e);
    y = _mm_setzero_si128();
    in += group_vectors * vector_bytes;
    out += group_vectors * vector_bytes;
    left -= group_vectors * vector_bytes;
  }
  switch ((left + vector_bytes - 1) / vector_bytes) {
    case 4: some_and_hash<Seal, 4>(counters, key, in, out, left, p, y, e); break;
    case 3: some_and_hash<Seal, 3>(counters, key, in, out, left, p, y, e); break;
    case 2: some_and_hash<Seal, 2>(counters, key, in, out, left, p, y, e); break;
    case 1: some_and_hash<Seal, 1>(counters, key, in, out, left, p, y, e); break;
    default: break;
  }
  __m128i lengths = _mm_set_epi64x(static_cast<long long>(8 * job.aad_size), static_cast<long long>(8 * job.size));
  if (left == 0) lengths = _mm_xor_si128(lengths, y);
  add_product(p, widen(lengths), powers(key, 1));
  return _mm_xor_si128(x86_aesni::reversed(reduced(p)), encrypt_block(key.aes, j0));
}

inline void gcm_seal(const gcm_seal_job* jobs, std::size_t count) noexcept {
  for (const gcm_seal_job* job = jobs; job != jobs + count; ++job) x86_aesni::store(job->tag, apply<true>(*job));
}

inline void gcm_open(gcm_open_job* jobs, std::size_t count) noexcept {
  for (gcm_open_job* job = jobs; job != jobs + count; ++job) {
    const __m128i wrong = _mm_xor_si128(apply<false>(*job), x86_aesni::load(job->tag));
    job->good = _mm_testz_si128(wrong, wrong) != 0;
  }
}

// NIST SP 800-38A 6.5
inline void ctr(const ctr_job* jobs, std::size_t count) noexcept {
  for (const ctr_job* job = jobs; job != jobs + count; ++job) {
    vec counters = first_counters(x86_aesni::load(job->counter));
    const std::uint8_t* in = job->in;
    std::uint8_t* out = job->out;
    std::size_t left = job->size;
    for (; left >= chunk_bytes; in += chunk_bytes, out += chunk_bytes, left -= chunk_bytes)
      chunk(counters, *job->key, in, out);
    for (; left > vector_bytes; in += vector_bytes, out += vector_bytes, left -= vector_bytes) {
      state<1> s;
      some<true>(s, counters, *job->key, in, out, vector_bytes, std::index_sequence<0>{});
    }
    if (left > 0) {
      state<1> s;
      some<true>(s, counters, *job->key, in, out, left, std::index_sequence<0>{});
    }
  }
}
