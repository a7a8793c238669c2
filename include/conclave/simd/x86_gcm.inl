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

/// reduced(p): each lane as one element of the field. Twice, the lowest word times the polynomial is added, which clears
/// it, and the number moves down by 64 bits.
[[gnu::always_inline]] inline vec reduced(const product& p) noexcept {
  const vec polynomial = broadcast(_mm_set_epi32(0, 0, static_cast<int>(0xc2000000), 0));
  const vec middle = sum(p.middle, swapped(p.low), clmul<0x00>(p.low, polynomial));
  return sum(p.high, swapped(middle), clmul<0x00>(middle, polynomial));
}

/// powers(key, e): H^e in the first lane, H^(e-1) in the second and so on. same_power(key, e): H^e in all.
[[gnu::always_inline]] inline vec powers(const gcm_key& key, std::size_t e) noexcept {
  return load(key.powers[ghash_powers - e]);
}
[[gnu::always_inline]] inline vec same_power(const gcm_key& key, std::size_t e) noexcept {
  return broadcast(key.powers[ghash_powers - e]);
}

inline constexpr std::size_t vector_bytes = 16 * width;
inline constexpr std::size_t chunk_blocks = width * chunk_vectors;
inline constexpr std::size_t chunk_bytes = 16 * chunk_blocks;
inline constexpr std::size_t group_vectors = chunk_vectors < 4 ? chunk_vectors : 4;

[[gnu::always_inline]] inline std::size_t blocks_of(std::size_t bytes) noexcept { return (bytes + 15) / 16; }

/// absorb(p, key, y, data, n, e): adds y * H^e and then the blocks of data times H^e, H^(e-1) and so on; the last one
/// is filled up with zeros. Returns the next exponent.
[[gnu::always_inline]] inline std::size_t absorb(product& p, const gcm_key& key, vec y, const std::uint8_t* data,
                                                 std::size_t n, std::size_t e) noexcept {
  const std::size_t after = e - blocks_of(n);
  for (; n > 0; data += vector_bytes, e -= width) {
    const std::size_t now = n < vector_bytes ? n : vector_bytes;
    add_product(p, sum(y, reversed(load_some(data, now))), powers(key, e));
    y = zero();
    n -= now;
  }
  return after;
}

/// here(x): x is computed at this place. Left alone, compilers gather the multiplications behind the rounds of the
/// cipher, where they wait for each other.
[[gnu::always_inline]] inline void here([[maybe_unused]] auto& x) noexcept {
#if !CONCLAVE_MEMORY_SANITIZER  // it wants all operands of assembly to be defined
  __asm__ __volatile__("" : "+v"(x));
#endif
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

/// counter: the counter blocks to come, reversed, one to a lane; and the last byte of the first.
struct counter {
  vec next;
  std::uint32_t last_byte;
};
[[gnu::always_inline]] inline counter first_counters(__m128i block, std::uint8_t last_byte) noexcept {
  return {add_to_counters(reversed(broadcast(block)), lane_numbers()), last_byte};
}

/// start(s, counters, key): the next counter blocks, with the first round key added. `counters` moves on. Where no block
/// carries out of its last byte, which is seven times in eight, one reversal does for all.
template <std::size_t... I>
[[gnu::always_inline]] inline void start(state<sizeof...(I)>& s, counter& counters, const aes_schedule& key,
                                         std::index_sequence<I...>) noexcept {
  constexpr int blocks = sizeof...(I) * width, lanes = width;
  const vec first = broadcast(key.round_keys[0]);
  if (sizeof...(I) > 1 && counters.last_byte <= 256 - blocks) {
    const vec step = broadcast(_mm_set_epi32(lanes << 24, 0, 0, 0));
    vec next = reversed(counters.next);
    ((s.v[I] = sum(next, first), next = add_to_counters(next, step)), ...);
    counters.next = add_to_counters(counters.next, broadcast(_mm_cvtsi32_si128(blocks)));
  } else {
    const vec step = broadcast(_mm_cvtsi32_si128(lanes));
    ((s.v[I] = sum(reversed(counters.next), first), counters.next = add_to_counters(counters.next, step)), ...);
  }
  counters.last_byte = (counters.last_byte + blocks) % 256;
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

/// absorb_step<K>: step K of taking a chunk into the hash y, a vector at a time. The first vector, which waits for y, is
/// the last that is multiplied. The lanes of y stay apart, each the hash of every width-th block; the vector that follows
/// brings them together, multiplied by one power each.
template <std::size_t K>
[[gnu::always_inline]] inline void absorb_step(product& p, vec& y, const gcm_key& key,
                                               const state<chunk_vectors>& hashed) noexcept {
  constexpr std::size_t i = (K + 1) % chunk_vectors;
  vec x = reversed(hashed.v[i]);
  if constexpr (i == 0) x = sum(x, y);
  add_product(p, x, same_power(key, (chunk_vectors - i) * width));
  if constexpr (i == 0) y = reduced(p);
}
template <std::size_t R, std::size_t... I>
[[gnu::always_inline]] inline void round_and_absorb(state<sizeof...(I)>& s, const gcm_key& key, product& p, vec& y,
                                                    const state<sizeof...(I)>& hashed,
                                                    std::index_sequence<I...> all) noexcept {
  round<R>(s, key.aes, all);
  (here(s.v[I]), ...);
  if constexpr (R <= sizeof...(I)) {
    absorb_step<R - 1>(p, y, key, hashed);
    here(p.low);
    here(p.middle);
    here(p.high);
  }
}
template <std::size_t... I>
[[gnu::always_inline]] inline vec hash_chunk(const gcm_key& key, vec y, const state<sizeof...(I)>& hashed,
                                             std::index_sequence<I...>) noexcept {
  product p = no_product();
  (absorb_step<I>(p, y, key, hashed), ...);
  return y;
}
template <std::size_t... I>
[[gnu::always_inline]] inline state<sizeof...(I)> load_chunk(const std::uint8_t* in,
                                                             std::index_sequence<I...>) noexcept {
  return {{load(in + I * vector_bytes)...}};
}
template <std::size_t... I>
[[gnu::always_inline]] inline void store_chunk(std::uint8_t* out, const state<sizeof...(I)>& s,
                                               std::index_sequence<I...>) noexcept {
  (store(out + I * vector_bytes, s.v[I]), ...);
}
/// chunk_and_hash: chunk_bytes in counter mode, while as many bytes of ciphertext go into the hash y: those of the chunk
/// before, which stand in `hashed` and give way to the new ones, or where frames are opened, those of this one.
template <bool Seal, std::size_t... I, std::size_t... R>
[[gnu::always_inline]] inline vec chunk_and_hash(counter& counters, const gcm_key& key, const std::uint8_t* in,
                                                 std::uint8_t* out, vec y, state<chunk_vectors>& hashed,
                                                 std::index_sequence<I...> all, std::index_sequence<R...>) noexcept {
  state<chunk_vectors> s;
  product p = no_product();
  if constexpr (!Seal) hashed = load_chunk(in, all);
  start(s, counters, key.aes, all);
  (round_and_absorb<R>(s, key, p, y, hashed, all), ...);
  if constexpr (Seal) hashed = load_chunk(in, all);
  finish(s, hashed, key.aes, all);
  store_chunk(out, s, all);
  if constexpr (Seal) hashed = s;
  return y;
}
/// chunk: the same without a hash. Gives what it wrote.
[[gnu::always_inline]] inline state<chunk_vectors> chunk(counter& counters, const aes_schedule& key,
                                                         const std::uint8_t* in, std::uint8_t* out) noexcept {
  constexpr auto all = std::make_index_sequence<chunk_vectors>{};
  state<chunk_vectors> s;
  start(s, counters, key, all);
  rounds(s, key, all, std::index_sequence<1, 2, 3, 4, 5, 6, 7, 8, 9>{});
  finish(s, load_chunk(in, all), key, all);
  store_chunk(out, s, all);
  return s;
}

/// some<N>: up to N vectors, the last of them perhaps not full. Gives what GHASH wants of them: the ciphertext, with
/// zeros behind it.
template <bool Seal, std::size_t... I>
[[gnu::always_inline]] inline void some(state<sizeof...(I)>& s, counter& counters, const aes_schedule& key,
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
[[gnu::always_inline]] inline void absorb_state(product& p, const gcm_key& key, vec y, const state<sizeof...(I)>& s,
                                                std::size_t e, std::index_sequence<I...>) noexcept {
  (add_product(p, I == 0 ? sum(reversed(s.v[I]), y) : reversed(s.v[I]), powers(key, e - I * width)), ...);
}
template <bool Seal, std::size_t N>
[[gnu::always_inline]] inline void some_and_hash(counter& counters, const gcm_key& key, const std::uint8_t* in,
                                                 std::uint8_t* out, std::size_t n, product& p, vec y,
                                                 std::size_t e) noexcept {
  constexpr auto all = std::make_index_sequence<N>{};
  state<N> s;
  some<Seal>(s, counters, key.aes, in, out, n, all);
  absorb_state(p, key, y, s, e, all);
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
  counter counters = first_counters(_mm_insert_epi32(j0, 0x02000000, 3), 2);
  __m128i mask = encrypt_block(key.aes, j0);
  here(mask);  // and not where it is wanted, which would wait for its ten rounds

  // all the blocks that GHASH sees: additional data, ciphertext, lengths. Few enough share one reduction.
  vec y = zero();
  product p = no_product();
  const std::size_t blocks = blocks_of(job.aad_size) + blocks_of(left) + 1;
  if (blocks <= ghash_powers) {
    absorb(p, key, y, job.aad, job.aad_size, blocks);
  } else {
    const std::uint8_t* aad = job.aad;
    for (std::size_t n = job.aad_size; n > 0;) {
      const std::size_t now = n < 256 ? n : 256;
      product q = no_product();
      absorb(q, key, y, aad, now, blocks_of(now));
      y = widen(fold(reduced(q)));
      aad += now;
      n -= now;
    }
    constexpr auto all = std::make_index_sequence<chunk_vectors>{};
    constexpr auto nine = std::index_sequence<1, 2, 3, 4, 5, 6, 7, 8, 9>{};
    const auto more = [&] { return left >= chunk_bytes + vector_bytes && blocks_of(left) >= ghash_powers; };
    const auto step = [&] {
      in += chunk_bytes;
      out += chunk_bytes;
      left -= chunk_bytes;
    };
    if (more()) {
      state<chunk_vectors> hashed;
      if constexpr (Seal) {  // the cipher is one chunk ahead of the hash
        hashed = chunk(counters, key.aes, in, out);
        step();
      }
      for (; more(); step()) y = chunk_and_hash<Seal>(counters, key, in, out, y, hashed, all, nine);
      if constexpr (Seal) y = hash_chunk(key, y, hashed, all);
    }
  }

  while (blocks_of(left) >= ghash_powers) {
    product q = no_product();
    some_and_hash<Seal, group_vectors>(counters, key, in, out, group_vectors * vector_bytes, q, y,
                                       group_vectors * width);
    y = widen(fold(reduced(q)));
    in += group_vectors * vector_bytes;
    out += group_vectors * vector_bytes;
    left -= group_vectors * vector_bytes;
  }
  std::size_t e = blocks_of(left) + 1;
  for (; left > group_vectors * vector_bytes; e -= group_vectors * width) {
    some_and_hash<Seal, group_vectors>(counters, key, in, out, group_vectors * vector_bytes, p, y, e);
    y = zero();
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
  vec lengths = widen(_mm_set_epi64x(static_cast<long long>(8 * job.aad_size), static_cast<long long>(8 * job.size)));
  if (left == 0) lengths = sum(lengths, y);
  add_product(p, lengths, powers(key, 1));
  return _mm_xor_si128(x86_aesni::reversed(fold(reduced(p))), mask);
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
    // in halves: whoever has just put a nonce in front of a number has written no more at once
    const __m128i block =
        _mm_set_epi64x(static_cast<long long>(x86_aesni::peek<std::uint64_t>(job->counter + 8)),
                       static_cast<long long>(x86_aesni::peek<std::uint64_t>(job->counter)));
    counter counters = first_counters(block, job->counter[15]);
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
