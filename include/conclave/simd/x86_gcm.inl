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

/// absorb(p, key, y, data, n): adds y and n bytes of data, a block or more, times the powers that end with H.
[[gnu::always_inline]] inline void absorb(product& p, const gcm_key& key, vec y, const std::uint8_t* data,
                                          std::size_t n) noexcept {
  for (std::size_t e = blocks_of(n); n > 0; data += vector_bytes, e -= width) {
    const std::size_t now = n < vector_bytes ? n : vector_bytes;
    add_product(p, sum(y, reversed(load_some(data, now))), powers(key, e));
    y = zero();
    n -= now;
  }
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

/// The first counter block, whose cipher masks the tag, stands before those of the data, as the last block of additional
/// data stands before the ciphertext in the hash. So both are the first lane of a first vector, and the lengths are put into
/// a lane that the last one has left.
///
/// bytes_in<First>(vectors): bytes of data in so many vectors, the first of which may have that lane.
template <bool First>
[[nodiscard]] constexpr std::size_t bytes_in(std::size_t vectors) noexcept {
  return vectors == 0 ? 0 : vectors * vector_bytes - (First ? 16 : 0);
}

/// size_in<First, I>(n): how many of n bytes are in vector I of those; `Last` where it is the last one.
template <bool First, bool Last, std::size_t I>
[[gnu::always_inline]] inline std::size_t size_in(std::size_t n) noexcept {
  return (Last ? n : bytes_in<First>(I + 1)) - bytes_in<First>(I);
}
template <bool First, bool Last, std::size_t I>
[[gnu::always_inline]] inline vec load_one(const std::uint8_t* in, std::size_t n) noexcept {
  if constexpr (First && I == 0)
    return load_behind(in, size_in<First, Last, I>(n));
  else if constexpr (Last)
    return load_some(in + bytes_in<First>(I), size_in<First, Last, I>(n));
  else
    return load(in + bytes_in<First>(I));
}
template <bool First, bool Last, std::size_t I>
[[gnu::always_inline]] inline void store_one(std::uint8_t* out, vec x, std::size_t n) noexcept {
  if constexpr (First && I == 0)
    store_behind(out, x, size_in<First, Last, I>(n));
  else if constexpr (Last)
    store_some(out + bytes_in<First>(I), x, size_in<First, Last, I>(n));
  else
    store(out + bytes_in<First>(I), x);
}

/// some<Seal, First>(s, ..., n, first): n bytes in counter mode, the last vector perhaps not full. Leaves in `s` what GHASH
/// wants of them: the ciphertext with zeros behind it, and `first` before it. Gives the cipher's first block.
template <bool Seal, bool First, std::size_t... I>
[[gnu::always_inline]] inline __m128i some(state<sizeof...(I)>& s, counter& counters, const aes_schedule& key,
                                           const std::uint8_t* in, std::uint8_t* out, std::size_t n, __m128i first,
                                           std::index_sequence<I...> all) noexcept {
  constexpr std::size_t last = sizeof...(I) - 1;
  start(s, counters, key, all);
  rounds(s, key, all, std::index_sequence<1, 2, 3, 4, 5, 6, 7, 8, 9>{});
  const state<sizeof...(I)> data{{load_one < First, I == last, I > (in, n)...}};
  finish(s, data, key, all);
  (store_one < First, I == last, I > (out, s.v[I], n), ...);
  const __m128i block = first_block(s.v[0]);
  if constexpr (Seal) {
    if constexpr (!First || last > 0) s.v[last] = keep_some(s.v[last], size_in<First, true, last>(n));
    if constexpr (First) s.v[0] = keep_behind(first, s.v[0], size_in < First, last == 0, 0 > (n));
  } else {
    s = data;
    if constexpr (First) s.v[0] = sum(s.v[0], widen(first));
  }
  return block;
}

/// cursor: a frame on its way: what is left of it, and its hash so far. `y` is added to the next vector, which is
/// multiplied by H^e, H^(e-1) and so on, and `p` waits for its reduction.
struct cursor {
  counter counters;
  const std::uint8_t* in;
  std::uint8_t* out;
  std::size_t left;
  product p;
  vec y;
  std::size_t e;
};
[[gnu::always_inline]] inline void advance(cursor& c, std::size_t bytes) noexcept {
  c.in += bytes;
  c.out += bytes;
  c.left -= bytes;
}

/// absorb_state(c, key, s, behind): `behind` is added to the last vector.
template <std::size_t... I>
[[gnu::always_inline]] inline void absorb_state(cursor& c, const gcm_key& key, const state<sizeof...(I)>& s, vec behind,
                                                std::index_sequence<I...>) noexcept {
  constexpr std::size_t last = sizeof...(I) - 1;
  state<sizeof...(I)> x{{reversed(s.v[I])...}};
  x.v[0] = sum(x.v[0], c.y);
  x.v[last] = sum(x.v[last], behind);
  (add_product(c.p, x.v[I], powers(key, c.e - I * width)), ...);
  c.y = zero();
  c.e -= sizeof...(I) * width;
}
/// some_and_hash: n bytes of what is left, as some().
template <bool Seal, bool First, std::size_t N>
[[gnu::always_inline]] inline __m128i some_and_hash(cursor& c, const gcm_key& key, std::size_t n, __m128i first,
                                                    vec behind) noexcept {
  constexpr auto all = std::make_index_sequence<N>{};
  state<N> s;
  const __m128i block = some<Seal, First>(s, c.counters, key.aes, c.in, c.out, n, first, all);
  absorb_state(c, key, s, behind, all);
  advance(c, n);
  return block;
}
template <bool Seal, bool First, std::size_t N>
[[gnu::always_inline]] inline __m128i last_vectors(cursor& c, const gcm_key& key, __m128i first,
                                                   __m128i lengths) noexcept {
  const std::size_t lane = (blocks_of(c.left) + First) % width;
  if (lane == 0) add_product(c.p, widen(lengths), powers(key, 1));
  return some_and_hash<Seal, First, N>(c, key, c.left, first, in_lane(lengths, lane));
}
/// rest<Seal, First>: all that is left, and the lengths; there are powers enough. Gives the cipher's first block.
template <bool Seal, bool First>
[[gnu::always_inline]] inline __m128i rest(cursor& c, const gcm_key& key, __m128i first, __m128i lengths) noexcept {
  constexpr std::size_t group_bytes = bytes_in<First>(group_vectors);
  __m128i block = first;
  if constexpr (First) {
    if (c.left > group_bytes) {
      block = some_and_hash<Seal, true, group_vectors>(c, key, group_bytes, first, zero());
      rest<Seal, false>(c, key, first, lengths);
      return block;
    }
  } else {
    while (c.left > group_bytes) some_and_hash<Seal, false, group_vectors>(c, key, group_bytes, first, zero());
  }
  switch ((c.left + (First ? 16 : 0) + vector_bytes - 1) / vector_bytes) {
    case 4: return last_vectors<Seal, First, 4>(c, key, first, lengths);
    case 3: return last_vectors<Seal, First, 3>(c, key, first, lengths);
    case 2: return last_vectors<Seal, First, 2>(c, key, first, lengths);
    case 1: return last_vectors<Seal, First, 1>(c, key, first, lengths);
    default: add_product(c.p, sum(c.y, widen(lengths)), powers(key, 1)); return block;
  }
}

/// chunks(c, key): as many as there are, but for a vector and more to follow them.
template <bool Seal>
[[gnu::always_inline]] inline void chunks(cursor& c, const gcm_key& key) noexcept {
  constexpr auto all = std::make_index_sequence<chunk_vectors>{};
  constexpr auto nine = std::index_sequence<1, 2, 3, 4, 5, 6, 7, 8, 9>{};
  const auto more = [&] { return c.left >= chunk_bytes + vector_bytes && blocks_of(c.left) >= ghash_powers; };
  if (!more()) return;
  state<chunk_vectors> hashed;
  if constexpr (Seal) {  // the cipher is one chunk ahead of the hash
    hashed = chunk(c.counters, key.aes, c.in, c.out);
    advance(c, chunk_bytes);
  }
  for (; more(); advance(c, chunk_bytes))
    c.y = chunk_and_hash<Seal>(c.counters, key, c.in, c.out, c.y, hashed, all, nine);
  if constexpr (Seal) c.y = hash_chunk(key, c.y, hashed, all);
}

/// last_block(key, aad, n): the last block of additional data, with the hash of those before it.
[[gnu::always_inline]] inline __m128i last_block(const gcm_key& key, const std::uint8_t* aad, std::size_t n) noexcept {
  __m128i hash = _mm_setzero_si128();
  while (n > 16) {
    const std::size_t now = n > 256 ? 256 : (n - 1) / 16 * 16;
    product p = no_product();
    absorb(p, key, widen(hash), aad, now);
    hash = fold(reduced(p));
    aad += now;
    n -= now;
  }
  return _mm_xor_si128(load_block(aad, n), x86_aesni::reversed(hash));
}

/// apply<Seal>(job): GCM-AE or GCM-AD of one frame (NIST SP 800-38D 7.1, 7.2). Gives the tag as it should be.
template <bool Seal>
[[gnu::always_inline]] inline __m128i apply(const gcm_frame& job) noexcept {
  const gcm_key& key = *job.key;
  const __m128i j0 =
      _mm_insert_epi32(_mm_insert_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(job.nonce)),
                                        static_cast<int>(x86_aesni::peek<std::uint32_t>(job.nonce + 8)), 2),
                       0x01000000, 3);
  const __m128i first = last_block(key, job.aad, job.aad_size);
  const __m128i lengths =
      _mm_set_epi64x(static_cast<long long>(8 * job.aad_size), static_cast<long long>(8 * job.size));
  cursor c{first_counters(j0, 1), job.in, job.out, job.size, no_product(), zero(), blocks_of(job.size) + 2};
  __m128i mask;
  if (c.e <= ghash_powers) {  // few enough blocks share one reduction
    mask = rest<Seal, true>(c, key, first, lengths);
  } else {
    // the first vector comes before the chunks, and its lanes stay apart like theirs
    state<1> s;
    mask = some<Seal, true>(s, c.counters, key.aes, c.in, c.out, bytes_in<true>(1), first, std::index_sequence<0>{});
    advance(c, bytes_in<true>(1));
    add_product(c.p, reversed(s.v[0]), same_power(key, width));
    c.y = reduced(c.p);
    chunks<Seal>(c, key);
    for (; blocks_of(c.left) >= ghash_powers; c.y = widen(fold(reduced(c.p)))) {
      c.p = no_product();
      c.e = group_vectors * width;
      some_and_hash<Seal, false, group_vectors>(c, key, bytes_in<false>(group_vectors), first, zero());
    }
    c.p = no_product();
    c.e = blocks_of(c.left) + 1;
    rest<Seal, false>(c, key, first, lengths);
  }
  return _mm_xor_si128(x86_aesni::reversed(fold(reduced(c.p))), mask);
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

template <std::size_t N>
[[gnu::always_inline]] inline void ctr_some(counter& counters, const aes_schedule& key, const std::uint8_t* in,
                                            std::uint8_t* out, std::size_t n) noexcept {
  state<N> s;
  some<true, false>(s, counters, key, in, out, n, _mm_setzero_si128(), std::make_index_sequence<N>{});
}

// NIST SP 800-38A 6.5
inline void ctr(const ctr_job* jobs, std::size_t count) noexcept {
  for (const ctr_job* job = jobs; job != jobs + count; ++job) {
    // in halves: whoever has just put a nonce in front of a number has written no more at once
    const __m128i block = _mm_set_epi64x(static_cast<long long>(x86_aesni::peek<std::uint64_t>(job->counter + 8)),
                                         static_cast<long long>(x86_aesni::peek<std::uint64_t>(job->counter)));
    counter counters = first_counters(block, job->counter[15]);
    const std::uint8_t* in = job->in;
    std::uint8_t* out = job->out;
    std::size_t left = job->size;
    for (; left >= chunk_bytes; in += chunk_bytes, out += chunk_bytes, left -= chunk_bytes)
      chunk(counters, *job->key, in, out);
    constexpr std::size_t group_bytes = group_vectors * vector_bytes;
    for (; left > group_bytes; in += group_bytes, out += group_bytes, left -= group_bytes)
      ctr_some<group_vectors>(counters, *job->key, in, out, group_bytes);
    switch ((left + vector_bytes - 1) / vector_bytes) {
      case 4: ctr_some<4>(counters, *job->key, in, out, left); break;
      case 3: ctr_some<3>(counters, *job->key, in, out, left); break;
      case 2: ctr_some<2>(counters, *job->key, in, out, left); break;
      case 1: ctr_some<1>(counters, *job->key, in, out, left); break;
      default: break;
    }
  }
}
