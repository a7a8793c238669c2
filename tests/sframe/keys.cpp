// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <sframe/support.hpp>

using namespace sframe_test;
using sframe::kid_layout;

TEST_CASE("the suites have the constants of the registry") {
  struct row {
    std::uint16_t number;
    std::size_t Nh, Nka, Nk, Nn, Nt;
  };
  for (const row& r :
       {row{1, 32, 16, 48, 12, 10}, row{2, 32, 16, 48, 12, 8}, row{3, 32, 16, 48, 12, 4}, row{4, 32, 0, 16, 12, 16},
        row{5, 64, 0, 32, 12, 16}, row{6, 64, 32, 96, 12, 10}, row{7, 64, 32, 96, 12, 8}, row{8, 64, 32, 96, 12, 4}}) {
    const auto p = sframe::parameters(cipher_suite{r.number});
    REQUIRE(p);
    CHECK(p->Nh == r.Nh);
    CHECK(p->Nka == r.Nka);
    CHECK(p->Nk == r.Nk);
    CHECK(p->Nn == r.Nn);
    CHECK(p->Nt == r.Nt);
    CHECK(hash_size(p->hash) == r.Nh);
    if (const auto aead = sframe::aead_of(cipher_suite{r.number})) CHECK(aead_key_size(*aead) == r.Nk);
  }
  for (const std::uint16_t number : std::initializer_list<std::uint16_t>{0, 9, 0xf000, 0xffff})
    CHECK(outcome(sframe::parameters(cipher_suite{number})) == errc::unsupported);
}

TEST_CASE("secrets, keys, salts and nonces are those of the vectors") {
  for_each_served([]<class P>(cipher_suite suite) {
    const auto cases = vectors_of(suite);
    CHECK(has_vectors(suite) == !cases.empty());
    for (const auto& v : cases) {
      const auto secret = sframe::extract<P>(suite, base_from(from_hex(text_of(v, "base_key"))));
      REQUIRE(secret);
      CHECK(to_hex(secret->reveal()) == text_of(v, "sframe_secret"));
      const auto derived = sframe::derive_key_salt<P>(suite, v.at("kid"), *secret);
      REQUIRE(derived);
      CHECK(to_hex(derived->key.reveal()) == text_of(v, "sframe_key"));
      CHECK(to_hex(derived->salt.reveal()) == text_of(v, "sframe_salt"));
      CHECK(to_hex(sframe::form_nonce(derived->salt, v.at("ctr"))) == text_of(v, "nonce"));
    }
  });
}

TEST_CASE("an empty base key is misuse") {
  CHECK(outcome(sframe::extract<default_provider>(suite4, sframe::base_key{})) == errc::misuse);
}

TEST_CASE("a nonce is the salt with the counter in its last eight bytes") {
  auto salt = sframe::sframe_salt::copy_of(from_hex("000102030405060708090a0b"));
  REQUIRE(salt);
  CHECK(to_hex(sframe::form_nonce(*salt, 0)) == "000102030405060708090a0b");
  CHECK(to_hex(sframe::form_nonce(*salt, 1)) == "000102030405060708090a0a");
  CHECK(to_hex(sframe::form_nonce(*salt, ~std::uint64_t{0})) == "00010203fbfaf9f8f7f6f5f4");
}

TEST_CASE("key ids of RFC 9605 5.2") {
  std::size_t ran = 0;
  for (const auto& file : vector_files()) {
    const auto vectors = load(file);
    for (const auto& v : vectors.value("mls_kid", nlohmann::json::array())) {
      const unsigned S = v.at("S");
      const auto layout = kid_layout::make(v.at("E").get<unsigned>(), 1U << S);
      REQUIRE(layout);
      CHECK(layout->index_bits() == S);
      const auto kid = layout->encode(v.at("epoch"), v.at("index"), v.at("context"));
      REQUIRE(kid);
      CHECK(*kid == v.at("kid").get<std::uint64_t>());
      CHECK(layout->decode(*kid) ==
            sframe::kid_fields{v.at("epoch").get<std::uint64_t>() % (1U << layout->epoch_bits()), v.at("index"),
                               v.at("context")});
      ++ran;
    }
  }
  CHECK(ran >= 9);
}

TEST_CASE("S is the least number of bits for the leaves of the tree") {
  struct row {
    std::uint32_t leaves;
    unsigned S;
  };
  for (const row& r :
       {row{1, 0}, row{2, 1}, row{3, 2}, row{4, 2}, row{5, 3}, row{64, 6}, row{65, 7}, row{1U << 20U, 20}})
    CHECK(kid_layout::make(8, r.leaves)->index_bits() == r.S);
  CHECK(outcome(kid_layout::make(8, 0)) == errc::misuse);
  CHECK(outcome(kid_layout::make(8, limits::leaves + 1)) == errc::over_limit);
  CHECK(outcome(kid_layout::make(8, ~std::uint32_t{0})) == errc::over_limit);
}

TEST_CASE("a key id that does not fit 64 bits is over the limit") {
  CHECK(outcome(kid_layout::make(64, 1)) == errc::over_limit);
  CHECK(outcome(kid_layout::make(63, 2)) == errc::over_limit);
  CHECK(outcome(kid_layout::make(~0U, 64)) == errc::over_limit);

  const auto tight = kid_layout::make(63, 1);  // one bit of context
  REQUIRE(tight);
  CHECK(*tight->encode(~std::uint64_t{0}, 0, 1) == ~std::uint64_t{0});
  CHECK(outcome(tight->encode(0, 0, 2)) == errc::over_limit);

  const auto usual = kid_layout::make(8, 50);
  REQUIRE(usual);
  const std::uint64_t most = (std::uint64_t{1} << (64 - 8 - 6)) - 1;
  CHECK(*usual->encode(~std::uint64_t{0}, 63, most) == ~std::uint64_t{0});
  CHECK(usual->decode(~std::uint64_t{0}) == sframe::kid_fields{255, 63, most});
  CHECK(outcome(usual->encode(0, 0, most + 1)) == errc::over_limit);
  CHECK(outcome(usual->encode(0, 0, ~std::uint64_t{0})) == errc::over_limit);
  CHECK(outcome(usual->encode(0, 64, 0)) == errc::over_limit);

  const auto none = kid_layout::make(0, 1);  // everything is context
  REQUIRE(none);
  CHECK(*none->encode(7, 0, ~std::uint64_t{0}) == ~std::uint64_t{0});
  CHECK(none->decode(~std::uint64_t{0}) == sframe::kid_fields{0, 0, ~std::uint64_t{0}});
}
