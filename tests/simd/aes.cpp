// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// AES-GCM and AES-CTR of every kernel that can run here: published answers, and the answers of other libraries.
#include "support/hex.hpp"
#include "support/kernels.hpp"

#include <conclave/crypto/provider.hpp>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <random>

namespace {

using namespace conclave;
using conclave_test::for_each_kernel, conclave_test::from_hex, conclave_test::forced_kernel;
using key = default_provider::aead_key;

constexpr std::size_t margin = 64;  // bytes around every output that nobody may touch

class random_bytes {
 public:
  explicit random_bytes(std::uint64_t seed) : engine_{seed} {}
  [[nodiscard]] std::size_t below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }
  [[nodiscard]] bytes some(std::size_t n) {
    bytes out(n);
    for (std::size_t i = 0; i < n; i += 8) {
      const std::uint64_t word = engine_();
      for (std::size_t j = i; j < std::min(n, i + 8); ++j) out[j] = static_cast<std::uint8_t>(word >> (8 * (j - i)));
    }
    return out;
  }

 private:
  std::mt19937_64 engine_;
};

struct frame {
  aead_id aead;
  bytes key, nonce, aad, plaintext;

  [[nodiscard]] static frame random(random_bytes& from, std::size_t size, std::size_t aad_size) {
    const aead_id aead = from.below(2) == 0 ? aead_id::aes_128_gcm : aead_id::aes_256_gcm;
    return {aead, from.some(aead_key_size(aead)), from.some(12), from.some(aad_size), from.some(size)};
  }
};

/// arena: bytes that start `offset` behind a border of 64 bytes, with margins whose contents are known.
class arena {
 public:
  arena(std::size_t size, std::size_t offset) : memory_(size + 2 * margin + 64, 0xc5), size_{size} {
    const auto at = reinterpret_cast<std::uintptr_t>(memory_.data()) + margin;
    start_ = margin + (64 - at % 64) % 64 + offset % 64;
    if (start_ + size + margin > memory_.size()) memory_.resize(start_ + size + margin, 0xc5);
  }
  [[nodiscard]] byte_span span() { return byte_span{memory_}.subspan(start_, size_); }
  [[nodiscard]] std::uint8_t* data() { return memory_.data() + start_; }
  [[nodiscard]] bool margins_stand() const {
    const auto untouched = [](byte_view v) { return std::ranges::all_of(v, [](auto b) { return b == 0xc5; }); };
    return untouched(byte_view{memory_}.first(start_)) && untouched(byte_view{memory_}.subspan(start_ + size_));
  }

 private:
  bytes memory_;
  std::size_t start_ = 0, size_;
};

/// What a library makes of the frame: ciphertext || tag.
template <class P>
bytes sealed_by(const frame& f) {
  auto k = P::aead_key::make(f.aead, f.key);
  bytes out(f.plaintext.size() + aead_tag_size);
  if (!k || !k->seal(f.nonce, f.aad, f.plaintext, out)) throw std::runtime_error("the library does not seal");
  return out;
}

/// problem(table, f, sealed, from): what a kernel does wrong with a frame that has to become `sealed`; nullptr for
/// nothing. Where things lie in memory, and which bit of the tag is wrong, is drawn from `from`.
const char* problem(const simd::aes_kernels& table, const frame& f, byte_view sealed, random_bytes& from) {
  const std::size_t size = f.plaintext.size();
  simd::gcm_key expanded{};
  table.make_gcm(f.key.data(), f.key.size(), &expanded);
  arena in(size, from.below(64)), out(size, from.below(64)), aad(f.aad.size(), from.below(64));
  std::ranges::copy(f.plaintext, in.data());
  std::ranges::copy(f.aad, aad.data());
  arena tag(aead_tag_size, from.below(64));
  const auto job = [&](const std::uint8_t* source, std::uint8_t* target) {
    return simd::gcm_frame{&expanded, f.nonce.data(), aad.data(), f.aad.size(), source, target, size};
  };

  const simd::gcm_seal_job seal{job(in.data(), out.data()), tag.data()};
  table.gcm_seal(&seal, 1);
  if (!equal(out.span(), sealed.first(size))) return "ciphertext";
  if (!equal(tag.span(), sealed.subspan(size))) return "tag";
  if (!equal(in.span(), f.plaintext)) return "sealing changed the plaintext";

  const simd::gcm_seal_job over{job(in.data(), in.data()), tag.data()};
  table.gcm_seal(&over, 1);
  if (!equal(in.span(), sealed.first(size)) || !equal(tag.span(), sealed.subspan(size))) return "sealing in place";

  std::ranges::fill(out.span(), std::uint8_t{0});
  simd::gcm_open_job open{job(in.data(), out.data()), tag.data(), false};
  table.gcm_open(&open, 1);
  if (!open.good || !equal(out.span(), f.plaintext)) return "opening";

  tag.data()[from.below(16)] ^= static_cast<std::uint8_t>(1U << from.below(8));
  table.gcm_open(&open, 1);
  if (open.good) return "a wrong tag opens";

  std::ranges::copy(sealed.subspan(size), tag.data());
  simd::gcm_open_job open_over{job(in.data(), in.data()), tag.data(), false};
  table.gcm_open(&open_over, 1);
  if (!open_over.good || !equal(in.span(), f.plaintext)) return "opening in place";

  const bool margins = in.margins_stand() && out.margins_stand() && aad.margins_stand() && tag.margins_stand();
  return margins ? nullptr : "written outside of the output";
}

/// compare(cases, next, seed): frames from next(i, random) in every kernel against every library.
template <class Next>
void compare(std::size_t cases, Next next, std::uint64_t seed) {
  random_bytes random(seed);
  for (std::size_t i = 0; i < cases; ++i) {
    const frame f = next(i, random);
    std::vector<std::pair<const char*, bytes>> answers;
#if CONCLAVE_WITH_OPENSSL
    answers.emplace_back("OpenSSL", sealed_by<openssl>(f));
#endif
#if CONCLAVE_WITH_BOTAN
    answers.emplace_back("Botan", sealed_by<botan>(f));
#endif
    for (const auto& [library, sealed] : answers)
      if (sealed != answers.front().second) FAIL(library << " differs from " << answers.front().first);
    if (answers.empty()) FAIL("no library to compare with");
    for (const simd::aes_kernels* const table : simd::all<simd::aes_kernels>()) {
      if (!simd::cpu_can_run(table->needs)) continue;
      const char* const wrong = problem(*table, f, answers.front().second, random);
      if (wrong == nullptr) continue;
      FAIL(table->name << " differs from the libraries in case " << i << ": " << f.plaintext.size() << " bytes, "
                       << f.aad.size() << " additional, key of " << f.key.size() << ": " << wrong);
    }
  }
  SUCCEED("all alike");
}

}  // namespace

TEST_CASE("AES-GCM: each kernel gives the published answers") {
  std::ifstream file(CONCLAVE_VECTORS "/crypto/nist-aes-gcm.json");
  const auto cases = nlohmann::json::parse(file).at("cases");
  REQUIRE(cases.size() >= 6);
  for_each_kernel<simd::aes_kernels>([&](const simd::aes_kernels& table) {
    random_bytes random(1);
    for (const auto& c : cases) {
      const auto hex = [&](const char* name) { return from_hex(c.at(name).template get<std::string>()); };
      const frame f{c.at("aead").get<aead_id>(), hex("key"), hex("nonce"), hex("aad"), hex("plaintext")};
      INFO(table.name << ", case " << c.at("case"));
      const char* const wrong = problem(table, f, hex("ciphertext"), random);
      CHECK(std::string(wrong == nullptr ? "" : wrong) == "");
    }
  });
}

TEST_CASE("AES-CTR: each kernel gives the published answers") {
  // NIST SP 800-38A F.5.1 and F.5.5
  const bytes counter = from_hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  const bytes plaintext = from_hex(
      "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
      "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
  const std::array keys{from_hex("2b7e151628aed2a6abf7158809cf4f3c"),
                        from_hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")};
  const std::array answers{from_hex("874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
                                    "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee"),
                           from_hex("601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
                                    "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6")};
  for_each_kernel<simd::aes_kernels>([&](const simd::aes_kernels& table) {
    INFO(table.name);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      auto k = default_provider::ctr_key::make(i == 0 ? ctr_id::aes_128_ctr : ctr_id::aes_256_ctr, keys[i]);
      bytes out(plaintext.size());
      REQUIRE(k);
      REQUIRE(k->xor_keystream(counter, plaintext, out));
      CHECK(out == answers[i]);
    }
  });
}

TEST_CASE("AES-GCM: kernels and libraries agree at every length up to 2048") {
  compare(2049, [](std::size_t i, random_bytes& from) { return frame::random(from, i, from.below(40)); }, 2);
}

TEST_CASE("AES-GCM: kernels and libraries agree at every length of additional data up to 300") {
  compare(301, [](std::size_t i, random_bytes& from) { return frame::random(from, from.below(400), i); }, 3);
}

TEST_CASE("AES-GCM: kernels and libraries agree where one reduction is just enough") {
  compare(
      25 * 25,
      [](std::size_t i, random_bytes& from) {
        const std::size_t blocks = i / 25, aad_blocks = i % 25;
        return frame::random(from, blocks * 16 + from.below(16), aad_blocks * 16 + from.below(16));
      },
      4);
}

TEST_CASE("AES-GCM: kernels and libraries agree on a million random frames", "[slow]") {
  compare(
      1'000'000,
      [](std::size_t i, random_bytes& from) {
        const std::size_t size = i % 1000 == 0 ? from.below(70000) : from.below(i % 4 == 0 ? 2049 : 400);
        return frame::random(from, size, from.below(i % 16 == 0 ? 301 : 48));
      },
      5);
}

namespace {

template <class P>
bytes keystream_by(ctr_id id, byte_view raw, byte_view counter, byte_view in) {
  auto k = P::ctr_key::make(id, raw);
  bytes out(in.size());
  if (!k || !k->xor_keystream(counter, in, out)) throw std::runtime_error("the library does not encrypt");
  return out;
}

/// agree_on_counter: a key of the default provider, with the kernel that is forced, against every library.
bool agree_on_counter(ctr_id id, byte_view raw, byte_view counter, byte_view in, random_bytes& from) {
  arena separate(in.size(), from.below(64)), over(in.size(), from.below(64));
  std::ranges::copy(in, over.data());
  auto k = default_provider::ctr_key::make(id, raw);
  if (!k || !k->xor_keystream(counter, in, separate.span())) return false;
  if (!k->xor_keystream(counter, over.span(), over.span())) return false;
  bool good = equal(separate.span(), over.span()) && separate.margins_stand() && over.margins_stand();
#if CONCLAVE_WITH_OPENSSL
  good = good && equal(separate.span(), keystream_by<openssl>(id, raw, counter, in));
#endif
#if CONCLAVE_WITH_BOTAN
  good = good && equal(separate.span(), keystream_by<botan>(id, raw, counter, in));
#endif
  return good;
}

void counters(std::size_t cases, std::uint64_t seed) {
  for_each_kernel<simd::aes_kernels>([&](const simd::aes_kernels& table) {
    INFO(table.name);
    random_bytes random(seed);
    for (std::size_t i = 0; i < cases; ++i) {
      const ctr_id id = i % 2 == 0 ? ctr_id::aes_128_ctr : ctr_id::aes_256_ctr;
      bytes counter = random.some(16);
      // a run of ones before the end carries as far up as it is long
      const std::size_t ones = random.below(17);
      std::fill(counter.end() - static_cast<std::ptrdiff_t>(ones), counter.end(), std::uint8_t{0xff});
      if (ones > 0) counter[15] = static_cast<std::uint8_t>(0xff - random.below(140));
      const bytes in = random.some(i < 2049 ? i : random.below(3000));
      if (agree_on_counter(id, random.some(ctr_key_size(id)), counter, in, random)) continue;
      FAIL_CHECK("case " << i << ": " << in.size() << " bytes, the counter ends in " << ones << " ones");
      return;
    }
    SUCCEED("all alike");
  });
}

}  // namespace

TEST_CASE("AES-CTR: kernels and libraries agree at every length, and the counter carries into all of its bytes") {
  counters(2049, 6);
}

TEST_CASE("AES-CTR: kernels and libraries agree on many counters", "[slow]") { counters(300'000, 7); }

namespace {

[[nodiscard]] bool same(const status& a, const status& b) {
  return a.has_value() == b.has_value() && (a || a.error().code() == b.error().code());
}

/// batch: frames under many keys, made under several kernels, of which some are tampered with or asked for wrongly.
struct batch {
  std::vector<key> keys;
  std::vector<bytes> nonces, aads, inputs, outputs, tags;

  template <class Job, class Make>
  [[nodiscard]] std::vector<Job> jobs(Make make) {
    std::vector<Job> out;
    for (std::size_t i = 0; i < inputs.size(); ++i) out.push_back(make(i));
    return out;
  }
};

batch make_batch(random_bytes& from, std::span<const std::string_view> kernels, std::size_t count) {
  batch b;
  for (std::size_t i = 0; i < count; ++i) {
    const forced_kernel here(kernels[from.below(kernels.size())]);
    const frame f = frame::random(from, from.below(500), from.below(60));
    auto made = key::make(f.aead, f.key);
    REQUIRE(made);
    b.keys.push_back(std::move(*made));
    b.nonces.push_back(f.nonce);
    b.aads.push_back(f.aad);
    b.inputs.push_back(f.plaintext);
    b.outputs.emplace_back(f.plaintext.size(), std::uint8_t{0xa5});
    b.tags.emplace_back(16, std::uint8_t{0xa5});
  }
  return b;
}

void many_as_one_by_one(std::span<const std::string_view> kernels, std::uint64_t seed) {
  random_bytes random(seed);
  for (const std::size_t count : {0U, 1U, 2U, 15U, 16U, 17U, 40U}) {
    for (const bool misuse : {false, true}) {
      batch b = make_batch(random, kernels, count);
      if (misuse && count > 0) b.nonces[random.below(count)].pop_back();
      auto sealing = b.jobs<seal_job<key>>([&](std::size_t i) {
        return seal_job<key>{&b.keys[i], b.nonces[i], b.aads[i], b.inputs[i], b.outputs[i], b.tags[i]};
      });
      seal_many(std::span{sealing});
      for (std::size_t i = 0; i < count; ++i) {
        bytes out(b.outputs[i].size(), 0x5a), tag(16, 0x5a);
        const status single = b.keys[i].seal(b.nonces[i], b.aads[i], b.inputs[i], out, tag);
        REQUIRE(same(single, sealing[i].done));
        REQUIRE(out == b.outputs[i]);
        REQUIRE(tag == b.tags[i]);
      }

      // what was sealed is opened, except where a bit is wrong
      b.inputs.swap(b.outputs);
      std::vector<bool> forged(count);
      for (std::size_t i = 0; i < count; ++i) {
        forged[i] = random.below(3) == 0;
        if (forged[i]) b.tags[i][random.below(16)] ^= 1;
        std::ranges::fill(b.outputs[i], std::uint8_t{0xa5});
      }
      auto opening = b.jobs<open_job<key>>([&](std::size_t i) {
        return open_job<key>{&b.keys[i], b.nonces[i], b.aads[i], b.inputs[i], b.tags[i], b.outputs[i]};
      });
      open_many(std::span{opening});
      for (std::size_t i = 0; i < count; ++i) {
        bytes out(b.outputs[i].size(), 0x5a);
        const status single = b.keys[i].open(b.nonces[i], b.aads[i], b.inputs[i], b.tags[i], out);
        REQUIRE(same(single, opening[i].done));
        REQUIRE(out == b.outputs[i]);
        if (forged[i]) REQUIRE_FALSE(opening[i].done);
      }
    }
  }
}

}  // namespace

TEST_CASE("AES-GCM: many frames under many keys become what they become one by one, failures included") {
  for (const std::string_view name : {"aesni", "vaes256", "vaes512", "none"}) {
    if (name != "none" && std::ranges::count(simd::available(), name) == 0) continue;
    INFO(name);
    many_as_one_by_one({&name, 1}, 8);
  }
  std::vector<std::string_view> all{"none"};
  for_each_kernel<simd::aes_kernels>([&](const simd::aes_kernels& table) { all.emplace_back(table.name); });
  many_as_one_by_one(all, 9);
}

TEST_CASE("AES-CTR: many messages under many keys become what they become one by one") {
  using ctr = default_provider::ctr_key;
  for_each_kernel<simd::aes_kernels>([](const simd::aes_kernels& table) {
    INFO(table.name);
    random_bytes random(10);
    for (const bool wraps : {false, true}) {
      std::vector<ctr> keys;
      std::vector<bytes> counters, inputs, outputs;
      for (std::size_t i = 0; i < 37; ++i) {
        const ctr_id id = i % 2 == 0 ? ctr_id::aes_128_ctr : ctr_id::aes_256_ctr;
        auto made = ctr::make(id, random.some(ctr_key_size(id)));
        REQUIRE(made);
        keys.push_back(std::move(*made));
        counters.push_back(random.some(16));
        if (wraps && i % 5 == 0) std::fill(counters[i].begin() + 9, counters[i].end(), std::uint8_t{0xff});
        inputs.push_back(random.some(random.below(600)));
        outputs.emplace_back(inputs[i].size());
      }
      std::vector<ctr_job<ctr>> jobs;
      for (std::size_t i = 0; i < keys.size(); ++i) jobs.push_back({&keys[i], counters[i], inputs[i], outputs[i]});
      xor_keystream_many(std::span{jobs});
      for (std::size_t i = 0; i < keys.size(); ++i) {
        bytes out(inputs[i].size());
        REQUIRE(same(keys[i].xor_keystream(counters[i], inputs[i], out), jobs[i].done));
        REQUIRE(out == outputs[i]);
      }
    }
  });
}
