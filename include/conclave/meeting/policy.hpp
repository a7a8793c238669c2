// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Who may, and who must, encrypt a meeting end to end: what an organisation's policy, the organizer's licence, a
/// sensitivity label, a meeting template and the organizer add up to, and in words why.
#pragma once

#include <conclave/meeting/names.hpp>

#include <string>

namespace conclave::inline CONCLAVE_ABI {

/// encryption_policy: what an organisation allows an organizer.
enum class encryption_policy : std::uint8_t { not_enabled, not_enabled_but_users_can_enable };
inline constexpr std::array<std::string_view, 2> encryption_policy_names{"not_enabled",
                                                                         "not_enabled_but_users_can_enable"};
[[nodiscard]] constexpr std::span<const std::string_view> names(encryption_policy) noexcept {
  return encryption_policy_names;
}

/// encryption_policies: the policies of an organisation. Who has none assigned has the global one.
struct encryption_policies {
  struct policy {
    std::string name;
    encryption_policy value{};
    friend bool operator==(const policy&, const policy&) = default;
  };
  struct assignment {
    std::string organizer, policy;
    friend bool operator==(const assignment&, const assignment&) = default;
  };
  /// in_force: a value, and the name of the policy that has it: empty for the global one. Lives as long as the
  /// policies.
  struct in_force {
    encryption_policy value{};
    std::string_view name;
  };

  encryption_policy global = encryption_policy::not_enabled_but_users_can_enable;
  std::vector<policy> named;
  std::vector<assignment> assigned;

  /// of(organizer): the first assignment counts; one to a policy that is gone is none.
  [[nodiscard]] in_force of(std::string_view organizer) const noexcept {
    const auto mine = std::ranges::find(assigned, organizer, &assignment::organizer);
    if (mine == assigned.end()) return {global, {}};
    const auto found = std::ranges::find(named, mine->policy, &policy::name);
    if (found == named.end()) return {global, {}};
    return {found->value, found->name};
  }
  friend bool operator==(const encryption_policies&, const encryption_policies&) = default;
};

/// directive: what a label or a template says about encryption. A mere default that an organizer may change is `open`:
/// it only fills in the organizer's choice.
enum class directive : std::uint8_t { open, enforces, prevents };
inline constexpr std::array<std::string_view, 3> directive_names{"open", "enforces", "prevents"};
[[nodiscard]] constexpr std::span<const std::string_view> names(directive) noexcept { return directive_names; }

/// encryption_requirements: what has to be paid for or switched on first.
struct encryption_requirements {
  bool premium_licence = true;  ///< of the organizer
  bool devices_enabled = true;  ///< for the site and for the user
  friend constexpr bool operator==(const encryption_requirements&, const encryption_requirements&) noexcept = default;
};

/// encryption_facts: everything the decision depends on.
struct encryption_facts {
  bool kind_covered = true;  ///< meetings of this kind can be encrypted at all
  bool premium_licence = false;
  encryption_policy policy = encryption_policy::not_enabled_but_users_can_enable;
  directive label = directive::open;
  directive meeting_template = directive::open;
  bool organizer_wants_it = false;
  bool devices_enabled_for_site = false;
  bool devices_enabled_for_user = false;
};

/// encryption_rule: which of the rules decided, in the order in which they are asked.
enum class encryption_rule : std::uint8_t { meeting_kind, licence, label, policy, meeting_template, organizer };
inline constexpr std::array<std::string_view, 6> encryption_rule_names{"meeting_kind", "licence",          "label",
                                                                       "policy",       "meeting_template", "organizer"};
[[nodiscard]] constexpr std::span<const std::string_view> names(encryption_rule) noexcept {
  return encryption_rule_names;
}

/// encryption_changer: who can bring about another decision.
enum class encryption_changer : std::uint8_t { nobody, administrator, organizer };
inline constexpr std::array<std::string_view, 3> encryption_changer_names{"nobody", "administrator", "organizer"};
[[nodiscard]] constexpr std::span<const std::string_view> names(encryption_changer) noexcept {
  return encryption_changer_names;
}

/// device_permission: whether room devices may be in the meeting. Only encrypted meetings ask.
enum class device_permission : std::uint8_t { allowed, off_for_site, off_for_user, off_for_both };
inline constexpr std::array<std::string_view, 4> device_permission_names{"allowed", "off_for_site", "off_for_user",
                                                                         "off_for_both"};
[[nodiscard]] constexpr std::span<const std::string_view> names(device_permission) noexcept {
  return device_permission_names;
}

/// encryption_decision: the outcome, and how it came about.
struct encryption_decision {
  bool encrypted = false;
  encryption_rule decided_by{};
  bool enforced = false;  ///< the rule that decided leaves the organizer no choice
  encryption_changer may_change{};
  /// Who asked for encryption in vain, the strongest voice first. Where it is the label, a host that takes its labels
  /// seriously does not start the meeting.
  std::optional<encryption_rule> asked_in_vain;
  device_permission devices = device_permission::allowed;
};

/// decide_encryption(facts, requirements): licence before label before policy before template before organizer. Without
/// its licence nothing is encrypted, whatever a label says; a label can enforce what the policy does not allow, a
/// template cannot.
[[nodiscard]] constexpr encryption_decision decide_encryption(
    const encryption_facts& facts, const encryption_requirements& requirements = {}) noexcept {
  encryption_decision out;
  const auto by = [&](encryption_rule rule, bool encrypted) {
    out.decided_by = rule;
    out.encrypted = encrypted;
  };
  if (!facts.kind_covered)
    by(encryption_rule::meeting_kind, false);
  else if (requirements.premium_licence && !facts.premium_licence)
    by(encryption_rule::licence, false);
  else if (facts.label != directive::open)
    by(encryption_rule::label, facts.label == directive::enforces);
  else if (facts.policy == encryption_policy::not_enabled)
    by(encryption_rule::policy, false);
  else if (facts.meeting_template != directive::open)
    by(encryption_rule::meeting_template, facts.meeting_template == directive::enforces);
  else
    by(encryption_rule::organizer, facts.organizer_wants_it);

  out.enforced = out.decided_by != encryption_rule::organizer;
  out.may_change = out.decided_by == encryption_rule::meeting_kind ? encryption_changer::nobody
                   : out.enforced                                  ? encryption_changer::administrator
                                                                   : encryption_changer::organizer;
  if (out.encrypted) {
    if (requirements.devices_enabled && !facts.devices_enabled_for_site)
      out.devices = facts.devices_enabled_for_user ? device_permission::off_for_site : device_permission::off_for_both;
    else if (requirements.devices_enabled && !facts.devices_enabled_for_user)
      out.devices = device_permission::off_for_user;
  } else if (facts.label == directive::enforces) {
    out.asked_in_vain = encryption_rule::label;
  } else if (facts.meeting_template == directive::enforces) {
    out.asked_in_vain = encryption_rule::meeting_template;
  } else if (facts.organizer_wants_it) {
    out.asked_in_vain = encryption_rule::organizer;
  }
  return out;
}

/// text(permission): for people.
[[nodiscard]] constexpr const char* text(device_permission p) noexcept {
  switch (p) {
    case device_permission::allowed: return "Room devices may join.";
    case device_permission::off_for_site:
      return "Room devices cannot join: encryption on devices is switched off for the site.";
    case device_permission::off_for_user:
      return "Room devices cannot join: encryption on devices is switched off for the organizer.";
    case device_permission::off_for_both: break;
  }
  return "Room devices cannot join: encryption on devices is switched off for the site and for the organizer.";
}

/// explain(decision, policy): what a help desk can read out: the outcome and its reason, who can change it, whose wish
/// it does not meet, and what it means for room devices. `policy` names the policy in force; empty for the global one.
[[nodiscard]] inline std::string explain(const encryption_decision& d, std::string_view policy = {}) {
  std::string out = d.encrypted ? "The meeting is end-to-end encrypted" : "The meeting is not end-to-end encrypted";
  switch (d.decided_by) {
    case encryption_rule::meeting_kind: out += ": meetings of this kind cannot be. Another kind of meeting can."; break;
    case encryption_rule::licence:
      out += ": the organizer has no premium licence. An administrator can assign one.";
      break;
    case encryption_rule::label:
      out += d.encrypted ? ": its sensitivity label enforces that" : ": its sensitivity label prevents that";
      out += ", whatever the policy, the template and the organizer say. An administrator can change the label.";
      break;
    case encryption_rule::policy:
      out += policy.empty() ? ": the global policy does not enable it for the organizer"
                            : ": the policy \"" + std::string{policy} + "\" does not enable it for the organizer";
      out += ". An administrator can change the policy, or assign another one.";
      break;
    case encryption_rule::meeting_template:
      out += d.encrypted ? ": its template enforces that" : ": its template prevents that";
      out += ", whatever the organizer says. An administrator can change the template.";
      break;
    case encryption_rule::organizer:
      out += d.encrypted ? ": the organizer has switched it on" : ": the organizer has not switched it on";
      out += ". The organizer can change that before the meeting starts.";
      break;
  }
  if (d.asked_in_vain == encryption_rule::label)
    out += " Its sensitivity label asks for encryption: as it is, the meeting must not be held.";
  if (d.asked_in_vain == encryption_rule::meeting_template) out += " Its template asks for encryption in vain.";
  if (d.asked_in_vain == encryption_rule::organizer) out += " The organizer asks for encryption in vain.";
  if (d.encrypted) out += std::string(" ") + text(d.devices);
  return out;
}

}  // namespace conclave
