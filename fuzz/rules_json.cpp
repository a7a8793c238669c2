// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Files of rules by anybody. What loads is written and loads again as the same, and decides nothing that no rule can
/// allow. What does not load is explained: the place lies within the input, line and column lead to it, the explanation
/// is short and harmless to print, and what stands before that place is no mistake.
#include <conclave/store/rules_json.hpp>

#include "support/oracle.hpp"

namespace {

using namespace conclave;
using conclave_fuzz::require;

void check_loaded(const rules_document& document) {
  const auto written = save_rules(document);
  require(written.has_value(), "what was loaded cannot be written");
  rules_error none;
  const auto again = load_rules(*written, none);
  require(again.has_value(), "what was written cannot be loaded");
  require(*again == document, "what was written says something else");
  require(*save_rules(*again) == *written, "it is written in two ways");

  const admission_rules& rules = document.rules.admission;
  require(rules.participants >= 1 && rules.participants <= limits::leaves, "a capacity out of range");
  for (const platform p : {platform::cvi, platform::sip, platform::pstn})
    require(!rules.of(p).admitted(), "a gateway is admitted");
  for (std::size_t i = 0; i < count<feature>(); ++i) {
    const auto f = static_cast<feature>(i);
    require(!needs_server_access(f) || document.rules.features.of(f) != feature_use::always, "a server may listen");
  }
  require(document.policies.named.size() <= limits::rules_policies, "too many policies");
  for (const auto& a : document.policies.assigned)
    require(document.policies.of(a.organizer).name == a.policy, "an assignment without its policy");
}

/// check_place(text, error): counts lines and characters in its own way, from the place back to the start.
void check_place(std::string_view text, const rules_error& error) {
  require(error.offset <= text.size(), "the place is outside of the input");
  require(known(error.fault) && !error.message.empty(), "no explanation");
  require(error.message.size() < 400 && error.key.size() < 1000, "a long explanation");
  for (const char c : error.message + error.key)
    require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F, "an explanation that controls the terminal");
  const std::string_view before = text.substr(0, error.offset);
  const std::size_t start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  std::size_t characters = 0, lines = 1;
  for (const char c : before.substr(start)) characters += (static_cast<unsigned char>(c) >> 6U) != 2;
  for (const char c : before) lines += c == '\n';
  require(error.column == 1 + characters, "the wrong column");
  require(error.line == lines, "the wrong line");
}

/// check_token(text, error): a mistake of meaning is at the beginning of a token.
void check_token(std::string_view text, const rules_error& error) {
  if (error.fault == rules_fault::not_json || error.fault == rules_fault::too_large) return;
  require(error.offset < text.size(), "a mistake behind the end");
  constexpr std::string_view begins = "\"{[-0123456789tfn";
  require(begins.find(text[error.offset]) != std::string_view::npos, "a mistake that is no token");
}

/// check_cut(text, error): what stands before the mistake is not one: it only ends too early.
void check_cut(std::string_view text, const rules_error& error) {
  if (error.fault == rules_fault::not_json || error.fault == rules_fault::too_large) return;
  if (error.fault == rules_fault::unknown_policy) return;  // the file was read to its end
  rules_error cut;
  require(!load_rules(text.substr(0, error.offset), cut), "half a file was loaded");
  require(cut.fault == rules_fault::not_json && cut.offset == error.offset, "an earlier mistake was not told");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  rules_error error;
  const auto document = load_rules(text, error);
  if (document) {
    check_loaded(*document);
  } else if (error.fault != rules_fault::too_large) {
    check_place(text, error);
    check_token(text, error);
    check_cut(text, error);
  }
  return 0;
}
