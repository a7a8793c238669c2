// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// seal_many and open_many give what the single calls give, frame by frame.
#include <sframe/fake.hpp>
#include <sframe/support.hpp>

using namespace sframe_test;
using namespace std::chrono_literals;

namespace {

template <class P>
using seal_requests = std::vector<sframe::seal_request<P>>;
using open_requests = std::vector<sframe::open_request>;

/// One member's view of the same frames, by single calls or by a batch.
struct outcome_of_frame {
  errc code{};
  const rule* broken = nullptr;
  std::uint32_t sender = 0;
  std::uint64_t counter = 0;
  bytes plaintext{}, buffer{};

  friend bool operator==(const outcome_of_frame&, const outcome_of_frame&) = default;
};

outcome_of_frame describe(const result<sframe::opened>& got, const bytes& buffer) {
  if (!got) return {got.error().code(), got.error().broken_rule(), 0, 0, {}, buffer};
  return {errc{}, nullptr, got->sender, got->counter, to_bytes(got->bytes), buffer};
}

template <class P>
std::vector<outcome_of_frame> one_by_one(sframe::opener<P>& ear, const std::vector<bytes>& frames, byte_view metadata) {
  std::vector<outcome_of_frame> all;
  for (const bytes& frame : frames) {
    bytes out(100, 0xaa);
    const auto got = ear.open(frame, metadata, out, 0ms);
    all.push_back(describe(got, out));
  }
  return all;
}

template <class P>
std::vector<outcome_of_frame> together(sframe::opener<P>& ear, const std::vector<bytes>& frames, byte_view metadata) {
  std::vector<bytes> outs(frames.size(), bytes(100, 0xaa));
  open_requests requests;
  for (std::size_t i = 0; i < frames.size(); ++i) requests.push_back({frames[i], metadata, outs[i]});
  ear.open_many(requests, 0ms);
  std::vector<outcome_of_frame> all;
  for (std::size_t i = 0; i < frames.size(); ++i) all.push_back(describe(requests[i].got, outs[i]));
  return all;
}

}  // namespace

TEST_CASE("many sealers seal together what each seals alone") {
  for_each_served([]<class P>(cipher_suite suite) {
    std::vector<sframe::sealer<P>> alone, batched;
    for (std::uint32_t i = 0; i < 5; ++i) {
      alone.push_back(sealer_for<P>(300, tree_size, i, 0, suite));
      batched.push_back(sealer_for<P>(300, tree_size, i, 0, suite));
    }
    std::vector<bytes> plaintexts, outs;
    for (std::size_t i = 0; i < 3 * sframe::batch_frames + 1; ++i) {
      plaintexts.push_back(noise(i * 7 % 300, i));
      outs.emplace_back(sframe::sealed_size(300));
    }
    for (const char* metadata : {"", "m"}) {
      seal_requests<P> requests;
      for (std::size_t i = 0; i < outs.size(); ++i)
        requests.push_back({&batched[i * 3 % 5], plaintexts[i], as_bytes(metadata), outs[i]});
      sframe::seal_many(std::span{requests});
      for (std::size_t i = 0; i < outs.size(); ++i) {
        REQUIRE(requests[i].frame);
        REQUIRE(requests[i].frame->data() == outs[i].data());
        REQUIRE(equal(*requests[i].frame, sealed(alone[i * 3 % 5], plaintexts[i], as_bytes(metadata))));
      }
    }
    for (std::size_t i = 0; i < 5; ++i) CHECK(alone[i].counter() == batched[i].counter());
  });
}

TEST_CASE("sealers of different suites seal in one batch") {
  std::vector<sframe::sealer<default_provider>> alone, batched;
  for (const cipher_suite suite : all_suites) {
    alone.push_back(sealer_for(300, tree_size, 1, 0, suite));
    batched.push_back(sealer_for(300, tree_size, 1, 0, suite));
  }
  std::vector<bytes> outs(20, bytes(200));
  seal_requests<default_provider> requests;
  for (std::size_t i = 0; i < outs.size(); ++i) requests.push_back({&batched[i * 5 % 8], noise(0), {}, outs[i]});
  const bytes plaintext = noise(90);
  for (auto& r : requests) r.plaintext = plaintext;
  sframe::seal_many(std::span{requests});
  for (std::size_t i = 0; i < outs.size(); ++i) {
    REQUIRE(requests[i].frame);
    CHECK(equal(*requests[i].frame, sealed(alone[i * 5 % 8], plaintext)));
  }
}

TEST_CASE("a frame that cannot be sealed does not disturb the others of its batch") {
  auto mic = sealer_for(300, tree_size, 1);
  auto spent = sealer_for(300, tree_size, 2, 0, suite4, limits::frames_per_key - 1);
  const bytes plaintext = noise(20), large(limits::frame_bytes + 1);
  std::vector<bytes> outs(6, bytes(100, 0xaa));
  seal_requests<default_provider> requests{
      {&mic, plaintext, {}, outs[0]},   {&spent, plaintext, {}, outs[1]},
      {&spent, plaintext, {}, outs[2]}, {&mic, plaintext, {}, byte_span{outs[3]}.first(30)},
      {&mic, large, {}, outs[4]},       {&mic, plaintext, {}, outs[5]}};
  sframe::seal_many(std::span{requests});
  CHECK(requests[0].frame);
  CHECK(requests[1].frame);
  CHECK(outcome(requests[2].frame) == errc::exhausted);
  CHECK(outcome(requests[3].frame) == errc::no_space);
  CHECK(outcome(requests[4].frame) == errc::over_limit);
  for (const std::size_t untouched : {2U, 3U, 4U}) CHECK(outs[untouched] == bytes(100, 0xaa));
  REQUIRE(requests[5].frame);
  CHECK(sframe::header::decode(*requests[5].frame)->ctr == 1);
  CHECK(mic.counter() == 2);
}

TEST_CASE("a failure of the AEAD in a batch costs its counter and leaves zeros") {
  auto mic = sframe::sealer<fake_provider>::make(suite4, 9, numbered_base(1), 0);
  REQUIRE(mic);
  const bytes plaintext = noise(20);
  std::vector<bytes> outs(2, bytes(100, 0xaa));
  seal_requests<fake_provider> requests{{&*mic, plaintext, {}, outs[0]}, {&*mic, plaintext, {}, outs[1]}};
  fake_provider::seal_fails = true;
  sframe::seal_many(std::span{requests});
  fake_provider::seal_fails = false;
  for (std::size_t k = 0; k < 2; ++k) {
    CHECK(outcome(requests[k].frame) == errc::misuse);
    for (std::size_t i = 0; i < 2 + 20 + 16; ++i) CHECK(outs[k][i] == 0);
    CHECK(outs[k][2 + 20 + 16] == 0xaa);
  }
  CHECK(mic->counter() == 2);
}

TEST_CASE("many frames open together as they open one by one") {
  for_each_served([]<class P>(cipher_suite suite) {
    std::vector<sframe::sealer<P>> mics;
    for (std::uint32_t i = 1; i <= 6; ++i) mics.push_back(sealer_for<P>(300, tree_size, i, 0, suite));
    auto single = opener_for<P>(300, tree_size, 0, suite);
    auto batched = opener_for<P>(300, tree_size, 0, suite);
    std::vector<bytes> frames;
    for (int round = 0; round < 3; ++round) {
      frames.clear();
      for (std::size_t i = 0; i < 40; ++i) {
        auto& mic = mics[i * 5 % 6];
        frames.push_back(sealed(mic, noise(i, i), as_bytes("m")));
        if (i % 7 == 2) frames.push_back(frames.back());                     // the same again
        if (i % 7 == 3) frames.back().back() ^= 1;                           // forged
        if (i % 7 == 4) frames.push_back(forged(mic.kid(), mic.counter()));  // before the true one
        if (i % 7 == 5) frames.push_back(frames[i / 2]);                     // an old one again
        if (i % 7 == 6) frames.back().resize(2);                             // cut
      }
      for (const std::uint64_t kid : {kid_of(300, tree_size, 0), kid_of(300, tree_size, 45), kid_of(301, tree_size, 1)})
        frames.insert(frames.begin() + 5, forged(kid, 3));
      const auto expected = one_by_one(single, frames, as_bytes("m"));
      REQUIRE(together(batched, frames, as_bytes("m")) == expected);
      CHECK(std::ranges::count(expected, errc{}, &outcome_of_frame::code) > 20);
      CHECK(std::ranges::count(expected, errc::replayed, &outcome_of_frame::code) > 5);
      CHECK(std::ranges::count(expected, errc::unauthentic, &outcome_of_frame::code) > 5);
    }
    for (const auto& mic : mics) CHECK(single.failures(mic.kid(), 0ms) == batched.failures(mic.kid(), 0ms));
    CHECK(single.keys() == batched.keys());
  });
}

TEST_CASE("within a batch the replay window moves frame by frame") {
  auto mic = sealer_for(300, tree_size, 5);
  auto ahead = sealer_for(300, tree_size, 5, 0, suite4, limits::replay_window + 10);
  std::vector<bytes> frames;
  for (int i = 0; i < 20; ++i) frames.push_back(sealed(mic, noise(9)));
  std::vector<bytes> order{frames[0], frames[3],  frames[1],  frames[3],  sealed(ahead, noise(9)),
                           frames[2], frames[11], frames[12], frames[11], frames[10]};
  auto single = opener_for(300, tree_size, 0);
  auto batched = opener_for(300, tree_size, 0);
  const auto expected = one_by_one(single, order, {});
  CHECK(together(batched, order, {}) == expected);
  const errc codes[] = {errc{},         errc{}, errc{}, errc::replayed, errc{},
                        errc::replayed, errc{}, errc{}, errc::replayed, errc::replayed};
  for (std::size_t i = 0; i < order.size(); ++i) CHECK(expected[i].code == codes[i]);
}

TEST_CASE("in a batch frames open in place, and one that is replayed stays as it is") {
  auto mic = sealer_for(300, tree_size, 5);
  auto ear = opener_for(300, tree_size, 0);
  bytes first = sealed(mic, noise(9));
  REQUIRE(ear.open_in_place(first, {}, 0ms));
  std::vector<bytes> frames;
  for (int i = 0; i < 4; ++i) frames.push_back(sealed(mic, noise(60)));
  frames.push_back(frames[1]);
  frames[2].back() ^= 1;
  const bytes copy = frames[4];
  open_requests requests;
  for (bytes& frame : frames)
    requests.push_back({frame, {}, byte_span{frame}.subspan(sframe::header::decode(frame)->size())});
  ear.open_many(requests, 0ms);
  for (const std::size_t good : {0U, 1U, 3U}) {
    REQUIRE(requests[good].got);
    CHECK(equal(requests[good].got->bytes, noise(60)));
  }
  CHECK(outcome(requests[2].got) == errc::unauthentic);
  CHECK(equal(requests[2].out.first(60), bytes(60)));
  CHECK(outcome(requests[4].got) == errc::replayed);
  CHECK(frames[4] == copy);
}

TEST_CASE("in a batch the last wrong tag that is allowed stops what follows it") {
  constexpr auto suite = cipher_suite::aes_128_ctr_hmac_sha256_32;
  auto mic = sealer_for(300, tree_size, 5, 0, suite);
  auto single = opener_for(300, tree_size, 0, suite);
  auto batched = opener_for(300, tree_size, 0, suite);
  const bytes first = sealed(mic, noise(9));
  std::vector<bytes> frames;
  for (std::uint64_t i = 0; i < limits::forgeries_per_key(4) - 2; ++i) frames.push_back(forged(mic.kid(), 100 + i));
  for (auto* const ear : {&single, &batched}) {
    REQUIRE(one_by_one(*ear, {first}, {})[0].code == errc{});
    for (const auto& done : one_by_one(*ear, frames, {})) REQUIRE(done.code == errc::unauthentic);
  }
  const std::vector<bytes> end{sealed(mic, noise(9)), forged(mic.kid(), 7),  sealed(mic, noise(9)),
                               forged(mic.kid(), 8),  sealed(mic, noise(9)), sealed(mic, noise(9))};
  const auto expected = one_by_one(single, end, {});
  CHECK(together(batched, end, {}) == expected);
  const errc codes[] = {errc{}, errc::unauthentic, errc{}, errc::unauthentic, errc::over_limit, errc::over_limit};
  for (std::size_t i = 0; i < end.size(); ++i) CHECK(expected[i].code == codes[i]);
}
