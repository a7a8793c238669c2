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

/// visitor: somebody who asks to be let in.
struct visitor {
  std::string name;
  identity_state identity = identity_state::unverified;
  client_claims client;  ///< by its own account
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
  bool differed = false;                ///< somebody's were not: the meeting is intercepted, or somebody misread

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

/// attendance: what a roster remembers from epoch to epoch. Who leaves takes along what was known of it, even where
/// somebody else takes its place.
class attendance {
 public:
  struct entry {
    std::uint64_t since = 0;
    std::string name;
    identity_state identity = identity_state::unverified;
  };

  void add(mls::leaf_index leaf, entry&& who) {
    remove(leaf);
    ++states_[who.identity];
    entries_[leaf] = std::move(who);
  }
  void remove(mls::leaf_index leaf) {
    const auto at = entries_.find(leaf);
    if (at == entries_.end()) return;
    count_out(at->second.identity);
    entries_.erase(at);
  }
  /// judge(leaf, state): true where that is another verdict than before.
  bool judge(mls::leaf_index leaf, identity_state state) {
    const auto at = entries_.find(leaf);
    if (at == entries_.end() || at->second.identity == state) return false;
    count_out(at->second.identity);
    ++states_[state];
    at->second.identity = state;
    return true;
  }
  [[nodiscard]] const entry* find(mls::leaf_index leaf) const {
    const auto at = entries_.find(leaf);
    return at == entries_.end() ? nullptr : &at->second;
  }
  [[nodiscard]] const std::map<mls::leaf_index, entry>& all() const noexcept { return entries_; }
  /// states(): how many people are in which state, the worst first.
  [[nodiscard]] const std::map<identity_state, std::size_t>& states() const noexcept { return states_; }

 private:
  void count_out(identity_state state) {
    const auto at = states_.find(state);
    if (--at->second == 0) states_.erase(at);
  }

  std::map<mls::leaf_index, entry> entries_;
  std::map<identity_state, std::size_t> states_;
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
/// each of them has to be, `states` how many people are in which state.
[[nodiscard]] inline meeting_security security_of(bool active, const std::map<identity_state, std::size_t>& states,
                                                  identity_state expects, bool differed) {
  meeting_security out;
  if (!active || states.empty()) {
    out.reasons.push_back({security_reason::kind::not_in_a_meeting});
    return out;
  }
  if (differed) out.reasons.push_back({security_reason::kind::codes_differ});
  for (const auto& [state, n] : states)
    if (state < expects) out.reasons.push_back({security_reason::kind::identity, state, n});
  out.people = states.begin()->first;
  out.level = out.reasons.empty() ? security_level::end_to_end_encrypted : security_level::degraded;
  return out;
}
[[nodiscard]] inline meeting_security security_of(bool active, std::span<const participant> people,
                                                  identity_state expects, const spoken_state& aloud) {
  std::map<identity_state, std::size_t> states;
  for (const participant& p : people) ++states[p.identity];
  return security_of(active, states, expects, aloud.differed);
}

}  // namespace conclave
