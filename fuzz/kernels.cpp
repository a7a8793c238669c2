// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Every kernel this CPU can run, against a library that has its own. An input is a script: AES-GCM and AES-CTR for many
/// frames of several keys at once, sealed, damaged and opened; SHA-256 and SHA-512 of messages in parts, and their HMAC,
/// alone and side by side. The oracle: Botan, or OpenSSL where it is not there, and libsodium for hashes: the same bytes
/// and the same verdicts, whatever lies beside, and zeros where a tag is wrong. Curves have a fuzzer of their own.
#include <support/kernels.hpp>

#include "support/oracle.hpp"

#include <conclave/crypto/provider.hpp>

#include <sodium.h>

namespace {

using namespace conclave;
using conclave_fuzz::require, conclave_fuzz::script;
using conclave_test::for_each_kernel;

#if CONCLAVE_WITH_BOTAN
using library = botan;
#elif CONCLAVE_WITH_OPENSSL
using library = openssl;
#else
#error "the oracle is Botan or OpenSSL"
#endif

constexpr std::size_t most = 24;
constexpr std::size_t tag_size = 16;

bytes any(script& in, std::size_t n, std::uint8_t fill) {
  const byte_view some = in.take(std::min<std::size_t>(n, 16));
  bytes out(n, fill);
  for (std::size_t i = 0; i < n && !some.empty(); ++i)
    out[i] = static_cast<std::uint8_t>(some[i % some.size()] + i / 16);
  return out;
}
/// Lengths around blocks and vectors, and any other.
std::size_t length(script& in) {
  const std::size_t b = in.byte();
  return b < 128 ? b : (b - 127) * 16 + in.byte() % 3 - 1;
}

struct frame {
  std::size_t key;
  bytes nonce, aad, text, sealed, tag;
  bool damaged = false;
};

void gcm(script in) {
  std::vector<bytes> keys;
  for (unsigned n = 1 + in.byte() % 3U; n > 0; --n) keys.push_back(any(in, in.byte() % 2 == 0 ? 16 : 32, 1));
  std::vector<frame> frames;
  while (!in.empty() && frames.size() < most) {
    frame f;
    f.key = in.byte() % keys.size();
    f.nonce = any(in, 12, 2);
    f.aad = any(in, in.byte() % 80U, 3);
    f.text = any(in, length(in), 4);
    f.sealed.resize(f.text.size());
    f.tag.resize(tag_size);
    auto key =
        library::aead_key::make(keys[f.key].size() == 16 ? aead_id::aes_128_gcm : aead_id::aes_256_gcm, keys[f.key]);
    require(key && key->seal(f.nonce, f.aad, f.text, f.sealed, f.tag).has_value(), "the library does not seal");
    frames.push_back(std::move(f));
  }
  for_each_kernel<simd::aes_kernels>([&](const simd::aes_kernels& kernel) {
    std::vector<simd::gcm_key> ready(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) kernel.make_gcm(keys[i].data(), keys[i].size(), &ready[i]);
    std::vector<bytes> outs, tags;
    for (const frame& f : frames) {
      outs.push_back(f.text);  // in place
      tags.emplace_back(tag_size);
    }
    const auto common = [&](std::size_t i) {
      const frame& f = frames[i];
      return simd::gcm_frame{&ready[f.key],  f.nonce.data(), f.aad.data(),  f.aad.size(),
                             outs[i].data(), outs[i].data(), outs[i].size()};
    };
    std::vector<simd::gcm_seal_job> seals;
    for (std::size_t i = 0; i < frames.size(); ++i) seals.push_back({common(i), tags[i].data()});
    kernel.gcm_seal(seals.data(), seals.size());
    for (std::size_t i = 0; i < frames.size(); ++i)
      require(outs[i] == frames[i].sealed && tags[i] == frames[i].tag, "another ciphertext or tag");
    std::vector<simd::gcm_open_job> opens;
    for (std::size_t i = 0; i < frames.size(); ++i) {
      frame& f = frames[i];
      const std::size_t what = f.nonce[0] ^ f.aad.size();
      f.damaged = what % 4 == 0;
      if (f.damaged && !outs[i].empty() && what % 8 == 0)
        outs[i][what % outs[i].size()] ^= 0x80;
      else if (f.damaged)
        tags[i][what % tag_size] ^= 1;
      opens.push_back({common(i), tags[i].data(), !f.damaged});
      opens.back().good = f.damaged;  // what the kernel must not leave standing
    }
    kernel.gcm_open(opens.data(), opens.size());
    for (std::size_t i = 0; i < frames.size(); ++i) {
      require(opens[i].good == !frames[i].damaged, "another verdict");
      if (opens[i].good) require(outs[i] == frames[i].text, "another plaintext");
    }
  });
}

/// The same through the keys that protocols use: a wrong tag leaves zeros.
void aead_keys(script in) {
  for_each_kernel<simd::aes_kernels>([&, start = in](const simd::aes_kernels&) {
    script s = start;
    for (int i = 0; i < 4; ++i) {
      const bytes raw = any(s, s.byte() % 2 == 0 ? 16 : 32, 1), nonce = any(s, 12, 2), aad = any(s, s.byte() % 40U, 3),
                  text = any(s, length(s), 4);
      const aead_id id = raw.size() == 16 ? aead_id::aes_128_gcm : aead_id::aes_256_gcm;
      auto fast = default_provider::aead_key::make(id, raw);
      auto slow = library::aead_key::make(id, raw);
      bytes a(text.size() + tag_size), b(a.size());
      require(
          fast && slow && fast->seal(nonce, aad, text, a).has_value() && slow->seal(nonce, aad, text, b).has_value(),
          "it does not seal");
      require(a == b, "another ciphertext");
      bytes out(text.size(), 0xaa);
      const std::size_t at = s.byte() % a.size();
      const std::uint8_t flip = s.byte();
      a[at] ^= flip;
      require(fast->open(nonce, aad, a, out).has_value() == (flip == 0), "another verdict");
      require(flip == 0 ? out == text : out == bytes(out.size()), "another plaintext, or what is left of one");
    }
  });
}

void ctr(script in) {
  struct item {
    bytes key, counter, text, expected;
  };
  std::vector<item> items;
  while (!in.empty() && items.size() < most) {
    item i{any(in, in.byte() % 2 == 0 ? 16 : 32, 1), any(in, 16, 0xff), any(in, length(in), 2), {}};
    // a kernel counts in 32 bits, the whole block is the protocol's affair
    std::fill_n(i.counter.begin() + 12, 3, std::uint8_t{0});
    i.expected.resize(i.text.size());
    auto key = library::ctr_key::make(i.key.size() == 16 ? ctr_id::aes_128_ctr : ctr_id::aes_256_ctr, i.key);
    require(key && key->xor_keystream(i.counter, i.text, i.expected).has_value(), "the library does not encrypt");
    items.push_back(std::move(i));
  }
  for_each_kernel<simd::aes_kernels>([&](const simd::aes_kernels& kernel) {
    std::vector<simd::aes_schedule> schedules(items.size());
    std::vector<bytes> outs;
    std::vector<simd::ctr_job> jobs;
    for (std::size_t i = 0; i < items.size(); ++i) {
      kernel.expand(items[i].key.data(), items[i].key.size(), &schedules[i]);
      outs.push_back(items[i].text);
    }
    for (std::size_t i = 0; i < items.size(); ++i)
      jobs.push_back({&schedules[i], items[i].counter.data(), outs[i].data(), outs[i].data(), outs[i].size()});
    kernel.ctr(jobs.data(), jobs.size());
    for (std::size_t i = 0; i < items.size(); ++i) require(outs[i] == items[i].expected, "another key stream");
  });
}

void hashes(script in) {
  struct item {
    bytes key;
    std::vector<bytes> parts;
    std::vector<byte_view> views;
    bytes whole;
  };
  std::vector<item> items;
  while (!in.empty() && items.size() < 12) {
    item i;
    i.key = any(in, in.byte() % 160U, 1);
    // libsodium's functions take no null pointer, even for nothing
    i.key.reserve(1);
    i.whole.reserve(1);
    for (unsigned n = in.byte() % 4U; n > 0; --n) i.parts.push_back(any(in, length(in) % 300, 2));
    for (const bytes& p : i.parts) append(i.whole, p);
    items.push_back(std::move(i));
  }
  for (item& i : items)
    for (const bytes& p : i.parts) i.views.push_back(p);
  for_each_kernel<simd::hash_kernels>([&](const simd::hash_kernels&) {
    using key_type = default_provider::hmac_key;
    std::vector<key_type> keys;
    std::vector<std::array<std::uint8_t, 32>> together(items.size());
    for (const item& i : items) {
      std::array<std::uint8_t, 32> got{}, expected{};
      default_provider::hash(hash_id::sha256, i.views, got);
      crypto_hash_sha256(expected.data(), i.whole.data(), i.whole.size());
      require(got == expected, "another SHA-256");
      crypto_auth_hmacsha256_state state;
      crypto_auth_hmacsha256_init(&state, i.key.data(), i.key.size());
      crypto_auth_hmacsha256_update(&state, i.whole.data(), i.whole.size());
      crypto_auth_hmacsha256_final(&state, expected.data());
      default_provider::hmac(hash_id::sha256, i.key, i.views, got);
      require(got == expected, "another HMAC-SHA-256");
      std::array<std::uint8_t, 64> got_512{}, expected_512{};
      default_provider::hash(hash_id::sha512, i.views, got_512);
      crypto_hash_sha512(expected_512.data(), i.whole.data(), i.whole.size());
      require(got_512 == expected_512, "another SHA-512");
      keys.push_back(*key_type::make(hash_id::sha256, i.key));
    }
    std::vector<mac_job<key_type>> jobs;
    for (std::size_t i = 0; i < items.size(); ++i) jobs.push_back({&keys[i], items[i].views, together[i]});
    mac_many<key_type>(jobs);
    for (std::size_t i = 0; i < items.size(); ++i) {
      std::array<std::uint8_t, 32> alone{};
      default_provider::hmac(hash_id::sha256, items[i].key, items[i].views, alone);
      require(together[i] == alone, "another HMAC beside others");
    }
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  require(sodium::ready().has_value(), "no libsodium");
  script in({data, size});
  switch (in.byte() % 4) {
    case 0: gcm(in); break;
    case 1: aead_keys(in); break;
    case 2: ctr(in); break;
    default: hashes(in); break;
  }
  return 0;
}
