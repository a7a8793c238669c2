// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What the tests of one-time passwords share: a second way to compute codes, tools of others, stores that fail.
#pragma once

#include "support/deterministic_environment.hpp"
#include "support/folder.hpp"
#include "support/hex.hpp"

#include <conclave/otp/botan_hotp.hpp>
#include <conclave/store/memory.hpp>

#include <cstdio>
#include <fstream>

namespace conclave_test {

using namespace conclave;
using namespace std::chrono_literals;

/// reference_hotp<P>: RFC 4226, section 5.3, step by step, on the HMAC of a provider.
template <class P>
struct reference_hotp {
  static result<std::uint32_t> hotp(otp::algorithm a, byte_view key, unsigned digits, std::uint64_t counter) {
    std::array<std::uint8_t, 8> text;
    store_be(counter, text);
    bytes hs(hash_size(otp::hash_of(a)));
    P::hmac(otp::hash_of(a), key, std::array{byte_view{text}}, hs);
    const std::size_t offset = hs.back() & 0xfU;
    const std::uint32_t snum = load_be<std::uint32_t>(byte_view{hs}.subspan(offset)) & 0x7fffffffU;
    std::uint32_t modulus = 1;
    for (unsigned i = 0; i < digits; ++i) modulus *= 10;
    return snum % modulus;
  }
};

/// digits_of(value, digits): as an authenticator shows it.
[[nodiscard]] inline std::string digits_of(std::uint32_t value, unsigned digits) {
  std::string out = std::to_string(value);
  return out.insert(0, digits - out.size(), '0');
}

/// authenticator(secret, parameters, time): what the app on a phone shows then.
[[nodiscard]] inline std::string authenticator(const otp::shared_secret& k, const otp::parameters& p, unix_time now) {
  const auto step = static_cast<std::uint64_t>(now.time_since_epoch().count() / p.period.count());
  return digits_of(*reference_hotp<default_provider>::hotp(p.algorithm, k.reveal(), p.digits, step), p.digits);
}

/// tool(command): what a program of somebody else prints; the test fails where it cannot be run, or fails.
[[nodiscard]] inline std::string tool(const std::string& command) {
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string out;
  for (std::array<char, 4096> part; const std::size_t n = std::fread(part.data(), 1, part.size(), pipe);)
    out.append(part.data(), n);
  const int code = ::pclose(pipe);
  INFO(command << "\n" << out);
  REQUIRE(code == 0);
  return out;
}

/// oathtool(secret in hexadecimal, parameters, time): the code that it computes.
[[nodiscard]] inline std::string oathtool(const std::string& secret, const otp::parameters& p, unix_time now) {
  static constexpr const char* names[] = {"", "sha1", "sha256", "sha512"};
  std::string out = tool("oathtool --totp=" + std::string(names[static_cast<int>(p.algorithm)]) + " --digits=" +
                         std::to_string(p.digits) + " --time-step-size=" + std::to_string(p.period.count()) +
                         "s --now=@" + std::to_string(now.time_since_epoch().count()) + ' ' + secret);
  REQUIRE(out.size() == p.digits + 1U);
  out.pop_back();
  return out;
}

[[nodiscard]] inline at_rest_key host_key(std::uint8_t fill = 7) {
  at_rest_key out(32);
  std::ranges::fill(out.writable(), fill);
  return out;
}

/// fails(outcome, code, rule): for this very reason.
template <class T>
[[nodiscard]] bool fails(const result<T>& outcome, errc code, const rule& broken) {
  if (outcome) return false;
  UNSCOPED_INFO(outcome.error().message());
  return outcome.error() == code && outcome.error().broken_rule() == &broken;
}

/// faulty_store: a memory that fails when told to.
class faulty_store final : public otp::store {
 public:
  enum class fault { none, loading, before_writing, after_writing };
  fault next = fault::none;
  std::size_t saves = 0;

  [[nodiscard]] result<otp::stored> load(std::string_view user) override {
    if (next == fault::loading) return errc::storage;
    return inside_.load(user);
  }
  [[nodiscard]] status save(std::string_view user, std::uint64_t version, byte_view record) override {
    if (next == fault::before_writing) return errc::storage;
    CONCLAVE_CHECK(inside_.save(user, version, record));
    ++saves;
    return next == fault::after_writing ? status{errc::storage} : status{};
  }

  /// put(user, stored): whoever can write to the database.
  void put(const std::string& user, const otp::stored& value) { inside_.put(user, value); }

 private:
  /// A store that can be written to behind everybody's back.
  class open_memory final : public otp::store {
   public:
    [[nodiscard]] result<otp::stored> load(std::string_view user) override {
      const auto at = rows_.find(user);
      return at == rows_.end() ? otp::stored{} : at->second;
    }
    [[nodiscard]] status save(std::string_view user, std::uint64_t version, byte_view record) override {
      otp::stored& row = rows_[std::string{user}];
      if (row.version != version) return errc::stale_epoch;
      row = {version + 1, to_bytes(record)};
      return {};
    }
    void put(const std::string& user, const otp::stored& value) { rows_[user] = value; }

   private:
    std::map<std::string, otp::stored, std::less<>> rows_;
  };
  open_memory inside_;
};

/// floor_in_memory: a version_floor.
class floor_in_memory final : public otp::version_floor {
 public:
  bool broken = false;
  [[nodiscard]] result<std::uint64_t> least(std::string_view user) override {
    const auto at = versions_.find(user);
    return at == versions_.end() ? 0 : at->second;
  }
  [[nodiscard]] status raise(std::string_view user, std::uint64_t version) override {
    if (broken) return errc::storage;
    std::uint64_t& at = versions_[std::string{user}];
    at = std::max(at, version);
    return {};
  }

 private:
  std::map<std::string, std::uint64_t, std::less<>> versions_;
};

/// office: an organisation, its store, and time that a test moves.
struct office {
  explicit office(otp::policy demands = {otp::organisation_mode::everybody}, const otp::parameters& p = {})
      : factor{*otp::second_factor::make(records, host_key(), std::move(demands), p)} {}

  deterministic_environment env{1};
  faulty_store records;
  otp::second_factor factor;

  /// content(user): the record as it rests, which is another one whenever it was saved.
  [[nodiscard]] std::pair<std::uint64_t, bytes> content(std::string_view user = "ann") {
    const auto at = records.load(user);
    REQUIRE(at);
    return {at->version, at->record};
  }
  /// remembered(user): the record itself.
  [[nodiscard]] otp::record remembered(std::string_view user = "ann") {
    const auto at = records.load(user);
    REQUIRE(at);
    auto r = otp::open_record<default_provider>(host_key(), user, at->version, at->record);
    REQUIRE(r);
    return *std::move(r);
  }
  /// next(evidence, user): what is asked for.
  [[nodiscard]] otp::next_step next(const otp::evidence& e = {false, true}, std::string_view user = "ann") {
    const auto step = factor.next({user}, e, env.wall());
    REQUIRE(step);
    return *step;
  }
  /// shown(offer): what the phone shows now.
  [[nodiscard]] std::string shown(const otp::offer& o) { return authenticator(o.secret, o.parameters, env.wall()); }
  /// wrong(offer): a code that no step around now has.
  [[nodiscard]] std::string wrong(const otp::offer& o) {
    for (std::uint32_t n = 0;; ++n) {
      const std::string guess = digits_of(n, o.parameters.digits);
      bool right = false;
      for (const auto drift : {-30s, 0s, 30s})
        right = right || guess == authenticator(o.secret, o.parameters, env.wall() + drift);
      if (!right) return guess;
    }
  }
  /// enrolled(user): active, by its first code; that of the next step is fresh.
  [[nodiscard]] otp::offer enrolled(std::string_view user = "ann") {
    auto o = factor.begin(env, {user});
    REQUIRE(o);
    REQUIRE(factor.confirm(env, user, shown(*o)));
    env.advance(o->parameters.period);
    return *std::move(o);
  }
};

}  // namespace conclave_test
