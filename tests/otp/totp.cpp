// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The codes themselves: whose they are, and when they are accepted.
#include "support.hpp"

#include "support/providers.hpp"

#include <nlohmann/json.hpp>

using namespace conclave_test;

namespace {

nlohmann::json vectors(const char* name) {
  std::ifstream in(CONCLAVE_VECTORS "/crypto/" + std::string(name));
  INFO(name);
  REQUIRE(in);
  return nlohmann::json::parse(in);
}

otp::algorithm algorithm_of(const nlohmann::json& c) {
  const auto name = c.at("algorithm").get<std::string>();
  return name == "sha1" ? otp::algorithm::sha1 : name == "sha256" ? otp::algorithm::sha256 : otp::algorithm::sha512;
}

/// code_in_every_way(...): Botan's and each provider's; how many computed it.
int code_in_every_way(otp::algorithm a, const bytes& key, unsigned digits, std::uint64_t step,
                      const std::string& expected) {
  CHECK(digits_of(*otp::botan_hotp::hotp(a, key, digits, step), digits) == expected);
  return 1 + for_each_provider([&]<class P>(const char* name) {
           if (!P::supports(otp::hash_of(a))) return false;
           INFO(name);
           CHECK(digits_of(*reference_hotp<P>::hotp(a, key, digits, step), digits) == expected);
           return true;
         });
}

otp::shared_secret secret_of(byte_view raw) { return *otp::shared_secret::copy_of(raw); }

unix_time at(std::int64_t seconds) { return unix_time{std::chrono::seconds{seconds}}; }

constexpr otp::algorithm algorithms[] = {otp::algorithm::sha1, otp::algorithm::sha256, otp::algorithm::sha512};

/// scripted_hotp: codes that a test writes down, and how often it was asked.
struct scripted_hotp {
  static inline std::map<std::uint64_t, std::uint32_t> codes;
  static inline int calls = 0;
  static result<std::uint32_t> hotp(otp::algorithm, byte_view, unsigned, std::uint64_t step) {
    ++calls;
    return codes.at(step);
  }
};

}  // namespace

TEST_CASE("T1: the values of RFC 4226 appendix D and RFC 6238 appendix B, from Botan and every provider") {
  const auto hotp = vectors("rfc4226-hotp.json"), totp = vectors("rfc6238-totp.json");
  REQUIRE(hotp.at("cases").size() == 10);
  REQUIRE(totp.at("cases").size() == 18);
  for (const auto& c : hotp.at("cases"))
    CHECK(code_in_every_way(algorithm_of(c), from_hex(c.at("secret").get<std::string>()), 6,
                            c.at("counter").get<std::uint64_t>(), c.at("code").get<std::string>()) >= 3);
  for (const auto& c : totp.at("cases")) {
    const otp::parameters p{algorithm_of(c), 8};
    const bytes key = from_hex(c.at("secret").get<std::string>());
    const unix_time now = at(c.at("time").get<std::int64_t>());
    const auto step = otp::time_step(now, p);
    REQUIRE(step);
    const auto code = c.at("code").get<std::string>();
    CHECK(code_in_every_way(p.algorithm, key, 8, *step, code) >= 3);
    CHECK(*otp::verify<otp::botan_hotp>(secret_of(key), p, *otp::read_code(code, 8), now, {}) == *step);
  }
}

TEST_CASE("T1: Botan, every provider and oathtool agree on random secrets, times and periods") {
  deterministic_environment env(6238);
  int compared = 0;
  for (const otp::algorithm a : algorithms) {
    for (const std::uint8_t digits : {std::uint8_t{6}, std::uint8_t{8}}) {
      for (int i = 0; i < 8; ++i) {
        bytes key(20 + env.below(45));
        REQUIRE(env.random(key));
        const otp::parameters p{a, digits, std::chrono::seconds{i % 2 == 0 ? 30 : 15 + env.below(46)}};
        // half of them beyond 2^31 seconds
        const unix_time now = at(static_cast<std::int64_t>(env.below(std::size_t{1} << (i < 4 ? 31 : 33))));
        INFO(to_hex(key) << " at " << now.time_since_epoch().count() << " per " << p.period.count());
        const std::string expected = oathtool(to_hex(key), p, now);
        CHECK(code_in_every_way(a, key, digits, *otp::time_step(now, p), expected) >= 3);
        CHECK(authenticator(secret_of(key), p, now) == expected);
        ++compared;
      }
    }
  }
  CHECK(compared == 48);
}

TEST_CASE("T1: SHA-1, 6 digits and 30 seconds by default; SHA-256, SHA-512 and 8 digits besides, and nothing else") {
  CHECK(otp::parameters{} == otp::parameters{otp::algorithm::sha1, 6, 30s});
  for (const otp::algorithm a : algorithms)
    for (int digits = 0; digits < 256; ++digits) {
      const otp::parameters p{a, static_cast<std::uint8_t>(digits)};
      CHECK(p.check().has_value() == (digits == 6 || digits == 8));
    }
  for (int a = 0; a < 256; ++a) {
    const otp::parameters p{static_cast<otp::algorithm>(a)};
    CHECK(p.check().has_value() == (a >= 1 && a <= 3));
  }
  for (const auto& [period, good] :
       {std::pair{-30s, false}, {0s, false}, {14s, false}, {15s, true}, {60s, true}, {61s, false}})
    CHECK(otp::parameters{otp::algorithm::sha1, 6, period}.check().has_value() == good);
  const otp::shared_secret k(20);
  CHECK(fails(otp::verify<otp::botan_hotp>(k, {otp::algorithm::sha1, 7}, 0, at(0), {}), errc::refused,
              otp::rules::parameters_served));
}

TEST_CASE("T6: secrets have at least 160 bits, are of the size of the hash, and only random") {
  deterministic_environment env(1);
  for (const auto& [a, size] :
       {std::pair{otp::algorithm::sha1, 20U}, {otp::algorithm::sha256, 32U}, {otp::algorithm::sha512, 64U}}) {
    const auto first = otp::generate(env, a), second = otp::generate(env, a);
    REQUIRE((first && second));
    CHECK(first->size() == size);
    CHECK_FALSE(equal(first->reveal(), second->reveal()));
  }
  env.fail_after(0);
  CHECK(otp::generate(env, otp::algorithm::sha1).error() == errc::no_entropy);

  for (std::size_t size = 0; size <= 64; ++size)
    CHECK(otp::verify<otp::botan_hotp>(otp::shared_secret(size), {}, 1000000, at(59), {}).error() ==
          (size < 20 ? errc::refused : errc::unauthentic));
}

TEST_CASE("T6: what is typed is a code only where it has just its digits") {
  const auto read = [](const char* typed) {
    const auto code = otp::read_code(typed, 6);
    if (!code) CHECK(fails(code, errc::malformed, otp::rules::code_form));
    return code ? std::optional{*code} : std::nullopt;
  };
  CHECK(read("000000") == 0);
  CHECK(read("000042") == 42);
  CHECK(read("999999") == 999999);
  CHECK(read("123 456") == 123456);
  CHECK(read(" 1 2 3 4 5 6 ") == 123456);
  for (const char* typed : {"", " ", "12345", "1234567", "12345678", "12345a", "-12345", "+12345", "1234.5", "123456\n",
                            "12345\t6", "0x1234", "\xd9\xa1\xd9\xa2\xd9\xa3", "99999999999999999999"}) {
    INFO(typed);
    CHECK_FALSE(read(typed));
  }
  CHECK(otp::read_code("94287082", 8).has_value());
  CHECK_FALSE(otp::read_code("287082", 8).has_value());
}

TEST_CASE("T6: a drift of exactly one step either way is accepted, at both ends of a step") {
  const bytes key = from_hex("3132333435363738393031323334353637383930");
  for (const otp::algorithm a : algorithms) {
    for (const auto period : {15s, 30s, 60s}) {
      const otp::parameters p{a, 8, period};  // with eight digits no two of these codes are equal
      for (const std::int64_t into : {std::int64_t{0}, std::int64_t{1}, std::int64_t{period.count() - 1}}) {
        const std::uint64_t current = 41'152'263;
        const unix_time now = at(static_cast<std::int64_t>(current) * period.count() + into);
        for (std::uint64_t step = current - 4; step <= current + 4; ++step) {
          const auto code = *reference_hotp<default_provider>::hotp(a, key, 8, step);
          const auto found = otp::verify<otp::botan_hotp>(secret_of(key), p, code, now, {});
          const bool near = step >= current - 1 && step <= current + 1;
          if (near)
            CHECK(*found == step);
          else
            CHECK(fails(found, errc::unauthentic, otp::rules::code_matches));
        }
      }
    }
  }
}

TEST_CASE("T6: the first step of all has none before it, and times before 1970 are refused") {
  const bytes key(20, 1);
  const auto code = [&](std::uint64_t step) {
    return *reference_hotp<default_provider>::hotp(otp::algorithm::sha1, key, 6, step);
  };
  CHECK(*otp::verify<otp::botan_hotp>(secret_of(key), {}, code(0), at(0), {}) == 0);
  CHECK(*otp::verify<otp::botan_hotp>(secret_of(key), {}, code(1), at(29), {}) == 1);
  CHECK(*otp::verify<otp::botan_hotp>(secret_of(key), {}, code(0), at(30), {}) == 0);
  CHECK_FALSE(otp::verify<otp::botan_hotp>(secret_of(key), {}, code(~std::uint64_t{0}), at(0), {}).has_value());
  for (const std::int64_t before : {std::int64_t{-1}, std::int64_t{-30}, std::numeric_limits<std::int64_t>::min()})
    CHECK(fails(otp::verify<otp::botan_hotp>(secret_of(key), {}, code(0), at(before), {}), errc::refused,
                otp::rules::time_after_epoch));
}

TEST_CASE("T6: a code is accepted once: not at its step, nor before one that was used") {
  const bytes key(20, 3);
  const std::uint64_t current = 1000;
  for (std::uint64_t last = current - 4; last <= current + 4; ++last) {
    for (std::uint64_t step = current - 1; step <= current + 1; ++step) {
      const auto code = *reference_hotp<default_provider>::hotp(otp::algorithm::sha1, key, 8, step);
      const auto found =
          otp::verify<otp::botan_hotp>(secret_of(key), {otp::algorithm::sha1, 8}, code, at(30 * 1000 + 7), last);
      if (step > last)
        CHECK(*found == step);
      else
        CHECK(fails(found, errc::replayed, otp::rules::code_is_fresh));
    }
  }
}

TEST_CASE("T6: where steps share a code it counts for the newest, and never twice") {
  scripted_hotp::codes = {{9, 111111}, {10, 222222}, {11, 111111}, {12, 111111}};
  const otp::shared_secret k(20);
  const auto verify = [&](std::uint32_t code, std::int64_t step, std::optional<std::uint64_t> last) {
    return otp::verify<scripted_hotp>(k, {}, code, at(30 * step), last);
  };
  CHECK(*verify(111111, 10, {}) == 11);
  CHECK(*verify(111111, 10, 9) == 11);
  CHECK(*verify(111111, 10, 10) == 11);
  CHECK(fails(verify(111111, 10, 11), errc::replayed, otp::rules::code_is_fresh));
  CHECK(*verify(111111, 11, 11) == 12);  // the same digits, a step later: another code
  CHECK(fails(verify(222222, 10, 11), errc::replayed, otp::rules::code_is_fresh));
  CHECK(fails(verify(333333, 10, 11), errc::unauthentic, otp::rules::code_matches));
}

TEST_CASE("T6: all three codes are computed, whichever is right") {
  scripted_hotp::codes = {{9, 1}, {10, 2}, {11, 3}};
  for (std::uint32_t code = 0; code < 4; ++code) {
    scripted_hotp::calls = 0;
    CHECK(otp::verify<scripted_hotp>(otp::shared_secret(20), {}, code, at(300), {}).has_value() == (code != 0));
    CHECK(scripted_hotp::calls == 3);
  }
}

TEST_CASE("T6: the comparison says what a plain one says, for all patterns of equal codes and used steps") {
  int compared = 0;
  for (unsigned values = 0; values < 27; ++values) {
    const std::uint32_t v[3] = {values % 3, values / 3 % 3, values / 9};
    for (std::uint32_t given = 0; given < 3; ++given) {
      for (std::uint64_t last = 0; last < 5; ++last) {
        const auto used = last == 0 ? std::nullopt : std::optional{last};
        std::array<otp::detail::candidate, 3> candidates;
        std::uint64_t found = 0, seen = 0;
        for (std::size_t i = 0; i < 3; ++i) {
          // the highest bits count as well
          candidates[i] = {i + 1, v[i] << 30U};
          if (v[i] != given) continue;
          if (used && i + 1 <= *used)
            seen = 1;
          else
            found = i + 2;
        }
        const auto verdict = otp::detail::compare(candidates, given << 30U, used);
        CHECK(verdict.found == found);
        CHECK(verdict.used == seen);
        ++compared;
      }
    }
  }
  CHECK(compared == 27 * 3 * 5);
}
