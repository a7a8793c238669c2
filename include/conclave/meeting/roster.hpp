// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The roster of a meeting, and the icon in its header: what one participant knows of the others, and what that adds up
/// to.
#pragma once

#include <conclave/identity/certificate_details.hpp>
#include <conclave/meeting/client.hpp>
#include <conclave/mls/identities.hpp>
#include <conclave/sas/verification.hpp>

#include <map>
#include <string>

namespace conclave::inline CONCLAVE_ABI {

/// participant: one line of the roster.
struct participant {
  mls::leaf_index leaf{};
  std::string name;         ///< as the validator reads it, else as claimed; verified only where `identity` says so
  std::uint64_t since = 0;  ///< the first epoch it was seen in; who came before this participant: that one's first
  identity_state identity = identity_state::unverified;
  client_claims client;   ///< by its own account
  bool compared = false;  ///< took part when the spoken code was compared, among the same people as now
};

/// shown_name(validator, who): of at most limits::name_bytes before what could deceive the eye is escaped; empty where the
/// credential names nobody.
[[nodiscard]] inline std::string shown_name(identity_validator* validator, const presented_identity& who) {
  const auto shown = [](byte_view name) {
    return x509::detail::printable(name.first(std::min(name.size(), limits::name_bytes)));
  };
  if (validator != nullptr) {
    const auto name = validator->identity(who);
    return name ? shown(*name) : std::string{};
  }
  return who.type == credential_type::basic ? shown(who.credential) : std::string{};
}

/// spoken_state: what comparing the spoken code has come to, for this participant.
struct spoken_state {
  std::vector<std::uint32_t> compared;  ///< whose codes were the same
  bool differed = false;  ///< somebody's were not: the meeting is intercepted, or somebody misread, or lies

  template <crypto_provider P>
  [[nodiscard]] static spoken_state of(const sas::basic_verification<P>& v) {
    spoken_state out;
    if (v.verified()) out.compared = v.verified()->contributors;
    out.differed = (v.last() && v.last()->how == sas::ending::differed) ||
                   std::ranges::any_of(v.results(), [](const sas::verdict& said) { return !said.match; });
    return out;
  }
  [[nodiscard]] bool compared_with(mls::leaf_index leaf) const {
    return std::ranges::find(compared, number(leaf)) != compared.end();
  }
};

/// identity_counts: how many people are in which state.
class identity_counts {
 public:
  [[nodiscard]] std::size_t& operator[](identity_state state) noexcept {
    return counts_[static_cast<std::size_t>(state)];
  }
  /// worst(): of those that occur; nothing where there is nobody.
  [[nodiscard]] std::optional<identity_state> worst() const noexcept {
    const auto at = std::ranges::find_if(counts_, [](std::size_t n) { return n != 0; });
    if (at == counts_.end()) return std::nullopt;
    return static_cast<identity_state>(at - counts_.begin());
  }
  /// for_each(f): f(state, people) for the states that occur, the worst first.
  void for_each(auto&& f) const {
    for (std::size_t i = 0; i < counts_.size(); ++i)
      if (counts_[i] != 0) f(static_cast<identity_state>(i), counts_[i]);
  }

 private:
  std::array<std::size_t, static_cast<std::size_t>(identity_state::verified_external) + 1> counts_{};
};

/// attendance: what a roster remembers from epoch to epoch. Who leaves takes along what was known of it, even where
/// somebody else takes its place.
class attendance {
 public:
  struct entry {
    std::uint64_t since = 0;
    std::string name;
    identity_state identity = identity_state::unverified;
  };

  using entries = std::map<mls::leaf_index, entry>;

  void add(mls::leaf_index leaf, entry&& who) {
    entries one;
    one.emplace(leaf, std::move(who));
    add(std::move(one));
  }
  /// add(present): each in place of who was there.
  void add(entries&& present) noexcept {
    while (!present.empty()) {
      auto node = present.extract(present.begin());
      remove(node.key());
      ++states_[node.mapped().identity];
      entries_.insert(std::move(node));
    }
  }
  void remove(mls::leaf_index leaf) noexcept {
    const auto at = entries_.find(leaf);
    if (at == entries_.end()) return;
    --states_[at->second.identity];
    entries_.erase(at);
  }
  /// judge(leaf, state): true where that is another verdict than before.
  bool judge(mls::leaf_index leaf, identity_state state) noexcept {
    const auto at = entries_.find(leaf);
    if (at == entries_.end() || at->second.identity == state) return false;
    --states_[at->second.identity];
    ++states_[state];
    at->second.identity = state;
    return true;
  }
  /// find(leaf): nullptr for somebody who has not been seen.
  [[nodiscard]] const entry* find(mls::leaf_index leaf) const noexcept {
    const auto at = entries_.find(leaf);
    return at == entries_.end() ? nullptr : &at->second;
  }
  [[nodiscard]] const entries& all() const noexcept { return entries_; }
  [[nodiscard]] const identity_counts& states() const noexcept { return states_; }

 private:
  entries entries_;
  identity_counts states_;
};

/// person: the devices of somebody. What nobody vouches for stands alone: else whoever claims a name would pass as one
/// more device of the person who has it.
struct person {
  std::string name;
  identity_state identity = identity_state::unverified;  ///< the least of its devices
  std::vector<mls::leaf_index> devices;
};

/// people_of(attendance): everybody, those with the longest-standing device first.
[[nodiscard]] inline std::vector<person> people_of(const attendance& who) {
  std::vector<person> out;
  std::map<std::string_view, std::size_t> known;  // the identity that a validator has verified is the name
  for (const auto& [leaf, entry] : who.all()) {
    std::size_t at = out.size();
    if (is_verified(entry.identity) && !entry.name.empty()) at = known.emplace(entry.name, at).first->second;
    if (at == out.size()) out.push_back({entry.name, entry.identity, {}});
    out[at].identity = std::min(out[at].identity, entry.identity);
    out[at].devices.push_back(leaf);
  }
  return out;
}

/// security_level: the icon.
enum class security_level : std::uint8_t { not_encrypted, degraded, end_to_end_encrypted };

/// security_reason: why it is no better; of the people, how many are in this state.
struct security_reason {
  enum class kind : std::uint8_t { not_in_a_meeting, codes_differ, identity } what{};
  identity_state state{};  ///< kind identity
  std::size_t people = 0;  ///< kind identity
};

/// text(state), text(reason): for people.
[[nodiscard]] constexpr const char* text(identity_state state) noexcept {
  switch (state) {
    case identity_state::revoked: return "certificate revoked";
    case identity_state::mismatch: return "certificate of somebody else";
    case identity_state::untrusted: return "certificate not trusted";
    case identity_state::expired: return "certificate not valid now";
    case identity_state::revocation_unknown: return "unknown whether the certificate is revoked";
    case identity_state::unverified: return "not verified";
    case identity_state::verified_internal: return "verified by the organisation";
    case identity_state::verified_external: return "verified by an external authority";
  }
  return "unknown";
}
[[nodiscard]] inline std::string text(const security_reason& reason) {
  switch (reason.what) {
    case security_reason::kind::not_in_a_meeting: return "no encrypted meeting is on";
    case security_reason::kind::codes_differ: return "the spoken codes differ";
    case security_reason::kind::identity: break;
  }
  return std::to_string(reason.people) + (reason.people == 1 ? " person: " : " people: ") + text(reason.state);
}

/// meeting_security: the icon, the least identity of all, and the reasons, the worst first.
struct meeting_security {
  security_level level = security_level::not_encrypted;
  identity_state people = identity_state::revoked;
  std::vector<security_reason> reasons;
};

/// security_of(active, states, expects, differed): a meeting is as good as the least of its members; `expects` is what
/// each of them has to be.
[[nodiscard]] inline meeting_security security_of(bool active, const identity_counts& states, identity_state expects,
                                                  bool differed) {
  meeting_security out;
  const auto worst = states.worst();
  if (!active || !worst) {
    out.reasons.push_back({security_reason::kind::not_in_a_meeting});
    return out;
  }
  if (differed) out.reasons.push_back({security_reason::kind::codes_differ});
  states.for_each([&](identity_state state, std::size_t n) {
    if (state < expects) out.reasons.push_back({security_reason::kind::identity, state, n});
  });
  out.people = *worst;
  out.level = out.reasons.empty() ? security_level::end_to_end_encrypted : security_level::degraded;
  return out;
}
[[nodiscard]] inline meeting_security security_of(bool active, std::span<const participant> people,
                                                  identity_state expects, const spoken_state& aloud) {
  identity_counts states;
  for (const participant& p : people) ++states[p.identity];
  return security_of(active, states, expects, aloud.differed);
}

}  // namespace conclave
