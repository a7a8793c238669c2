// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Verification runs without MLS: views are values, and a hall delivers what its members say to all of them in one order.
#pragma once

#include <support/deterministic_environment.hpp>
#include <support/hex.hpp>

#include <conclave/sas/verification.hpp>

#include <catch2/catch.hpp>

#include <deque>

namespace sas_test {

using namespace conclave;
using conclave_test::deterministic_environment, conclave_test::from_hex, conclave_test::to_hex;
using sas::abort_reason, sas::ending, sas::form, sas::message, sas::message_type, sas::notice, sas::phase;
using leaves = std::vector<std::uint32_t>;

inline constexpr auto sha256 = hash_id::sha256;
inline constexpr steady_time begin{1'000'000};

/// raw_view(side, epoch): what the members of one half of a meeting see. Two halves never have the same authenticator.
struct raw_view {
  bytes tree_hash, transcript, authenticator;
  sas::view view;

  explicit raw_view(std::uint8_t side, std::uint64_t epoch)
      : tree_hash(32, std::uint8_t(0x10 + side)), transcript(32, 0x22), authenticator(32, std::uint8_t(0x30 + side)) {
    view = {as_bytes("meeting"), epoch, 1, tree_hash, transcript, authenticator};
  }
};

[[nodiscard]] inline sas::epoch_view make_epoch(std::uint32_t leaf, std::uint8_t side = 0, std::uint64_t epoch = 7,
                                                std::uint8_t members = 0) {
  const raw_view raw(side, epoch);
  digest who(32);
  who.writable()[0] = members;
  return {epoch, sha256, leaf, sas::view_hash<default_provider>(sha256, raw.view), who};
}

/// encoded(type, run_id, fill): a message as somebody may send it.
template <class Fill>
[[nodiscard]] bytes encoded(message_type type, const sas::run_id& run, Fill&& fill) {
  message out;
  out.type = type;
  out.run_id = run;
  fill(out);
  return wire::encode(out);
}
[[nodiscard]] inline bytes start_of(const sas::run_id& run, const leaves& who, form f = form::emoji_5,
                                    std::uint8_t min_bits = 26, std::uint64_t epoch = 7) {
  const bytes items = wire::encode_items(who);
  return encoded(message_type::start, run,
                 [&](message& m) { m.start = {epoch, f, min_bits, wire::list<std::uint32_t>::of(items, who.size())}; });
}

/// hall: one half of a meeting, or all of it.
class hall {
 public:
  struct seat {
    std::uint32_t leaf;
    sas::verification app;
  };
  /// said: one message in the order of the delivery service.
  struct said {
    std::uint32_t from;
    bytes data;
  };

  hall(environment& env, const leaves& members, std::uint8_t side = 0, unsigned min_bits = 26)
      : env_{&env}, side_{side} {
    for (const std::uint32_t leaf : members) {
      seats_.push_back({leaf, sas::verification(min_bits)});
      seats_.back().app.enter_epoch(make_epoch(leaf, side), now);
    }
  }

  steady_time now = begin;
  std::vector<said> log;
  std::uint64_t epoch = 7;
  /// silent: a leaf whose reveals the delivery service loses.
  std::optional<std::uint32_t> silent;

  [[nodiscard]] sas::verification& operator[](std::uint32_t leaf) {
    return std::ranges::find(seats_, leaf, &seat::leaf)->app;
  }
  [[nodiscard]] std::deque<seat>& seats() { return seats_; }

  void enter(std::uint64_t number, std::uint8_t members = 0) {
    epoch = number;
    for (seat& s : seats_) s.app.enter_epoch(make_epoch(s.leaf, side_, number, members), now);
  }

  [[nodiscard]] status start(std::uint32_t from, const leaves& others, form f = form::emoji_5) {
    return (*this)[from].start(*env_, f, others, now);
  }
  /// collect(): what the members have to say goes into the log, undelivered. Returns where it begins there.
  std::size_t collect() {
    const std::size_t first = log.size();
    for (seat& s : seats_)
      for (bytes& m : s.app.take_messages())
        if (s.leaf != silent || wire::decode<message>(m)->type != message_type::reveal)
          log.push_back({s.leaf, std::move(m)});
    return first;
  }
  /// give(from, data): to everybody in the hall but `from`, who may be nobody.
  void give(std::uint32_t from, const bytes& data) {
    for (seat& s : seats_)
      if (s.leaf != from) (void)s.app.receive(from, epoch, data, now).has_value();
  }
  /// deliver(): everything, until nobody has anything to say.
  void deliver() {
    for (std::size_t i = collect(); i < log.size(); ++i) {
      const said one = log[i];
      give(one.from, one.data);
      collect();
    }
  }
  /// agree(): everybody who is invited takes part, and everything is delivered.
  void agree() {
    deliver();
    for (seat& s : seats_)
      if (s.app.phase() == phase::invited) REQUIRE(s.app.take_part(*env_, now));
    deliver();
  }

 private:
  environment* env_;
  std::uint8_t side_;
  std::deque<seat> seats_;
};

}  // namespace sas_test
