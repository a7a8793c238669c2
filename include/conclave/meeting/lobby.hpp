// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// lobby: those who knock and are not in yet, as a host sees them: who they are, what the rules say of them, and what
/// the host decides.
#pragma once

#include <conclave/meeting/meeting.hpp>

#include <deque>
#include <map>

namespace conclave::inline CONCLAVE_ABI {

/// admission_answer: what is sent back to somebody who knocks, so that their client can explain() it. A server that
/// relays it could have made it up: it proves nothing. Its encoding is what wire::encode and wire::decode say.
struct admission_answer {
  static constexpr std::uint8_t format = 1;

  admission_decision decision;

  [[nodiscard]] static result<admission_answer> read(reader& in) {
    admission_answer out;
    CONCLAVE_TRY(const auto seen, in.number<std::uint8_t>());
    if (seen != format) return errc::unsupported;
    CONCLAVE_TRY(out.decision.verdict, wire::read<admission_verdict>(in));
    if (!known(out.decision.verdict)) return errc::malformed;
    CONCLAVE_TRY(out.decision.reason, wire::read<admission_reason>(in));
    CONCLAVE_TRY(out.decision.limit, in.number<std::uint32_t>());
    for (std::uint32_t& part : out.decision.least.parts) {
      CONCLAVE_TRY(part, in.number<std::uint32_t>());
    }
    return out;
  }
  void write(auto& out) const {
    out.number(format);
    wire::write(out, decision.verdict);
    wire::write(out, decision.reason);
    out.number(decision.limit);
    for (const std::uint32_t part : decision.least.parts) out.number(part);
  }
};

namespace rules {
inline constexpr rule newest_knock{"an older key package than the one that waits", "meeting/lobby.hpp"};
}  // namespace rules

/// basic_lobby<P>: of one meeting, at a host of it. What the rules refuse is answered and forgotten; who may come in, or
/// waits for the host, has a place, in the order of arrival, one for each signature key. It holds at most
/// limits::waiting_joins people and limits::waiting_join_bytes; whoever comes later knocks again. Reads no clock.
/// Move-only: a place is held once. Threads: one at a time.
template <class P>
class basic_lobby {
  static_assert(crypto_provider<P>);

 public:
  /// place: somebody who waits.
  struct place {
    std::uint64_t ticket = 0;
    visitor who;
    bool must_be_recorded = false;
    bool agreed = false;          ///< a host lets them in
    admission_decision decision;  ///< when they knocked, or when it was asked last
    bytes key_package;
    bytes signature_key;
  };
  /// answer: what became of a place.
  struct answer {
    std::uint64_t ticket = 0;
    admission_decision decision;
  };

  basic_lobby(const admission_rules& rules, meeting_kind kind,
              device_permission devices = device_permission::allowed) noexcept
      : rules_{rules}, kind_{kind}, devices_{devices} {}
  basic_lobby(basic_lobby&&) = default;
  basic_lobby& operator=(basic_lobby&&) = default;

  /// knock(room, key_package, must_be_recorded): `must_be_recorded` is what the organisation's directory says. The
  /// answer's ticket is 0 where the visitor has no place. Who knocks again keeps place and ticket, with the newer key
  /// package: the same key has signed it, and who crashed has no use for the older one. What a host has agreed to holds
  /// where the newer one shows the same credential and claims. A knock that is refused leaves a place as it was. Errors:
  /// replayed (a key package that began earlier: somebody repeats what was once sent); over_limit; those of
  /// basic_meeting::visitor.
  [[nodiscard]] result<answer> knock(const basic_meeting<P>& room, byte_view key_package,
                                     bool must_be_recorded = false) {
    CONCLAVE_TRY(auto who, room.visitor(key_package));
    CONCLAVE_TRY(const auto knocks, mls::message::decode(key_package));
    const mls::leaf_node& leaf = knocks.key_package->leaf.value;
    place p{0, std::move(who), must_be_recorded, false, {}, to_bytes(key_package), to_bytes(leaf.signature_key)};
    const auto before = std::ranges::find(places_, p.signature_key, &place::signature_key);
    const bool again = before != places_.end();
    if (again) {
      const auto older = *mls::message::decode(before->key_package);
      if (leaf.lifetime.not_before < older.key_package->leaf->lifetime.not_before)
        return failure{errc::replayed, rules::newest_knock};
      p.agreed = before->agreed && shows_the_same(p, *before);
    }
    p.decision = decide(facts_of(room), p);
    if (p.decision.verdict == admission_verdict::refused) return answer{0, p.decision};
    const std::size_t freed = again ? before->key_package.size() : 0;
    if ((!again && places_.size() >= limits::waiting_joins) ||
        bytes_ - freed + key_package.size() > limits::waiting_join_bytes)
      return errc::over_limit;
    p.ticket = again ? before->ticket : next_ticket_;
    const answer out{p.ticket, p.decision};
    if (again) {
      *before = std::move(p);
    } else {
      places_.push_back(std::move(p));
      ++next_ticket_;
    }
    bytes_ = bytes_ - freed + key_package.size();
    return out;
  }

  /// waiting(): everybody in the lobby.
  [[nodiscard]] const std::deque<place>& waiting() const noexcept { return places_; }

  /// agree(ticket), turn_away(ticket): what the host decides. unknown_key for nobody's ticket.
  [[nodiscard]] status agree(std::uint64_t ticket) {
    const auto at = std::ranges::find(places_, ticket, &place::ticket);
    if (at == places_.end()) return errc::unknown_key;
    at->agreed = true;
    return {};
  }
  [[nodiscard]] result<answer> turn_away(std::uint64_t ticket) {
    const auto at = std::ranges::find(places_, ticket, &place::ticket);
    if (at == places_.end()) return errc::unknown_key;
    bytes_ -= at->key_package.size();
    places_.erase(at);
    return answer{ticket, {admission_verdict::refused, admission_reason::turned_away, 0, {}}};
  }

  /// outcome: whom to admit now, and who has lost their place meanwhile.
  struct outcome {
    std::vector<place> admitted;        ///< in their order
    std::vector<answer> answers;        ///< whom the rules have come to refuse
    std::vector<std::uint64_t> lapsed;  ///< whose key package is no good any more: they knock again

    /// key_packages(): for basic_meeting::admit; they live as long as `admitted`.
    [[nodiscard]] std::vector<byte_view> key_packages() const {
      std::vector<byte_view> out;
      for (const place& p : admitted) out.emplace_back(p.key_package);
      return out;
    }
  };
  /// take(room): asks the rules again, in the order of arrival, as if each who may come in were in already: those leave
  /// the lobby, and so do those who are refused by now. In a locked meeting all others wait. Once the delivery service
  /// has accepted the commit that adds them, the outcome is done with; where it comes to nothing, give_back() it.
  [[nodiscard]] outcome take(const basic_meeting<P>& room) {
    outcome out;
    enum class fate : std::uint8_t { waits, leaves, comes };
    std::vector<fate> fates;
    fates.reserve(places_.size());
    meeting_facts facts = facts_of(room);
    const auto decided = [&](place& p) {
      p.decision = decide(facts, p);
      if (p.decision.verdict == admission_verdict::refused) {
        out.answers.push_back({p.ticket, p.decision});
        return fate::leaves;
      }
      return p.decision.verdict == admission_verdict::lobby || facts.locked ? fate::waits : fate::comes;
    };
    for (place& p : places_) {
      fate what = decided(p);
      if (what == fate::comes) {
        // one key package that has lapsed would make the commit of all of them fail
        if (auto now = room.visitor_again(p.key_package)) {
          p.who = *std::move(now);
          what = decided(p);
        } else {
          out.lapsed.push_back(p.ticket);
          what = fate::leaves;
        }
      }
      fates.push_back(what);
      if (what != fate::comes) continue;
      ++facts.present;
      facts.app_present += p.who.client.experience == client_experience::app ? 1U : 0U;
    }
    out.admitted.reserve(static_cast<std::size_t>(std::ranges::count(fates, fate::comes)));
    // from here on nothing fails
    auto kept = places_.begin();
    for (auto [p, what] = std::pair{places_.begin(), fates.begin()}; p != places_.end(); ++p, ++what) {
      if (*what == fate::waits) {
        if (kept != p) *kept = std::move(*p);
        ++kept;
        continue;
      }
      bytes_ -= p->key_package.size();
      if (*what == fate::comes) out.admitted.push_back(std::move(*p));
    }
    places_.erase(kept, places_.end());
    return out;
  }

  /// give_back(outcome): their commit came to nothing, because it was not made, or another one came first: everybody has
  /// the place again that they had. Returned are the tickets of those who do not: who has knocked again meanwhile, which
  /// counts instead, and who came last where the lobby has filled up.
  std::vector<std::uint64_t> give_back(outcome&& failed) {
    outcome back = std::move(failed);
    std::vector<std::uint64_t> lost;
    std::map<std::string_view, place*> waiting;
    for (place& p : places_) waiting.emplace(as_text(p.signature_key), &p);
    for (place& p : back.admitted) {
      if (const auto newer = waiting.find(as_text(p.signature_key)); newer != waiting.end()) {
        newer->second->agreed = newer->second->agreed || (p.agreed && shows_the_same(p, *newer->second));
        lost.push_back(p.ticket);
        continue;
      }
      bytes_ += p.key_package.size();
      places_.push_back(std::move(p));
    }
    std::ranges::sort(places_, {}, &place::ticket);
    while (places_.size() > limits::waiting_joins || bytes_ > limits::waiting_join_bytes) {
      lost.push_back(places_.back().ticket);
      bytes_ -= places_.back().key_package.size();
      places_.pop_back();
    }
    return lost;
  }

 private:
  /// What the rules ask about the meeting takes a look at everybody, and changes with the epoch only.
  [[nodiscard]] const meeting_facts& facts_of(const basic_meeting<P>& room) {
    if (seen_epoch_ != room.epoch()) seen_ = room.facts(kind_, devices_);
    seen_epoch_ = room.epoch();
    return seen_;
  }
  [[nodiscard]] admission_decision decide(const meeting_facts& facts, const place& p) const {
    return decide_admission(rules_, facts, {p.who.client, p.who.identity, p.must_be_recorded, p.agreed});
  }
  /// What a host has looked at is the same in both.
  [[nodiscard]] static bool shows_the_same(const place& a, const place& b) {
    const auto first = *mls::message::decode(a.key_package), second = *mls::message::decode(b.key_package);
    return first.key_package->leaf->credential == second.key_package->leaf->credential && a.who.client == b.who.client;
  }

  admission_rules rules_;
  meeting_kind kind_;
  device_permission devices_;
  std::deque<place> places_;  // by ascending tickets
  std::size_t bytes_ = 0;
  std::uint64_t next_ticket_ = 1;
  meeting_facts seen_;
  std::optional<std::uint64_t> seen_epoch_;
};

/// lobby: over the default provider.
using lobby = basic_lobby<default_provider>;

}  // namespace conclave
