// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Verification runs against members who say anything. An input that begins like a message is read and written again: what
/// decodes is the one encoding of what it says. Any other input is a script: users and time do what it says, three other
/// members send what fits and what does not. The oracle watches from outside, knowing nothing but the bytes that went in
/// and came out: nobody reveals before all commitments are there, a code appears only when everybody has revealed what
/// they committed to, and is the one that follows from that; what is refused changes nothing; all limits hold.
#include <conclave/sas/verification.hpp>

#include "support/oracle.hpp"

#include <map>

namespace {

using namespace conclave;
using namespace conclave::sas;
using provider = default_provider;

constexpr auto sha256 = hash_id::sha256;
constexpr std::uint32_t own_leaf = 1;
constexpr unsigned min_bits = 29;

using conclave_fuzz::require, conclave_fuzz::script;

void codec(byte_view input) {
  const auto read = wire::decode<message>(input);
  if (!read) return;
  require(equal(wire::encode(*read), input), "encoding does not give the input");
  require(!wire::decode<message>(input.first(input.size() - 1)), "a message without its last byte was accepted");
  bytes longer = to_bytes(input);
  longer.push_back(0);
  require(!wire::decode<message>(longer), "a message with a byte behind it was accepted");
}

/// Randomness that repeats, and fails when told.
class script_environment final : public environment {
 public:
  bool fails = false;
  [[nodiscard]] status random(byte_span out) noexcept override {
    std::ranges::fill(out, fails ? std::uint8_t{0} : ++counter_);
    return fails ? status{errc::no_entropy} : status{};
  }
  [[nodiscard]] unix_time wall() noexcept override { return {}; }
  [[nodiscard]] steady_time steady() noexcept override { return {}; }

 private:
  std::uint8_t counter_ = 0;
};

/// What an observer knows of one run.
struct seen_run {
  run_binding binding;
  sas::form form{};
  std::map<std::uint32_t, contribution> parts;
  [[nodiscard]] bool all(bool revealed) const {
    return std::ranges::all_of(
        parts, [&](const auto& p) { return revealed ? p.second.nonce.has_value() : p.second.commitment.has_value(); });
  }
};

class play {
 public:
  explicit play(byte_view input) : script_{input} { enter(); }

  void go() {
    while (!script_.empty()) {
      step();
      hear_outgoing();
      require(app_.failures().size() <= limits::verification_failures_per_meeting, "too many failures in the meeting");
      require(app_.failures_in_epoch() <= limits::verification_failures_per_epoch, "too many failures in the epoch");
      require(app_.running() || app_.contributors().empty(), "contributors without a run");
    }
  }

 private:
  void enter() {
    const bytes what(32, static_cast<std::uint8_t>(epoch_));
    const view v{as_bytes("fuzz"), epoch_, 1, what, what, what};
    view_ = view_hash<provider>(sha256, v);
    digest members(32);
    members.writable()[0] = static_cast<std::uint8_t>(epoch_ / 4);
    app_.enter_epoch({epoch_, sha256, own_leaf, view_, members}, now_);
    require(!app_.running(), "a run has outlived its epoch");
    require(app_.take_messages().empty(), "a message has outlived its epoch");
    runs_.clear();
  }

  void step() {
    const std::uint8_t what = script_.byte(), more = script_.byte();
    const auto before = app_.phase();
    switch (what % 10) {
      case 0: {
        std::vector<std::uint32_t> others;
        for (std::uint32_t i = 0; i < 4; ++i)
          if ((more >> i & 1U) != 0) others.push_back(i);
        unchanged(app_.start(env_, form{static_cast<std::uint8_t>(more >> 4U)}, others, now_), before);
        break;
      }
      case 1:
        env_.fails = more == 255;
        unchanged(app_.take_part(env_, now_), before);
        env_.fails = false;
        break;
      case 2: unchanged(more < 128 ? app_.decline(now_) : app_.cancel(now_), before); break;
      case 3: show(); break;
      case 4: {
        const bool was_verified = app_.verified().has_value();
        const auto decided = app_.decide(more != 0, now_);
        unchanged(decided, before);
        require(was_verified || !app_.verified() || (decided && before == phase::comparing && more != 0),
                "verified without a match");
        break;
      }
      case 5:
        now_ += steady_time{more * 100};
        app_.tick(now_);
        break;
      case 6:
        ++epoch_;
        enter();
        break;
      case 7: start_by_other(more); break;
      case 8: play_along(more); break;
      default: {
        const byte_view raw = script_.take(more);
        give(more % 4, raw);
        break;
      }
    }
  }

  /// unchanged(outcome, before): a call that fails has changed nothing, but for a run whose time was up.
  void unchanged(const status& outcome, phase before) {
    if (!outcome) require(app_.phase() == before || !app_.running(), "a failed call has changed the phase");
  }

  void show() {
    const auto code = app_.show(now_);
    if (!code) return;
    const auto run = runs_.find(code->run_id());
    require(run != runs_.end(), "a code of a run that nobody has seen");
    const seen_run& seen = run->second;
    require(seen.all(true), "a code before everybody has revealed");
    std::vector<contribution> parts;
    for (const auto& [leaf, part] : seen.parts) {
      require(commitment<provider>(seen.binding, leaf, *part.nonce) == *part.commitment, "a reveal that does not fit");
      parts.push_back(part);
    }
    require(code->value() == code_value<provider>(seen.binding, seen.form, parts), "another code");
    require(code->strength_bits() >= min_bits, "a code too weak for the meeting");
  }

  void start_by_other(std::uint8_t more) {
    std::vector<std::uint32_t> who;
    for (std::uint32_t i = 0; i < 4; ++i)
      if ((more >> i & 1U) != 0) who.push_back(i);
    message m;
    m.type = message_type::start;
    m.run_id.fill(script_.byte());
    const bytes items = wire::encode_items(who);
    m.start = {epoch_, form{static_cast<std::uint8_t>(more >> 4U)}, min_bits,
               wire::list<std::uint32_t>::of(items, who.size())};
    give(more >> 2U & 3U, wire::encode(m));
  }

  /// play_along(more): member more % 4 does what is next in the newest run: commits, or reveals.
  void play_along(std::uint8_t more) {
    const auto run = runs_.find(newest_);
    const std::uint32_t leaf = more % 4;
    if (run == runs_.end() || leaf == own_leaf) return;
    const nonce r{static_cast<std::uint8_t>(leaf)};
    message m;
    m.run_id = newest_;
    m.type = more < 128 ? message_type::commit : message_type::reveal;
    m.nonce = r;
    if ((more & 0x40U) != 0) m.nonce[1] = 1;
    const digest c = commitment<provider>(run->second.binding, leaf, r);
    m.commitment = c.view();
    give(leaf, wire::encode(m));
  }

  void give(std::uint32_t from, byte_view data) {
    const auto before = app_.phase();
    const auto got = app_.receive(from, epoch_, data, now_);
    if (!got) {
      require(app_.phase() == before || !app_.running(), "a refused message has changed the phase");
      return;
    }
    require(from != own_leaf, "a message in one's own name was accepted");
    note(from, data, *got);
  }

  /// note(from, data, got): what the observer learns from a message that was accepted.
  void note(std::uint32_t from, byte_view data, notice got) {
    const auto m = wire::decode<message>(data);
    if (!m) return;  // it arrived when the time was up
    if (m->type == message_type::start && got == notice::invitation) begin(*m, data);
    const auto run = runs_.find(m->run_id);
    if (run == runs_.end() || got == notice::ended) return;
    const auto part = run->second.parts.find(from);
    if (part == run->second.parts.end()) return;
    if (m->type == message_type::commit) {
      require(!part->second.commitment, "a second commitment was accepted");
      part->second.commitment = *digest::copy_of(m->commitment);
    }
    if (m->type == message_type::reveal) {
      require(!part->second.nonce, "a second reveal was accepted");
      require(run->second.all(false), "a reveal was accepted before all commitments were there");
      part->second.nonce = m->nonce;
    }
  }

  void begin(const message& m, byte_view data) {
    seen_run run;
    run.form = m.start.form;
    run.binding = {sha256, m.run_id, digest(32), view_};
    provider::hash(sha256, byte_parts{&data, 1}, run.binding.start.writable());
    for (const std::uint32_t leaf : m.start.contributors) run.parts[leaf].leaf = leaf;
    require(run.parts.contains(own_leaf), "a run without this member");
    newest_ = m.run_id;
    runs_[m.run_id] = std::move(run);
  }

  void hear_outgoing() {
    for (const bytes& data : app_.take_messages()) {
      const auto m = wire::decode<message>(data);
      require(m.has_value(), "a message that cannot be read");
      if (m->type == message_type::start) begin(*m, data);
      const auto run = runs_.find(m->run_id);
      if (m->type != message_type::commit && m->type != message_type::reveal) continue;
      require(run != runs_.end(), "a message of a run that nobody has seen");
      contribution& mine = run->second.parts[own_leaf];
      if (m->type == message_type::commit) {
        require(!mine.commitment, "a second own commitment");
        mine.commitment = *digest::copy_of(m->commitment);
      } else {
        require(run->second.all(false), "revealed before all commitments were there");
        require(!mine.nonce, "a second own reveal");
        mine.nonce = m->nonce;
      }
    }
  }

  script script_;
  script_environment env_;
  verification app_{min_bits};
  std::uint64_t epoch_ = 1;
  steady_time now_{1'000'000};
  digest view_;
  std::map<run_id, seen_run> runs_;
  run_id newest_{};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const byte_view input{data, size};
  if (message::is(input))
    codec(input);
  else
    play{input}.go();
  return 0;
}
