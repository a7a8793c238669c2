// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Records at rest: sealed, in their place, saved before anybody hears of it, in memory and in SQLite.
#include "support.hpp"

#include <conclave/store/sqlite.hpp>

#include <thread>

using namespace conclave_test;
using namespace std::string_literals;

namespace {

const otp::policy for_everybody{otp::organisation_mode::everybody};

otp::record example() {
  otp::record r;
  r.state = otp::factor_state::active;
  r.wanted = true;
  r.parameters = {otp::algorithm::sha256, 8, 45s};
  r.secret = otp::shared_secret(32);
  std::ranges::fill(r.secret.writable(), std::uint8_t{0x42});
  r.pending_until = unix_time{1'234'567'890s};
  r.last_step = 41'152'263;
  r.failures = 3;
  r.last_failure = unix_time{1'234'567'891s};
  return r;
}

bool same(const otp::record& a, const otp::record& b) { return otp::encode_record(a) == otp::encode_record(b); }

std::string file_content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("T6: a record is what its format says, and nothing else is one") {
  const otp::record r = example();
  const secret_bytes encoded = otp::encode_record(r);
  // version, state, wanted, algorithm, digits, period, secret, pending_until, last_step, failures, last_failure
  bytes expected = from_hex("0001020102082d20");
  expected.resize(expected.size() + 32, 0x42);
  append(expected, from_hex("00000000499602d201000000000273ef070000000300000000499602d3"));
  CHECK(equal(encoded, expected));
  const auto back = otp::decode_record(encoded);
  REQUIRE(back);
  CHECK(same(*back, r));

  for (std::size_t size = 0; size < encoded.size(); ++size)
    CHECK(fails(otp::decode_record(byte_view{encoded}.first(size)), errc::malformed, otp::rules::record_format));
  bytes longer = to_bytes(encoded);
  longer.push_back(0);
  CHECK_FALSE(otp::decode_record(longer).has_value());
  // another version, state, flag, algorithm, number of digits, period, or size of the secret
  for (const auto& [at, value] : {std::pair{1U, 2U},
                                  {2U, 3U},
                                  {2U, 0U},
                                  {3U, 2U},
                                  {4U, 0U},
                                  {4U, 4U},
                                  {5U, 7U},
                                  {6U, 14U},
                                  {6U, 61U},
                                  {7U, 0x13U},
                                  {7U, 0x7fU}}) {
    bytes broken = to_bytes(encoded);
    broken[at] = static_cast<std::uint8_t>(value);
    INFO(at << " " << value);
    CHECK_FALSE(otp::decode_record(broken).has_value());
  }
}

TEST_CASE("T6: a secret is stored encrypted, never the same way twice") {
  office of;
  const auto offer = of.enrolled();
  const auto [version, first] = of.content();
  REQUIRE(of.factor.check(of.env, "ann", of.shown(offer)));
  const auto [later, second] = of.content();
  CHECK(later == version + 1);
  const std::string secret = to_hex(offer.secret.reveal());
  for (const bytes& sealed : {first, second}) {
    CHECK(to_hex(sealed).find(secret) == std::string::npos);
    CHECK(to_hex(sealed).find(secret.substr(0, 16)) == std::string::npos);
    CHECK(sealed.size() < limits::otp_record_bytes / 3);
  }
  // neither the salt nor anything behind it repeats
  CHECK(equal(byte_view{first}.first(2), byte_view{second}.first(2)));
  CHECK_FALSE(equal(byte_view{first}.subspan(2, 32), byte_view{second}.subspan(2, 32)));
  CHECK_FALSE(equal(byte_view{first}.subspan(34, 16), byte_view{second}.subspan(34, 16)));
}

TEST_CASE("T6: a sealed record opens under its key, for its user and version, undamaged, and not otherwise") {
  deterministic_environment env(9);
  const otp::record r = example();
  const auto sealed = otp::seal_record<default_provider>(env, host_key(), "ann", 7, r);
  REQUIRE(sealed);
  const auto open = [&](const at_rest_key& key, std::string_view user, std::uint64_t version, byte_view what) {
    return otp::open_record<default_provider>(key, user, version, what);
  };
  REQUIRE(open(host_key(), "ann", 7, *sealed));
  CHECK(same(*open(host_key(), "ann", 7, *sealed), r));
  CHECK(fails(open(host_key(8), "ann", 7, *sealed), errc::unauthentic, rules::record_opens));
  CHECK(fails(open(host_key(), "bob", 7, *sealed), errc::unauthentic, rules::record_opens));
  CHECK(fails(open(host_key(), "an", 7, *sealed), errc::unauthentic, rules::record_opens));
  CHECK(fails(open(host_key(), "ann", 6, *sealed), errc::unauthentic, rules::record_opens));
  CHECK(fails(open(host_key(), "ann", 8, *sealed), errc::unauthentic, rules::record_opens));
  CHECK(open(at_rest_key(16), "ann", 7, *sealed).error() == errc::misuse);
  CHECK(fails(open_at_rest<default_provider>(host_key(), "another label", {}, *sealed), errc::unauthentic,
              rules::record_opens));
  for (std::size_t bit = 0; bit < 8 * sealed->size(); ++bit) {
    bytes damaged = *sealed;
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const auto opened = open(host_key(), "ann", 7, damaged);
    CHECK_FALSE(opened.has_value());
    // the AEAD is told apart, the rest is not
    CHECK((opened.error() == errc::unauthentic || (bit < 16 && opened.error() == errc::unsupported)));
  }
  for (std::size_t size = 0; size < sealed->size(); ++size)
    CHECK_FALSE(open(host_key(), "ann", 7, byte_view{*sealed}.first(size)).has_value());
  CHECK(open(host_key(), "ann", 7, bytes(limits::otp_record_bytes + 1)).error() == errc::over_limit);
}

TEST_CASE("T6: a record under either AEAD opens, by the number that stands in it") {
  deterministic_environment env(9);
  const auto sealed = seal_at_rest<default_provider>(env, host_key(), "label", as_bytes("aad"), as_bytes("text"));
  REQUIRE(sealed);
  CHECK(load_be<std::uint16_t>(*sealed) == static_cast<std::uint16_t>(aead_id::chacha20_poly1305));
  // the same construction, written down here once more, with the other one
  bytes other(2);
  store_be(static_cast<std::uint16_t>(aead_id::aes_256_gcm), other);
  other.resize(34, 0x55);
  bytes prk(32), key(32), nonce(12), aad = other;
  append(aad, as_bytes("aad"));
  const bytes host(32, 7);
  default_provider::hmac(hash_id::sha256, byte_view{other}.subspan(2), std::array{byte_view{host}}, prk);
  default_provider::hmac(hash_id::sha256, prk, std::array{as_bytes("label key\x01")}, key);
  bytes block(32);
  default_provider::hmac(hash_id::sha256, prk, std::array{as_bytes("label nonce\x01")}, block);
  std::copy_n(block.begin(), 12, nonce.begin());
  auto gcm = default_provider::aead_key::make(aead_id::aes_256_gcm, key);
  REQUIRE(gcm);
  bytes text(4 + aead_tag_size);
  REQUIRE(gcm->seal(nonce, aad, as_bytes("text"), text));
  append(other, text);
  const auto opened = open_at_rest<default_provider>(host_key(), "label", as_bytes("aad"), other);
  REQUIRE(opened);
  CHECK(as_text(*opened) == "text");
}

TEST_CASE("T6: a row that was copied to another user, damaged, or renumbered is noticed, and signs nobody in") {
  office of;
  const auto ann = of.enrolled("ann"), bob = of.enrolled("bob");
  const auto row = *of.records.load("ann");
  const auto unusable = [&](const std::string& user, const otp::stored& now) {
    const auto before = *of.records.load(user);
    of.records.put(user, now);
    const std::size_t saves = of.records.saves;
    CHECK(fails(of.factor.check(of.env, user, of.shown(ann)), errc::storage, rules::record_opens));
    CHECK(fails(of.factor.next({user}, {false, true}, of.env.wall()), errc::storage, rules::record_opens));
    CHECK(fails(of.factor.begin(of.env, {user}), errc::storage, rules::record_opens));
    CHECK(fails(of.factor.password_was_reset(of.env, user), errc::storage, rules::record_opens));
    CHECK(of.factor.state(user).error() == errc::storage);
    CHECK(of.records.saves == saves);
    of.records.put(user, before);
  };
  unusable("bob", row);
  unusable("bob", {row.version + 5, row.record});
  unusable("ann", {row.version + 1, row.record});
  unusable("ann", {row.version - 1, row.record});
  auto damaged = row;
  damaged.record.back() ^= 1;
  unusable("ann", damaged);
  CHECK(of.factor.check(of.env, "ann", of.shown(ann)));
}

TEST_CASE("T6: an old row, or none, is noticed where the host keeps a floor, and only there") {
  for (const bool floored : {false, true}) {
    deterministic_environment env(4);
    faulty_store records;
    floor_in_memory floor;
    const auto factor = *otp::second_factor::make(records, host_key(), for_everybody, {}, floored ? &floor : nullptr);
    const auto offer = factor.begin(env, {"ann"});
    REQUIRE(offer);
    const auto shown = [&] { return authenticator(offer->secret, {}, env.wall()); };
    REQUIRE(factor.confirm(env, "ann", shown()));
    env.advance(30s);
    const auto old = *records.load("ann");
    REQUIRE(factor.check(env, "ann", shown()));
    const auto newest = *records.load("ann");

    for (const auto& row : {old, otp::stored{}}) {
      records.put("ann", row);
      const auto step = factor.next({"ann"}, {false, true}, env.wall());
      if (floored)
        CHECK(fails(step, errc::storage, otp::rules::record_is_newest));
      else
        CHECK(step.has_value());  // what a row says of itself is authentic: this is what the floor is for
    }
    if (floored) {
      records.put("ann", old);
      CHECK(fails(factor.check(env, "ann", shown()), errc::storage, otp::rules::record_is_newest));
      records.put("ann", newest);
      CHECK(fails(factor.check(env, "ann", shown()), errc::replayed, otp::rules::code_is_fresh));
      env.advance(30s);
      floor.broken = true;
      CHECK(factor.check(env, "ann", shown()).error() == errc::storage);
      floor.broken = false;
      CHECK(factor.check(env, "ann", shown()).error() == errc::replayed);  // spent
    }
  }
}

TEST_CASE("T6: a crash before the record is written loses nothing, one after it spends the code") {
  using enum faulty_store::fault;
  for (const bool first : {true, false}) {
    for (const auto fault : {loading, before_writing, after_writing}) {
      office of;
      auto offer = of.factor.begin(of.env, {"ann"});
      REQUIRE(offer);
      if (!first) {
        REQUIRE(of.factor.confirm(of.env, "ann", of.shown(*offer)));
        of.env.advance(30s);
      }
      const auto attempt = [&] {
        return first ? of.factor.confirm(of.env, "ann", of.shown(*offer))
                     : of.factor.check(of.env, "ann", of.shown(*offer));
      };
      const auto before = of.content();
      of.records.next = fault;
      CHECK(attempt().error() == errc::storage);  // never a success that was not saved
      of.records.next = none;
      if (fault == after_writing) {
        CHECK(of.content() != before);
        CHECK(*of.factor.state("ann") == otp::factor_state::active);
        CHECK(attempt().error() == (first ? errc::refused : errc::replayed));
        CHECK(fails(of.factor.check(of.env, "ann", of.shown(*offer)), errc::replayed, otp::rules::code_is_fresh));
      } else {
        CHECK(of.content() == before);
        CHECK(attempt());
      }
    }
  }
}

TEST_CASE("T6: a wrong code that was not written down is not answered") {
  using enum faulty_store::fault;
  office of;
  const auto offer = of.enrolled();
  const auto before = of.content();
  for (const auto fault : {loading, before_writing}) {
    of.records.next = fault;
    CHECK(of.factor.check(of.env, "ann", of.wrong(offer)).error() == errc::storage);
    of.records.next = none;
    CHECK(of.content() == before);
  }
  of.records.next = after_writing;
  CHECK(of.factor.check(of.env, "ann", of.wrong(offer)).error() == errc::storage);
  of.records.next = none;
  CHECK(of.remembered().failures == 1);
}

TEST_CASE("T6: without random bytes nothing changes") {
  office of;
  const auto offer = of.enrolled();
  const auto before = of.content();
  of.env.fail_after(0);
  CHECK(of.factor.check(of.env, "ann", of.shown(offer)).error() == errc::no_entropy);
  CHECK(of.factor.check(of.env, "ann", of.wrong(offer)).error() == errc::no_entropy);
  CHECK(of.factor.password_was_reset(of.env, "ann").error() == errc::no_entropy);
  CHECK(of.factor.begin(of.env, {"bob"}).error() == errc::no_entropy);
  of.env.recover();
  CHECK(of.content() == before);
  CHECK(of.content("bob").first == 0);
  CHECK(of.factor.check(of.env, "ann", of.shown(offer)));
}

TEST_CASE("T6: who always loses the race is told so, and nothing is reported that was not saved") {
  /// Somebody else saves between every load and save.
  class busy_store final : public otp::store {
   public:
    explicit busy_store(otp::store& inside) : inside_{inside} {}
    result<otp::stored> load(std::string_view user) override { return inside_.load(user); }
    status save(std::string_view, std::uint64_t, byte_view) override {
      ++tries;
      return errc::stale_epoch;
    }
    std::size_t tries = 0;

   private:
    otp::store& inside_;
  };
  office of;
  const auto offer = of.enrolled();
  const auto before = of.content();
  busy_store busy(of.records);
  const auto factor = *otp::second_factor::make(busy, host_key(), for_everybody);
  CHECK(fails(factor.check(of.env, "ann", of.shown(offer)), errc::stale_epoch, otp::rules::race_won));
  CHECK(busy.tries == limits::lost_races);
  CHECK(of.content() == before);
}

TEST_CASE("T6: SQLite keeps what was saved, in a file that others open, and no secret in the clear") {
  const folder here;
  const std::string path = here / "factors.db";
  deterministic_environment env(5);
  std::optional<otp::offer> offer;
  {
    const auto records = store::sqlite::open(path);
    REQUIRE(records);
    const auto factor = *otp::second_factor::make(**records, host_key(), for_everybody);
    auto begun = factor.begin(env, {"ann"});
    REQUIRE(begun);
    offer.emplace(*std::move(begun));
    REQUIRE(factor.confirm(env, "ann", authenticator(offer->secret, {}, env.wall())));
  }
  const auto records = store::sqlite::open(path);
  REQUIRE(records);
  const auto factor = *otp::second_factor::make(**records, host_key(), for_everybody);
  CHECK(*factor.state("ann") == otp::factor_state::active);
  CHECK(*factor.state("bob") == otp::factor_state::off);
  const std::string shown = authenticator(offer->secret, {}, env.wall());
  CHECK(fails(factor.check(env, "ann", shown), errc::replayed, otp::rules::code_is_fresh));
  env.advance(30s);
  CHECK(factor.check(env, "ann", authenticator(offer->secret, {}, env.wall())));

  const std::string file = file_content(path);
  CHECK(file.starts_with("SQLite format 3"));
  CHECK(file.find(as_text(offer->secret.reveal())) == std::string::npos);
  bytes base32(otp::base32_size(offer->secret.size()));
  REQUIRE(otp::base32_encode(offer->secret.reveal(), base32));
  CHECK(file.find(as_text(base32)) == std::string::npos);
}

TEST_CASE("T6: SQLite leaves nothing of a replaced row in its file") {
  const folder here;
  const std::string path = here / "factors.db";
  const auto records = store::sqlite::open(path);
  REQUIRE(records);
  const std::string old = "what stands here is replaced by something else, and must be gone";
  REQUIRE((*records)->save("ann", 0, as_bytes(old)));
  CHECK(file_content(path).find(old) != std::string::npos);
  REQUIRE((*records)->save("ann", 1, bytes(16, 1)));
  const std::string after = file_content(path);
  for (std::size_t at = 0; at + 8 <= old.size(); ++at) CHECK(after.find(old.substr(at, 8)) == std::string::npos);
}

TEST_CASE("T6: both stores compare versions, whatever the names and records are") {
  const folder here;
  store::memory memory;
  const auto sqlite = store::sqlite::open(here / "factors.db");
  REQUIRE(sqlite);
  for (otp::store* const s : {static_cast<otp::store*>(&memory), static_cast<otp::store*>(sqlite->get())}) {
    const std::string odd = "a\0b'; DROP TABLE conclave_second_factor; --\xff"s;
    for (const std::string& user : {std::string{"ann"}, odd, std::string(limits::user_bytes, '%')}) {
      CHECK((*s->load(user)).version == 0);
      CHECK(s->save(user, 1, bytes(3, 9)).error() == errc::stale_epoch);  // there is none to replace
      REQUIRE(s->save(user, 0, bytes(3, 1)));
      CHECK(s->save(user, 0, bytes(3, 9)).error() == errc::stale_epoch);
      REQUIRE(s->save(user, 1, {}));
      CHECK((*s->load(user)).record.empty());
      CHECK(s->save(user, 1, bytes(3, 9)).error() == errc::stale_epoch);
      CHECK(s->save(user, 3, bytes(3, 9)).error() == errc::stale_epoch);
      REQUIRE(s->save(user, 2, bytes(400, 2)));
      const auto last = s->load(user);
      REQUIRE(last);
      CHECK(last->version == 3);
      CHECK(last->record == bytes(400, 2));
    }
    CHECK((*s->load("an")).version == 0);
    CHECK((*s->load("a")).version == 0);
  }
}

TEST_CASE("T6: SQLite says so where the file is none of its own, cannot be written, or is locked by somebody else") {
  const folder here;
  CHECK(store::sqlite::open(here / "missing/factors.db").error() == errc::storage);
  {
    std::ofstream out(here / "other.db");
    out << std::string(4096, 'x');
  }
  CHECK(store::sqlite::open(here / "other.db").error() == errc::storage);

  const auto records = store::sqlite::open(here / "factors.db");
  REQUIRE(records);
  REQUIRE((*records)->save("ann", 0, bytes(3, 1)));
  sqlite3* other = nullptr;
  REQUIRE(sqlite3_open((here / "factors.db").c_str(), &other) == SQLITE_OK);
  REQUIRE(sqlite3_exec(other, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr) == SQLITE_OK);
  CHECK((*records)->save("ann", 1, bytes(3, 2)).error() == errc::storage);  // after limits::store_wait
  REQUIRE(sqlite3_exec(other, "ROLLBACK", nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(other);
  CHECK((*(*records)->load("ann")).version == 1);
  CHECK((*records)->save("ann", 1, bytes(3, 2)));
}

TEST_CASE("T6: of two connections to one SQLite file that race with one code exactly one succeeds") {
  const folder here;
  const std::string path = here / "factors.db";
  deterministic_environment env(6);
  const auto first = store::sqlite::open(path), second = store::sqlite::open(path);
  REQUIRE((first && second));
  const otp::second_factor factors[] = {*otp::second_factor::make(**first, host_key(), for_everybody),
                                        *otp::second_factor::make(**second, host_key(), for_everybody)};
  const auto offer = factors[0].begin(env, {"ann"});
  REQUIRE(offer);
  REQUIRE(factors[1].confirm(env, "ann", authenticator(offer->secret, {}, env.wall())));
  for (int round = 0; round < 10; ++round) {
    env.advance(30s);
    const std::string code = authenticator(offer->secret, {}, env.wall());
    std::atomic<int> accepted = 0, spent = 0, other = 0;
    std::vector<std::thread> crowd;
    for (int n = 0; n < 4; ++n)
      crowd.emplace_back([&, n] {
        deterministic_environment own(static_cast<std::uint64_t>(4 * round + n));
        own.advance(env.wall() - own.wall());
        const auto done = factors[n % 2].check(own, "ann", code);
        if (done)
          ++accepted;
        else if (done.error() == errc::replayed)
          ++spent;
        else
          ++other;
      });
    for (std::thread& t : crowd) t.join();
    CHECK(accepted == 1);
    CHECK(spent == 3);
    CHECK(other == 0);
  }
}
