// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Spoken verifications without memory: a run goes on where it stood, and nothing is said twice.
#include "support.hpp"

#include <conclave/sas/verification.hpp>

namespace faults {
namespace spoken {

using sas::phase;
using type = sas::message_type;
using leaves = std::vector<std::uint32_t>;
constexpr steady_time then{1'000'000};

/// two: members 0 and 1 of one epoch.
struct two {
  deterministic_environment env{3};
  sas::verification a{26}, b{26};

  two() {
    const bytes hash(32, 1);
    const digest d = *digest::copy_of(hash);
    a.enter_epoch({7, hash_id::sha256, 0, d, d}, then);
    b.enter_epoch({7, hash_id::sha256, 1, d, d}, then);
  }
  /// hears(to, from, messages): all of them.
  static void hears(sas::verification& to, std::uint32_t from, const std::vector<bytes>& messages) {
    for (const bytes& m : messages) REQUIRE(to.receive(from, 7, m, then));
  }
  /// invite(): 0 has begun, 1 is asked, and 0 has its own commitment already.
  void invite() {
    REQUIRE(a.start(env, sas::form::digits_8, leaves{1}, then));
    hears(b, 0, a.take_messages());
    REQUIRE(b.phase() == phase::invited);
  }
  /// answer(): what 1 says then: its commitment and what it reveals.
  [[nodiscard]] std::vector<bytes> answer() {
    REQUIRE(b.take_part(env, then));
    auto out = b.take_messages();
    REQUIRE(out.size() == 2);
    return out;
  }
};

/// seen(v): all that can be seen of it, and all that is saved.
[[nodiscard]] auto seen(const sas::verification& v) {
  bytes saved;
  writer w{saved};
  v.save(w);
  return std::tuple(v.phase(), v.contributors(), v.waiting_for(), v.left_out(), v.results().size(),
                    v.verified().has_value(), v.last().has_value(), std::move(saved));
}
/// types(messages): what is said.
[[nodiscard]] std::vector<type> types(const std::vector<bytes>& messages) {
  std::vector<type> out;
  for (const bytes& m : messages) out.push_back(wire::decode<sas::message>(m)->type);
  return out;
}

TEST_CASE("a verification without memory goes on by another try, and says everything once", "[faults]") {
  two t;
  const auto of_a = [&] { return seen(t.a); };
  const auto of_b = [&] { return seen(t.b); };
  out_of_memory("verification: start", of_a,
                [&] { return failed(t.a.start(t.env, sas::form::digits_8, leaves{1}, then)); });
  const auto begun = t.a.take_messages();
  CHECK(types(begun) == std::vector{type::start, type::commit});
  out_of_memory("verification: be invited", of_b, [&] { return failed(t.b.receive(0, 7, begun[0], then)); });
  REQUIRE(t.b.receive(0, 7, begun[1], then));
  out_of_memory("verification: take part", of_b, [&] { return failed(t.b.take_part(t.env, then)); });
  const auto answer = t.b.take_messages();
  REQUIRE(types(answer) == std::vector{type::commit, type::reveal});
  out_of_memory("verification: hear the last commitment", of_a,
                [&] { return failed(t.a.receive(1, 7, answer[0], then)); });
  const auto revealed = t.a.take_messages();
  REQUIRE(types(revealed) == std::vector{type::reveal});
  out_of_memory("verification: hear the last reveal", of_a, [&] { return failed(t.a.receive(1, 7, answer[1], then)); });
  REQUIRE(t.b.receive(0, 7, revealed[0], then));
  CHECK(t.a.take_messages().empty());
  CHECK(*t.a.show(then) == *t.b.show(then));
  out_of_memory("verification: decide", of_a, [&] { return failed(t.a.decide(true, then)); });
  CHECK(t.a.verified());
  const auto decided = t.a.take_messages();
  REQUIRE(types(decided) == std::vector{type::result});
  out_of_memory("verification: hear a result", of_b, [&] { return failed(t.b.receive(0, 7, decided[0], then)); });
  CHECK(t.b.results().size() == 1);
}

TEST_CASE("a verification that ends without memory ends by another try, and is told once", "[faults]") {
  two t;
  t.invite();
  const auto of_a = [&] { return seen(t.a); };
  const auto answer = t.answer();
  const bool late = GENERATE(false, true);
  REQUIRE(t.a.receive(1, 7, answer[0], then));
  REQUIRE(types(t.a.take_messages()) == std::vector{type::reveal});
  if (late) {
    out_of_memory("verification: nobody answers", of_a,
                  [&] { return t.a.tick(then + limits::verification_phase) ? success : errc::refused; });
    CHECK(t.a.last()->missing == leaves{1});
  } else {
    REQUIRE(t.b.cancel(then));
    const auto over = t.b.take_messages();
    REQUIRE(types(over) == std::vector{type::abort});
    out_of_memory("verification: hear an abort", of_a, [&] { return failed(t.a.receive(1, 7, over[0], then)); });
  }
  CHECK(t.a.phase() == phase::idle);
  CHECK(t.a.failures().size() == 1);
  CHECK(t.a.left_out() == leaves{1});
  CHECK(t.a.take_messages().size() == (late ? 1 : 0));
}

TEST_CASE("a run whose answer got lost for want of memory waits for it, and nobody is blamed in vain", "[faults]") {
  const std::size_t part = GENERATE(0U, 1U);  // the last commitment, the last reveal
  two t;
  t.invite();
  const auto answer = t.answer();
  for (std::size_t i = 0; i < part; ++i) REQUIRE(t.a.receive(1, 7, answer[i], then));
  std::size_t points = 0;
  {
    const after_allocations limit(1, after_allocations::then::bad_alloc);
    try {
      (void)t.a.receive(1, 7, answer[part], then);
    } catch (const std::bad_alloc&) {
      ++points;
    }
  }
  REQUIRE(points == 1);
  CHECK(t.a.waiting_for() == leaves{1});
  REQUIRE(t.a.tick(then + limits::verification_phase));
  CHECK(t.a.last()->missing == leaves{1});
  CHECK(t.a.last()->aborted.why.leaf == 1);
}

}  // namespace spoken
}  // namespace faults
