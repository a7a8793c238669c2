// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The format of files of rules: its keys and their values, once, for reading and for writing (rules_json.hpp).
#pragma once

#include <conclave/meeting/presets.hpp>

#include <variant>

namespace conclave::inline CONCLAVE_ABI {

/// rules_document: what a file of rules says.
struct rules_document {
  meeting_rules rules;
  encryption_policies policies;
  friend bool operator==(const rules_document&, const rules_document&) = default;
};

/// rules_fault: what is wrong with a file of rules.
enum class rules_fault : std::uint8_t {
  not_json,
  preset_first,  ///< the first key has to be "preset"
  unknown_key,
  duplicate_key,
  wrong_type,
  out_of_range,    ///< of the right type, but no value that is allowed there
  impossible,      ///< would need a server that decrypts
  unknown_policy,  ///< assigned, but not there
  too_large,
};
inline constexpr std::array<std::string_view, 9> rules_fault_names{"not_json",      "preset_first",   "unknown_key",
                                                                   "duplicate_key", "wrong_type",     "out_of_range",
                                                                   "impossible",    "unknown_policy", "too_large"};
[[nodiscard]] constexpr std::span<const std::string_view> names(rules_fault) noexcept { return rules_fault_names; }

/// rules_error: the first fault, and where it is: `offset` in bytes, at most the size of the input; `line` and `column`
/// count from 1, the column in characters.
struct rules_error {
  rules_fault fault{};
  std::size_t offset = 0, line = 1, column = 1;
  std::string key;      ///< the keys that lead there, with dots between them; empty at the top
  std::string message;  ///< for people, without the place
};

/// text(error): "line 4, column 21: admission.participants: must be a whole number from 1 to 1048576".
[[nodiscard]] inline std::string text(const rules_error& e) {
  std::string out = "line " + std::to_string(e.line) + ", column " + std::to_string(e.column) + ": ";
  if (!e.key.empty()) out += e.key + ": ";
  return out + e.message;
}

namespace rules {
inline constexpr rule rules_file{"a file of rules does not follow the format", "docs/rules.md, files"};
inline constexpr rule rules_file_size{"a file of rules is larger than allowed", "limits.hpp, rules_bytes"};
}  // namespace rules

namespace rules_format {

/// The format, once, for reading and writing: each field is a path of two or three keys and a view of the value.

struct number_field {
  std::uint32_t* value;
  std::uint32_t least;
};
struct platform_field {
  platform_rule* value;
  bool possible;
};
struct feature_field {
  feature_use* value;
  bool possible;
};
template <class E>
struct name_field {
  E* value;
};
using rules_field = std::variant<bool*, number_field, platform_field, feature_field, name_field<lobby_rule>,
                                 name_field<identity_state>, name_field<encryption_policy>>;
using rules_path = std::array<std::string_view, 3>;  // unused keys at the end are empty

/// for_each_field(document, f): f(path, field), in the order of files; stops where f returns false.
template <class F>
constexpr void for_each_field(rules_document& d, F&& f) {
  meeting_rules& r = d.rules;
  admission_rules& a = r.admission;
  const auto go_on =
      f(rules_path{"encryption", "needs_premium_licence"}, rules_field{&r.encryption.premium_licence}) &&
      f(rules_path{"encryption", "needs_devices_enabled"}, rules_field{&r.encryption.devices_enabled}) &&
      f(rules_path{"encryption", "global_policy"}, rules_field{name_field<encryption_policy>{&d.policies.global}}) &&
      f(rules_path{"admission", "participants"}, rules_field{number_field{&a.participants, 1}}) &&
      f(rules_path{"admission", "participants_if_device_first"},
        rules_field{number_field{&a.participants_if_device_first, 1}}) &&
      f(rules_path{"admission", "devices_among_first"}, rules_field{number_field{&a.devices_among_first, 0}}) &&
      f(rules_path{"admission", "app_participants"}, rules_field{number_field{&a.app_participants, 0}}) &&
      f(rules_path{"admission", "lobby"}, rules_field{name_field<lobby_rule>{&a.lobby}}) &&
      f(rules_path{"admission", "least_identity"}, rules_field{name_field<identity_state>{&a.least_identity}}) &&
      f(rules_path{"admission", "admits_must_be_recorded"}, rules_field{&a.admits_must_be_recorded}) &&
      f(rules_path{"admission", "admits_ucf"}, rules_field{&a.admits_ucf});
  if (!go_on) return;
  for (std::size_t i = 0; i < a.kinds.size(); ++i)
    if (!f(rules_path{"admission", "kinds", meeting_kind_names[i]}, rules_field{&a.kinds[i]})) return;
  for (std::size_t i = 0; i < a.platforms.size(); ++i) {
    const bool possible = !ends_at_a_gateway(static_cast<platform>(i));
    if (!f(rules_path{"admission", "platforms", platform_names[i]},
           rules_field{platform_field{&a.platforms[i], possible}}))
      return;
  }
  for (std::size_t i = 0; i < r.features.uses.size(); ++i) {
    const bool possible = !needs_server_access(static_cast<feature>(i));
    if (!f(rules_path{"features", feature_names[i]}, rules_field{feature_field{&r.features.uses[i], possible}})) return;
  }
}

inline constexpr std::string_view policies_key = "policies", assigned_key = "assigned";

/// rules_problem: a fault of a value; none where `message` is empty.
struct rules_problem {
  rules_fault fault{};
  std::string message;
};

/// one_of<E>(): `one of "a", "b"`.
template <named E>
[[nodiscard]] std::string one_of() {
  std::string out = "must be one of";
  for (const std::string_view n : names(E{})) out += (n == names(E{})[0] ? " \"" : ", \"") + std::string{n} + '"';
  return out;
}

using json_scalar = std::variant<std::nullptr_t, bool, std::uint64_t, double, std::string_view>;

/// store(field, value): puts it there, or says what is wrong with it.
[[nodiscard]] inline rules_problem store(bool* field, const json_scalar& value) {
  if (!std::holds_alternative<bool>(value)) return {rules_fault::wrong_type, "must be true or false"};
  *field = std::get<bool>(value);
  return {};
}
[[nodiscard]] inline rules_problem store(const number_field& field, const json_scalar& value) {
  const std::string expected =
      "must be a whole number from " + std::to_string(field.least) + " to " + std::to_string(limits::leaves);
  if (std::holds_alternative<double>(value)) return {rules_fault::out_of_range, expected};
  const auto* number = std::get_if<std::uint64_t>(&value);
  if (number == nullptr) return {rules_fault::wrong_type, expected};
  if (*number < field.least || *number > limits::leaves) return {rules_fault::out_of_range, expected};
  *field.value = static_cast<std::uint32_t>(*number);
  return {};
}
template <named E>
[[nodiscard]] rules_problem store(const name_field<E>& field, const json_scalar& value) {
  const auto* word = std::get_if<std::string_view>(&value);
  if (word == nullptr) return {rules_fault::wrong_type, one_of<E>()};
  const auto found = from_name<E>(*word);
  if (!found) return {rules_fault::out_of_range, one_of<E>()};
  *field.value = *found;
  return {};
}
[[nodiscard]] inline rules_problem store(const feature_field& field, const json_scalar& value) {
  feature_use use{};
  if (auto wrong = store(name_field<feature_use>{&use}, value); !wrong.message.empty()) return wrong;
  if (use == feature_use::always && !field.possible)
    return {rules_fault::impossible, "cannot be \"always\": a server would have to decrypt the meeting"};
  *field.value = use;
  return {};
}
[[nodiscard]] inline rules_problem store(const platform_field& field, const json_scalar& value) {
  const char* expected = "must be \"refused\", \"any\", or the first version that may join, as in \"41.7\"";
  const auto* word = std::get_if<std::string_view>(&value);
  if (word == nullptr) return {rules_fault::wrong_type, expected};
  platform_rule rule;
  if (*word == "any") {
    rule = platform_rule::any();
  } else if (*word != "refused") {
    const auto least = client_version::parse(*word);
    if (!least) return {rules_fault::out_of_range, expected};
    rule = platform_rule::from(*least);
  }
  if (rule.admitted() && !field.possible)
    return {rules_fault::impossible, "must be \"refused\": this gateway would decrypt the meeting"};
  *field.value = rule;
  return {};
}

/// shown(field): its value as JSON.
[[nodiscard]] inline std::string shown(bool* field) { return *field ? "true" : "false"; }
[[nodiscard]] inline std::string shown(const number_field& field) { return std::to_string(*field.value); }
template <named E>
[[nodiscard]] std::string shown(const name_field<E>& field) {
  return '"' + std::string{name(*field.value)} + '"';
}
[[nodiscard]] inline std::string shown(const feature_field& field) {
  return shown(name_field<feature_use>{field.value});
}
[[nodiscard]] inline std::string shown(const platform_field& field) {
  if (!field.value->admitted()) return "\"refused\"";
  return field.value->least() == client_version{} ? "\"any\"" : '"' + text(field.value->least()) + '"';
}

}  // namespace rules_format
}  // namespace conclave
