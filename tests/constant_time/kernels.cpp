// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Keys, messages and states are secret while the kernels work on them: valgrind or MemorySanitizer, one of which watches
/// this program, reports every branch and every address that depends on one. No library takes part, because nobody has
/// instrumented it.
///
///   constant_time                  exit status 0 where nothing was reported, 77 where this CPU has nothing to check
///   constant_time branch|index     ends in a leak that has to be reported: what the kernels made decides a branch, or
///                                  where to read
///   constant_time scalar           likewise: a product on the curve decides where to read
#include <conclave/crypto/native_hash.hpp>
#include <conclave/detail/ct.hpp>
#include <conclave/otp/base32.hpp>
#include <conclave/otp/totp.hpp>

#include <cstdio>
#include <cstdlib>

namespace {

using namespace conclave;
using detail::poison, detail::poisoned, detail::unpoison;

constexpr std::size_t sizes[] = {0, 1, 15, 16, 17, 31, 63, 64, 100, 128, 160, 255, 256, 300, 511, 512, 1200, 4096};

void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::exit(1);
}

/// message: room for the longest message and a tag; secret when it was filled.
struct message {
  std::uint8_t bytes[4096 + 16];

  message() { fill(); }
  void fill() {
    for (std::size_t i = 0; i < sizeof bytes; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7);
    poison(bytes, sizeof bytes);
  }
};

/// secret_key: 16 or 32 bytes; MemorySanitizer does not know the instruction that expands keys, and sees what it made.
struct secret_key {
  std::uint8_t raw[32] = {1, 2, 3, 4, 5, 6, 7, 8};
  simd::gcm_key gcm;

  secret_key(const simd::aes_kernels& kernels, std::size_t size) {
    if (CONCLAVE_MEMORY_SANITIZER == 0) poison(raw, sizeof raw);
    kernels.make_gcm(raw, size, &gcm);
    if (CONCLAVE_MEMORY_SANITIZER == 0) {
      expect(poisoned(gcm.aes.round_keys[10], 16) && poisoned(gcm.powers, sizeof gcm.powers),
             "the key lost its poison");
    } else {
      poison(gcm.aes.round_keys, sizeof gcm.aes.round_keys);
      poison(gcm.powers, sizeof gcm.powers);
    }
  }
};

void check_aes(const simd::aes_kernels& kernels, std::size_t key_size) {
  secret_key key(kernels, key_size);
  std::uint8_t nonce[16] = {9, 8, 7};
  poison(nonce, 12);  // the number of a block, behind it, is public
  message in, out;
  for (const std::size_t size : sizes) {
    for (const std::size_t aad_size : {0U, 13U, 50U, 400U}) {
      message aad;
      in.fill();
      std::uint8_t* const tag = out.bytes + size;
      const simd::gcm_frame frame{&key.gcm, nonce, aad.bytes, aad_size, in.bytes, out.bytes, size};
      const simd::gcm_seal_job seal{frame, tag};
      kernels.gcm_seal(&seal, 1);
      expect(poisoned(tag, 16), "nobody watches, or the tag lost its poison");
      simd::gcm_open_job open{frame, tag, false};
      open.in = out.bytes;
      open.out = in.bytes;
      kernels.gcm_open(&open, 1);
      unpoison(&open.good, sizeof open.good);  // the verdict is public
      expect(open.good, "a frame does not open");
      tag[0] ^= 1;
      kernels.gcm_open(&open, 1);
      unpoison(&open.good, sizeof open.good);
      expect(!open.good, "a wrong frame opens");
    }
    const simd::ctr_job ctr{&key.gcm.aes, nonce, in.bytes, out.bytes, size};
    kernels.ctr(&ctr, 1);
    expect(size == 0 || poisoned(out.bytes, size), "the ciphertext lost its poison");
  }
}

void check_comparisons() {
  std::uint8_t a[32] = {3}, b[32] = {3};
  poison(a, sizeof a);
  poison(b, sizeof b);
  bool equal = detail::ct_equal(a, b), zero = detail::ct_is_zero(a);
  expect(poisoned(&equal, 1) && poisoned(&zero, 1), "nobody watches");
  unpoison(&equal, 1);
  unpoison(&zero, 1);
  expect(equal && !zero, "a wrong comparison");
}

/// Codes, what is compared with them, and secrets on their way into a URI and back; the steps are public.
void check_one_time_passwords() {
  otp::detail::candidate candidates[3] = {{9, 111111}, {10, 222222}, {11, 333333}};
  for (otp::detail::candidate& c : candidates) poison(&c.value, sizeof c.value);
  std::uint32_t given = 333333;
  poison(&given, sizeof given);
  otp::detail::comparison verdict = otp::detail::compare(candidates, given, 9);
  expect(poisoned(&verdict.found, sizeof verdict.found) && poisoned(&verdict.used, sizeof verdict.used),
         "nobody watches");
  unpoison(&verdict, sizeof verdict);
  expect(verdict.found == 12 && verdict.used == 0, "a wrong comparison of codes");

  std::uint8_t secret[20] = {1, 2, 3}, text[32], back[20];
  poison(secret, sizeof secret);
  expect(otp::base32_encode(secret, text).has_value() && poisoned(text, sizeof text), "no Base32");
  expect(otp::base32_decode(text, back).has_value() && poisoned(back, sizeof back), "no secret out of Base32");
  bool same = detail::ct_equal(secret, back);
  unpoison(&same, sizeof same);
  expect(same, "another secret out of Base32");
}

void check_sha256(const simd::hash_kernels& kernels) {
  message text;
  std::uint8_t raw[100] = {5, 4, 3, 2, 1}, macs[5][32];
  poison(raw, sizeof raw);
  for (const std::size_t key_size : {1U, 32U, 64U, 100U}) {
    const detail::sha256_hmac key(kernels, byte_view{raw, key_size});
    for (const std::size_t size : sizes) {
      const byte_view whole = byte_view{text.bytes}.first(size);
      const byte_view parts[] = {whole.first(size / 3), whole.subspan(size / 3)};
      key.mac(parts, macs[0]);
      expect(poisoned(macs[0], 32), "nobody watches, or the MAC lost its poison");
      struct job {
        const detail::sha256_hmac* key;
        byte_parts message;
        byte_span out;
      };
      detail::sha256_hmac::mac_many(kernels, 5, [&](std::size_t i) { return job{&key, parts, macs[i]}; });
      expect(poisoned(macs[4], 32), "a MAC of many lost its poison");
      bool same = detail::ct_equal(macs[0], macs[4]);
      unpoison(&same, sizeof same);
      expect(same, "one of many MACs differs");
    }
  }
}

/// Scalars are secret; points, and public keys when they are made, are not.
void check_x25519(const simd::curve_kernels& kernels, bool base) {
  constexpr std::size_t count = 19;
  std::uint8_t scalars[count][32], points[count][32], out[count][32];
  simd::x25519_job jobs[count];
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < 32; ++k) {
      scalars[i][k] = static_cast<std::uint8_t>(i * 11 + k * 5);
      points[i][k] = static_cast<std::uint8_t>(i == 3 ? 0 : i * 7 + k * 3 + 1);
    }
    jobs[i] = {scalars[i], points[i], out[i], false};
  }
  poison(scalars, sizeof scalars);
  (base ? kernels.x25519_base : kernels.x25519)(jobs, count);
  expect(poisoned(out[0], 32) && poisoned(out[count - 1], 32), "nobody watches, or the product lost its poison");
  for (std::size_t i = 0; i < count; ++i) {
    expect(poisoned(&jobs[i].good, 1), "the verdict lost its poison");
    unpoison(&jobs[i].good, sizeof jobs[i].good);
    expect(jobs[i].good == (base || i != 3), "a wrong verdict");
  }
}

/// watched(kernels): whether the CPU can run them, and valgrind knows their instructions: none of AVX-512.
bool watched(const simd::curve_kernels& kernels) {
  return simd::cpu_can_run(kernels.needs) && (CONCLAVE_WITH_VALGRIND == 0 || std::string_view{kernels.name} == "avx2");
}

volatile int sink;
constexpr int table[256] = {1, 2, 3};

/// leak(secret, how): what the checks are there to find.
void leak(const std::uint8_t* secret, bool branch) {
  if (branch) {
    if (secret[0] == 17) sink = 1;
  } else {
    sink = table[secret[0]];
  }
}

}  // namespace

int main(int argc, char** argv) {
  check_comparisons();
  check_one_time_passwords();
  int checked = 0;
  std::uint8_t secret[48] = {};
  // valgrind knows none of the wider AES instructions, and none for SHA-256
  for (const simd::aes_kernels* const kernels : simd::all<simd::aes_kernels>()) {
    if (!simd::cpu_can_run(kernels->needs)) continue;
    if (CONCLAVE_WITH_VALGRIND != 0 && std::string_view{kernels->name} != "aesni") continue;
    std::printf("%s\n", kernels->name);
    for (const std::size_t key_size : {16U, 32U}) check_aes(*kernels, key_size);
    const secret_key key(*kernels, 16);
    const simd::ctr_job ctr{&key.gcm.aes, secret, secret, secret, 16};
    kernels->ctr(&ctr, 1);
    ++checked;
  }
  for (const simd::hash_kernels* const kernels : simd::all<simd::hash_kernels>()) {
    if (!simd::cpu_can_run(kernels->needs) || CONCLAVE_WITH_VALGRIND != 0) continue;
    std::printf("%s\n", kernels->name);
    check_sha256(*kernels);
    ++checked;
  }
  for (const simd::curve_kernels* const kernels : simd::all<simd::curve_kernels>()) {
    if (!watched(*kernels)) continue;
    std::printf("%s\n", kernels->name);
    for (const bool base : {false, true}) check_x25519(*kernels, base);
    ++checked;
  }
  if (checked == 0) return 77;
  if (argc > 1 && std::string_view{argv[1]} == "scalar") {
    const simd::curve_kernels* curves = nullptr;
    for (const simd::curve_kernels* const kernels : simd::all<simd::curve_kernels>())
      if (watched(*kernels)) curves = kernels;
    if (curves == nullptr) return 77;
    std::uint8_t scalar[32] = {1};
    poison(scalar, sizeof scalar);
    simd::x25519_job job{scalar, nullptr, secret, false};
    curves->x25519_base(&job, 1);
    leak(secret, false);
  } else if (argc > 1) {
    leak(secret, std::string_view{argv[1]} == "branch");
  }
  std::printf("%d kernels\n", checked);
  return 0;
}
