// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// AES-GCM and AES-CTR of every kernel against other people's figures alone: no library is asked, so that this runs
/// wherever a kernel does.
#include "support/hex.hpp"
#include "support/kernels.hpp"

#include <conclave/bytes.hpp>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <fstream>
#include <optional>

namespace {

using namespace conclave;
using conclave_test::for_each_kernel, conclave_test::from_hex, conclave_test::to_hex;
using nlohmann::json;

json read(const std::string& path) {
  std::ifstream file(path);
  INFO(path);
  REQUIRE(file);
  return json::parse(file);
}
bytes hex(const json& c, const char* name) { return from_hex(c.at(name).get<std::string>()); }

/// sealed_by(table, ...): ciphertext || tag.
bytes sealed_by(const simd::aes_kernels& table, const simd::gcm_key& key, byte_view nonce, byte_view aad,
                byte_view plaintext) {
  bytes out(plaintext.size() + 16);
  const simd::gcm_seal_job job{
      {&key, nonce.data(), aad.data(), aad.size(), plaintext.data(), out.data(), plaintext.size()},
      out.data() + plaintext.size()};
  table.gcm_seal(&job, 1);
  return out;
}
/// opened_by(table, ...): the plaintext; nothing where the kernel refuses.
std::optional<bytes> opened_by(const simd::aes_kernels& table, const simd::gcm_key& key, byte_view nonce, byte_view aad,
                               byte_view sealed) {
  bytes out(sealed.size() - 16);
  simd::gcm_open_job job{{&key, nonce.data(), aad.data(), aad.size(), sealed.data(), out.data(), out.size()},
                         sealed.data() + out.size(),
                         false};
  table.gcm_open(&job, 1);
  return job.good ? std::optional(out) : std::nullopt;
}

/// pattern(n, factor, add): byte i is factor * i + add.
bytes pattern(std::size_t n, std::size_t factor, std::size_t add) {
  bytes out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::uint8_t>(factor * i + add);
  return out;
}

}  // namespace

#if CONCLAVE_AARCH64 && defined(__linux__)
TEST_CASE("Kernels: those are available whose instructions the CPU names in its register") {
  std::uint64_t isar0 =
      0;  // Arm Architecture Reference Manual, ID_AA64ISAR0_EL1: AES, with PMULL where it is 2, and SHA2
  __asm__("mrs %0, id_aa64isar0_el1" : "=r"(isar0));
  std::vector<std::string_view> expected;
  if ((isar0 >> 4U & 15U) >= 2) expected.emplace_back("armv8-aes");
  if ((isar0 >> 12U & 15U) >= 1) expected.emplace_back("armv8-sha2");
  CHECK(simd::available() == expected);
}
#endif

TEST_CASE("AES-GCM: the test cases of its authors") {
  const json cases = read(CONCLAVE_VECTORS "/crypto/nist-aes-gcm.json").at("cases");
  REQUIRE(cases.size() >= 6);
  const int kernels = for_each_kernel<simd::aes_kernels>([&](const simd::aes_kernels& table) {
    for (const json& c : cases) {
      INFO(table.name << ", case " << c.at("case"));
      simd::gcm_key key;
      const bytes raw = hex(c, "key"), nonce = hex(c, "nonce"), aad = hex(c, "aad"), sealed = hex(c, "ciphertext");
      table.make_gcm(raw.data(), raw.size(), &key);
      CHECK(sealed_by(table, key, nonce, aad, hex(c, "plaintext")) == sealed);
      CHECK(opened_by(table, key, nonce, aad, sealed) == hex(c, "plaintext"));
    }
  });
  const conclave_test::forced_kernel best("best");
  CHECK((kernels > 0) == (simd::current<simd::aes_kernels>() != nullptr));
}

TEST_CASE("AES-GCM: Wycheproof") {
  if (*CONCLAVE_EXTRA_VECTORS == '\0') {
    WARN("not run: it needs CONCLAVE_EXTRA_VECTORS");
    SUCCEED();
    return;
  }
  const json groups = read(CONCLAVE_EXTRA_VECTORS "/wycheproof/aes_gcm_test.json").at("testGroups");
  for_each_kernel<simd::aes_kernels>([&](const simd::aes_kernels& table) {
    int valid = 0, invalid = 0;
    for (const json& g : groups) {
      if (g.at("ivSize") != 96 || g.at("tagSize") != 128 || g.at("keySize") == 192) continue;
      for (const json& c : g.at("tests")) {
        INFO(table.name << ", tcId " << c.at("tcId"));
        simd::gcm_key key;
        const bytes raw = hex(c, "key"), nonce = hex(c, "iv"), aad = hex(c, "aad");
        bytes sealed = hex(c, "ct");
        append(sealed, hex(c, "tag"));
        table.make_gcm(raw.data(), raw.size(), &key);
        const auto opened = opened_by(table, key, nonce, aad, sealed);
        if (c.at("result") == "invalid") {
          CHECK(!opened);
          ++invalid;
        } else {
          CHECK(opened == hex(c, "msg"));
          CHECK(sealed_by(table, key, nonce, aad, hex(c, "msg")) == sealed);
          ++valid;
        }
      }
    }
    CHECK(valid >= 60);
    CHECK(invalid >= 50);
  });
}

TEST_CASE("AES-GCM, AES-CTR: every length up to 2048, whole and a byte off its alignment") {
  const json known = read(CONCLAVE_VECTORS "/crypto/aes-lengths.json");
  for_each_kernel<simd::aes_kernels>([&](const simd::aes_kernels& table) {
    for (const json& c : known.at("cases")) {
      INFO(table.name << ", key of " << c.at("key") << " bytes");
      const auto key_size = c.at("key").get<std::size_t>();
      std::uint64_t gcm = 0, ctr = 0;
      const auto fold = [](std::uint64_t& into, byte_view b) {
        for (const std::uint8_t x : b) into = into * 0x100000001b3 + x;
      };
      for (std::size_t n = 0; n <= 2048; ++n) {
        const bytes raw = pattern(key_size, 1, n), nonce = pattern(12, 7, n), aad = pattern(n % 61, 3, n);
        const bytes memory = pattern(n + 1, 11, n + 245), first = pattern(16, 5, n);  // the plaintext starts with n
        const byte_view plaintext = byte_view{memory}.subspan(1);
        simd::gcm_key key;
        table.make_gcm(raw.data(), raw.size(), &key);
        const bytes sealed = sealed_by(table, key, nonce, aad, plaintext);
        fold(gcm, sealed);
        const auto opened = opened_by(table, key, nonce, aad, sealed);
        REQUIRE(opened);
        REQUIRE(equal(*opened, plaintext));

        simd::aes_schedule schedule;
        table.expand(raw.data(), raw.size(), &schedule);
        bytes out(n);
        const simd::ctr_job job{&schedule, first.data(), plaintext.data(), out.data(), n};
        table.ctr(&job, 1);
        fold(ctr, out);
      }
      CHECK(gcm == std::stoull(c.at("gcm").get<std::string>(), nullptr, 16));
      CHECK(ctr == std::stoull(c.at("ctr").get<std::string>(), nullptr, 16));
    }
  });
}

TEST_CASE("AES-CTR: the counter of a kernel wraps after 32 bits, wherever in a run that is") {
  for_each_kernel<simd::aes_kernels>([&](const simd::aes_kernels& table) {
    INFO(table.name);
    const bytes raw = pattern(16, 1, 0), in(16 * 40, 0);
    simd::aes_schedule schedule;
    table.expand(raw.data(), raw.size(), &schedule);
    for (std::uint32_t before = 0; before < 40; ++before) {
      bytes counter = pattern(16, 9, 1), whole(in.size()), single(in.size());
      store_be(0U - before, byte_span{counter}.subspan(12));
      const simd::ctr_job run{&schedule, counter.data(), in.data(), whole.data(), in.size()};
      table.ctr(&run, 1);
      for (std::uint32_t i = 0; i < 40; ++i) {
        store_be(i - before, byte_span{counter}.subspan(12));
        const simd::ctr_job one{&schedule, counter.data(), in.data(), single.data() + 16 * i, 16};
        table.ctr(&one, 1);
      }
      REQUIRE(whole == single);
    }
  });
}
