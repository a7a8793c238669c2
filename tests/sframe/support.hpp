// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What the SFrame tests share: vector files, made-up keys, and every suite on every provider.
#pragma once

#include <conclave/crypto/provider.hpp>
#include <conclave/sframe/opener.hpp>
#include <conclave/sframe/sealer.hpp>

#include <support/hex.hpp>
#include <support/providers.hpp>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace sframe_test {

using namespace conclave;
using conclave_test::from_hex;
using conclave_test::to_hex;
using sframe::cipher_suite;

inline constexpr auto suite4 = cipher_suite::aes_128_gcm_sha256_128;
inline constexpr auto suite5 = cipher_suite::aes_256_gcm_sha512_128;
inline constexpr cipher_suite all_suites[] = {
    cipher_suite::aes_128_ctr_hmac_sha256_80, cipher_suite::aes_128_ctr_hmac_sha256_64,
    cipher_suite::aes_128_ctr_hmac_sha256_32, cipher_suite::aes_128_gcm_sha256_128,
    cipher_suite::aes_256_gcm_sha512_128,     cipher_suite::aes_256_ctr_hmac_sha512_80,
    cipher_suite::aes_256_ctr_hmac_sha512_64, cipher_suite::aes_256_ctr_hmac_sha512_32};

inline sframe::base_key base_from(byte_view raw) {
  auto key = sframe::base_key::copy_of(raw);
  REQUIRE(key);
  return *std::move(key);
}

/// numbered_base(n): a base key of 16 bytes that differs for every n.
inline sframe::base_key numbered_base(std::uint64_t n) {
  bytes raw(16, 0x5a);
  store_be(n, raw);
  return base_from(raw);
}

/// noise(n, seed): n bytes that look like nothing in particular.
inline bytes noise(std::size_t n, std::uint64_t seed = 1) {
  bytes out(n);
  for (std::uint8_t& byte : out) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    byte = static_cast<std::uint8_t>(seed >> 56U);
  }
  return out;
}

/// vector_files(): the project's own file, and those of the folder given at configuration time, which then must be
/// there.
inline std::vector<std::filesystem::path> vector_files() {
  std::vector<std::filesystem::path> files{std::filesystem::path(CONCLAVE_VECTORS) / "sframe-rfc9605.json"};
  const std::string extra = CONCLAVE_EXTRA_VECTORS;
  if (extra.empty()) return files;
  const std::size_t own = files.size();
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(extra) / "sframe"))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  REQUIRE(files.size() > own);
  return files;
}

inline nlohmann::json load(const std::filesystem::path& file) {
  INFO(file);
  std::ifstream in(file);
  REQUIRE(in);
  auto parsed = nlohmann::json::parse(in);
  REQUIRE(!parsed.empty());
  return parsed;
}

inline std::string text_of(const nlohmann::json& vector, const char* name) {
  return vector.at(name).get<std::string>();
}

/// vectors_of(suite): the cases of appendix C.3 and its like for one suite.
inline std::vector<nlohmann::json> vectors_of(cipher_suite suite) {
  std::vector<nlohmann::json> cases;
  for (const auto& file : vector_files()) {
    const auto all = load(file);
    for (const char* name : {"sframe", "sframe_aes_256_ctr_hmac"})
      for (const auto& v : all.value(name, nlohmann::json::array()))
        if (v.at("cipher_suite") == static_cast<std::uint16_t>(suite)) cases.push_back(v);
  }
  return cases;
}

/// has_vectors(suite): the RFC has some for every suite it defines; those for 6 to 8 come from the folder given.
inline bool has_vectors(cipher_suite suite) {
  return static_cast<std::uint16_t>(suite) <= 5 || std::string(CONCLAVE_EXTRA_VECTORS).size() > 0;
}

/// for_each_served(work): work.operator()<P>(suite) for every suite on every provider that serves it, and a check that
/// these are the providers that should.
template <class F>
void for_each_served(F work) {
  for (const cipher_suite suite : all_suites) {
    const int served = conclave_test::for_each_provider([&]<class P>(const char* name) {
      INFO(name);
      REQUIRE(P::ready());
      if (!sframe::supports<P>(suite)) return false;
      work.template operator()<P>(suite);
      return true;
    });
    const bool in_sodium = suite == suite5 && crypto_aead_aes256gcm_is_available() == 1;
    CHECK(served == conclave_test::servers(in_sodium, true, true));
  }
}

/// a member of a meeting, seen from outside: what a sealer and an opener need to agree.
inline constexpr unsigned E = 8;

inline std::uint64_t kid_of(std::uint64_t epoch, std::uint32_t leaves, std::uint32_t index, std::uint64_t context = 0) {
  const auto layout = sframe::kid_layout::make(E, leaves);
  REQUIRE(layout);
  const auto kid = layout->encode(epoch, index, context);
  REQUIRE(kid);
  return *kid;
}

template <class P = default_provider>
sframe::sealer<P> sealer_for(std::uint64_t epoch, std::uint32_t leaves, std::uint32_t index, std::uint64_t context = 0,
                             cipher_suite suite = suite4, std::uint64_t first_counter = 0) {
  auto made =
      sframe::sealer<P>::make(suite, kid_of(epoch, leaves, index, context), numbered_base(epoch), first_counter);
  REQUIRE(made);
  return *std::move(made);
}

template <class P = default_provider>
sframe::opener<P> opener_for(std::uint64_t epoch, std::uint32_t leaves, std::uint32_t own_index,
                             cipher_suite suite = suite4) {
  auto made = sframe::opener<P>::make(E);
  REQUIRE(made);
  REQUIRE(made->add_epoch({epoch, suite, leaves, own_index}, numbered_base(epoch)));
  return *std::move(made);
}

template <class P>
bytes sealed(sframe::sealer<P>& from, byte_view plaintext, byte_view metadata = {}) {
  bytes out(sframe::sealed_size(plaintext.size()));
  const auto frame = from.seal(plaintext, metadata, out);
  REQUIRE(frame);
  return to_bytes(*frame);
}

/// outcome(result): the error code, or errc{} for success: what a CHECK prints well.
template <class T>
errc outcome(const result<T>& r) {
  return r ? errc{} : r.error().code();
}

/// tree_size: leaves of the group in most tests.
inline constexpr std::uint32_t tree_size = 40;

/// open_code(ear, frame, now, metadata): how opening it ends.
template <class P>
errc open_code(sframe::opener<P>& ear, byte_view frame, steady_time now = {}, byte_view metadata = {}) {
  bytes out(frame.size() + 1);
  return outcome(ear.open(frame, metadata, out, now));
}

/// forged(kid, ctr, size): a frame with this key id and counter that nobody sealed.
inline bytes forged(std::uint64_t kid, std::uint64_t ctr, std::size_t size = 60) {
  bytes frame = noise(sframe::header_size(kid, ctr) + size, kid + ctr);
  (void)sframe::header{kid, ctr}.encode(frame);
  return frame;
}

}  // namespace sframe_test

namespace Catch {
template <>
struct StringMaker<conclave::errc> {
  static std::string convert(conclave::errc code) {
    return code == conclave::errc{} ? "success" : conclave::text(code);
  }
};
}  // namespace Catch
