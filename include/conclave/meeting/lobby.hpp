// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// lobby: those who knock and are not in yet, as a host sees them: who they are, what the rules say of them, and what
/// the host decides.
#pragma once

#include <conclave/meeting/meeting.hpp>

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

/// basic_lobby<P>: a host's. What the rules refuse is answered and forgotten; who may come in, or waits for the host, has
/// a place, in the order of arrival. It holds at most limits::waiting_joins people and limits::waiting_join_bytes; whoever
/// comes later knocks again. Reads no clock. Threads: one at a time.
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
  };
  /// answer: what became of a place.
  struct answer {
    std::uint64_t ticket = 0;
    admission_decision decision;
  };

  basic_lobby(const admission_rules& rules, meeting_kind kind,
              device_permission devices = device_permission::allowed) noexcept
      : rules_{rules}, kind_{kind}, devices_{devices} {}

  /// knock(room, key_package, must_be_recorded): `must_be_recorded` is what the organisation's directory says. The
  /// answer's ticket is 0 where the visitor has no place. Errors: over_limit; those of basic_meeting::visitor.
  [[nodiscard]] result<answer> knock(const basic_meeting<P>& room, byte_view key_package,
                                     bool must_be_recorded = false) {
    CONCLAVE_TRY(auto who, room.visitor(key_package));
    place p{0, std::move(who), must_be_recorded, false, {}, to_bytes(key_package)};
    p.decision = decide(room.facts(kind_, devices_), p);
    if (p.decision.verdict == admission_verdict::refused) return answer{0, p.decision};
    if (places_.size() >= limits::waiting_joins || bytes_ + key_package.size() > limits::waiting_join_bytes)
      return errc::over_limit;
    p.ticket = next_ticket_++;
    bytes_ += key_package.size();
    places_.push_back(std::move(p));
    return answer{places_.back().ticket, places_.back().decision};
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
    leave(at);
    return answer{ticket, {admission_verdict::refused, admission_reason::turned_away, 0, {}}};
  }

  /// outcome: whom to admit now, and whom the rules have come to refuse meanwhile.
  struct outcome {
    std::vector<bytes> key_packages;  ///< for basic_meeting::admit, or a gathering
    std::vector<answer> answers;
  };
  /// take(room): asks the rules again, in the order of arrival, as if each who may come in were in already: those leave
  /// the lobby, and so do those who are refused by now. In a locked meeting all others wait.
  [[nodiscard]] outcome take(const basic_meeting<P>& room) {
    outcome out;
    meeting_facts facts = room.facts(kind_, devices_);
    std::deque<place> before = std::exchange(places_, {});
    for (place& p : before) {
      p.decision = decide(facts, p);
      const bool stays = p.decision.verdict == admission_verdict::lobby ||
                         (facts.locked && p.decision.verdict == admission_verdict::admitted);
      if (stays) {
        places_.push_back(std::move(p));
        continue;
      }
      bytes_ -= p.key_package.size();
      out.answers.push_back({p.ticket, p.decision});
      if (p.decision.verdict != admission_verdict::admitted) continue;
      ++facts.present;
      facts.app_present += p.who.client.experience == client_experience::app ? 1U : 0U;
      out.key_packages.push_back(std::move(p.key_package));
    }
    return out;
  }

 private:
  [[nodiscard]] admission_decision decide(const meeting_facts& facts, const place& p) const {
    return decide_admission(rules_, facts, {p.who.client, p.who.identity, p.must_be_recorded, p.agreed});
  }
  void leave(typename std::deque<place>::iterator at) {
    bytes_ -= at->key_package.size();
    places_.erase(at);
  }

  admission_rules rules_;
  meeting_kind kind_;
  device_permission devices_;
  std::deque<place> places_;
  std::size_t bytes_ = 0;
  std::uint64_t next_ticket_ = 1;
};

/// lobby: over the default provider.
using lobby = basic_lobby<default_provider>;

}  // namespace conclave
