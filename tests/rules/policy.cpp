// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Who encrypts: every combination of facts against a table written from the products' documentation, not from the code.
#include <conclave/meeting/presets.hpp>

#include <catch2/catch.hpp>

#include <map>

using namespace conclave;

namespace {

using who = encryption_rule;
using changer = encryption_changer;

/// One line of the table. `facts` has a letter each for: kind covered (y n), licence there or not needed (y n), policy
/// (n: not enabled, c: users can enable), label and template (o: open, e: enforces, p: prevents), the organizer's wish
/// (y n). * is any.
struct line {
  const char* facts;
  bool encrypted;
  who by;
  bool enforced;
  changer may_change;
};
constexpr line table[] = {
    {"n*****", false, who::meeting_kind, true, changer::nobody},
    {"yn****", false, who::licence, true, changer::administrator},
    {"yy*e**", true, who::label, true, changer::administrator},
    {"yy*p**", false, who::label, true, changer::administrator},
    {"yyno**", false, who::policy, true, changer::administrator},
    {"yycoe*", true, who::meeting_template, true, changer::administrator},
    {"yycop*", false, who::meeting_template, true, changer::administrator},
    {"yycooy", true, who::organizer, false, changer::organizer},
    {"yycoon", false, who::organizer, false, changer::organizer},
};

char letter(directive d) { return d == directive::open ? 'o' : d == directive::enforces ? 'e' : 'p'; }

std::string letters(const encryption_facts& f, const encryption_requirements& r) {
  return {f.kind_covered ? 'y' : 'n',
          f.premium_licence || !r.premium_licence ? 'y' : 'n',
          f.policy == encryption_policy::not_enabled ? 'n' : 'c',
          letter(f.label),
          letter(f.meeting_template),
          f.organizer_wants_it ? 'y' : 'n'};
}

bool fits(const char* pattern, const std::string& facts) {
  for (std::size_t i = 0; i < facts.size(); ++i)
    if (pattern[i] != '*' && pattern[i] != facts[i]) return false;
  return true;
}

/// for_all(f): every combination of facts and requirements.
template <class F>
void for_all(F&& f) {
  constexpr directive directives[] = {directive::open, directive::enforces, directive::prevents};
  for (unsigned bits = 0; bits < 1U << 8U; ++bits)
    for (const directive label : directives)
      for (const directive meeting_template : directives) {
        const auto bit = [&](unsigned n) { return (bits >> n & 1U) != 0; };
        encryption_facts facts;
        facts.kind_covered = bit(0);
        facts.premium_licence = bit(1);
        facts.policy = bit(2) ? encryption_policy::not_enabled_but_users_can_enable : encryption_policy::not_enabled;
        facts.label = label;
        facts.meeting_template = meeting_template;
        facts.organizer_wants_it = bit(3);
        facts.devices_enabled_for_site = bit(4);
        facts.devices_enabled_for_user = bit(5);
        f(facts, encryption_requirements{bit(6), bit(7)});
      }
}

/// An organizer who may and wants to: the start of tests that change one thing.
encryption_facts willing() {
  encryption_facts f;
  f.premium_licence = f.organizer_wants_it = f.devices_enabled_for_site = f.devices_enabled_for_user = true;
  return f;
}

}  // namespace

TEST_CASE("P1 to P4: every combination of facts is decided as the table says, and by the rule it names") {
  std::size_t combinations = 0, wrong = 0;
  std::map<const line*, std::size_t> used;
  for_all([&](const encryption_facts& facts, const encryption_requirements& requirements) {
    ++combinations;
    const std::string described = letters(facts, requirements);
    const line* expected = nullptr;
    for (const line& l : table) {
      if (!fits(l.facts, described)) continue;
      if (expected != nullptr) FAIL("two lines for " << described);
      expected = &l;
    }
    if (expected == nullptr) FAIL("no line for " << described);
    ++used[expected];
    const auto got = decide_encryption(facts, requirements);
    wrong += got.encrypted != expected->encrypted || got.decided_by != expected->by ||
             got.enforced != expected->enforced || got.may_change != expected->may_change;
  });
  CHECK(combinations == 256 * 9);
  CHECK(used.size() == std::size(table));
  CHECK(wrong == 0);
}

TEST_CASE("P1: the global policy lets organizers enable encryption, and named policies are assigned to them") {
  encryption_policies all;
  CHECK(all.of("ada").value == encryption_policy::not_enabled_but_users_can_enable);
  CHECK(all.of("ada").name.empty());
  all.named = {{"school", encryption_policy::not_enabled},
               {"legal", encryption_policy::not_enabled_but_users_can_enable}};
  all.assigned = {{"ada", "legal"}, {"bela", "school"}, {"chidi", "gone"}, {"ada", "school"}};
  CHECK(all.of("ada").name == "legal");
  CHECK(all.of("ada").value == encryption_policy::not_enabled_but_users_can_enable);
  CHECK(all.of("bela").name == "school");
  CHECK(all.of("bela").value == encryption_policy::not_enabled);
  CHECK(all.of("chidi").name.empty());
  CHECK(all.of("chidi").value == encryption_policy::not_enabled_but_users_can_enable);
  all.global = encryption_policy::not_enabled;
  CHECK(all.of("chidi").value == encryption_policy::not_enabled);
  CHECK(all.of("dora").value == encryption_policy::not_enabled);
  CHECK(all.of("ada").value == encryption_policy::not_enabled_but_users_can_enable);

  auto facts = willing();
  facts.policy = all.of("bela").value;
  CHECK_FALSE(decide_encryption(facts).encrypted);
  facts.policy = all.of("ada").value;
  CHECK(decide_encryption(facts).encrypted);
}

TEST_CASE("P2: nothing is encrypted without the organizer's premium licence, where one is needed") {
  auto facts = willing();
  facts.premium_licence = false;
  facts.label = directive::enforces;
  CHECK(decide_encryption(facts).decided_by == who::licence);
  CHECK_FALSE(decide_encryption(facts).encrypted);
  CHECK_FALSE(decide_encryption(facts, rules_of(preset::teams).encryption).encrypted);
  CHECK(decide_encryption(facts, rules_of(preset::webex).encryption).encrypted);
  CHECK(decide_encryption(facts, rules_of(preset::open).encryption).encrypted);
}

TEST_CASE("P3: a template enforces encryption where the policy allows it, and not where it does not") {
  auto facts = willing();
  facts.organizer_wants_it = false;
  CHECK_FALSE(decide_encryption(facts).encrypted);
  facts.meeting_template = directive::enforces;
  CHECK(decide_encryption(facts).encrypted);
  CHECK(decide_encryption(facts).decided_by == who::meeting_template);
  facts.policy = encryption_policy::not_enabled;
  CHECK_FALSE(decide_encryption(facts).encrypted);
  CHECK(decide_encryption(facts).decided_by == who::policy);
  CHECK(decide_encryption(facts).asked_in_vain == who::meeting_template);
}

TEST_CASE("P4: a label enforces encryption even where the policy does not, and goes before template and organizer") {
  auto facts = willing();
  facts.policy = encryption_policy::not_enabled;
  facts.meeting_template = directive::prevents;
  facts.organizer_wants_it = false;
  facts.label = directive::enforces;
  CHECK(decide_encryption(facts).encrypted);
  CHECK(decide_encryption(facts).decided_by == who::label);
  facts = willing();
  facts.meeting_template = directive::enforces;
  facts.label = directive::prevents;
  CHECK_FALSE(decide_encryption(facts).encrypted);
  CHECK(decide_encryption(facts).decided_by == who::label);
}

TEST_CASE("P5: devices are in an encrypted meeting only where both the site and the user have them enabled") {
  std::size_t allowed = 0, refused = 0, wrong = 0;
  for_all([&](const encryption_facts& facts, const encryption_requirements& requirements) {
    const auto got = decide_encryption(facts, requirements);
    const bool site = facts.devices_enabled_for_site, user = facts.devices_enabled_for_user;
    const bool asked = got.encrypted && requirements.devices_enabled;
    const auto expected = !asked || (site && user) ? device_permission::allowed
                          : site                   ? device_permission::off_for_user
                          : user                   ? device_permission::off_for_site
                                                   : device_permission::off_for_both;
    wrong += got.devices != expected;
    ++(got.devices == device_permission::allowed ? allowed : refused);
  });
  CHECK(wrong == 0);
  CHECK(allowed > 0);
  CHECK(refused > 0);
}

TEST_CASE("P6: whoever asks for encryption in vain is named, the label before the template before the organizer") {
  std::size_t wrong = 0, in_vain = 0;
  for_all([&](const encryption_facts& facts, const encryption_requirements& requirements) {
    const auto got = decide_encryption(facts, requirements);
    in_vain += got.asked_in_vain.has_value();
    const bool asks[] = {facts.label == directive::enforces, facts.meeting_template == directive::enforces,
                         facts.organizer_wants_it};
    constexpr who voices[] = {who::label, who::meeting_template, who::organizer};
    std::string_view expected = "nobody";
    for (std::size_t i = 3; i-- > 0;)
      if (asks[i] && !got.encrypted) expected = name(voices[i]);
    wrong += (got.asked_in_vain ? name(*got.asked_in_vain) : "nobody") != expected;
  });
  CHECK(wrong == 0);
  CHECK(in_vain > 0);
}

TEST_CASE("P6: the explanation says what, why, and who can change it, and no two decisions read alike") {
  std::map<std::string, std::string> sentences;  // what is said, by what was decided
  for_all([&](const encryption_facts& facts, const encryption_requirements& requirements) {
    const auto d = decide_encryption(facts, requirements);
    std::string key{name(d.decided_by)};
    key += d.encrypted ? " yes " : " no ";
    key += d.asked_in_vain ? name(*d.asked_in_vain) : "nobody";
    key += std::string(" ") + (d.encrypted ? std::string{name(d.devices)} : "");
    const auto [at, added] = sentences.emplace(key, explain(d));
    if (!added && at->second != explain(d)) FAIL("two sentences for " << key);
  });
  std::map<std::string, std::string> reversed;
  for (const auto& [key, sentence] : sentences) {
    INFO(key << ": " << sentence << " -- also " << reversed[sentence]);
    CHECK(reversed[sentence].empty());
    reversed[sentence] = key;
    CHECK((sentence.find("is not end-to-end encrypted") == std::string::npos) ==
          (key.find(" yes ") != std::string::npos));
  }
  auto facts = willing();
  CHECK(
      explain(decide_encryption(facts)) ==
      "The meeting is end-to-end encrypted: the organizer has switched it on. The organizer can change that before the "
      "meeting starts. Room devices may join.");
  facts.policy = encryption_policy::not_enabled;
  CHECK(explain(decide_encryption(facts), "school") ==
        "The meeting is not end-to-end encrypted: the policy \"school\" does not enable it for the organizer. An "
        "administrator can change the policy, or assign another one. The organizer asks for encryption in vain.");
  facts.label = directive::enforces;
  facts.premium_licence = false;
  CHECK(
      explain(decide_encryption(facts)) ==
      "The meeting is not end-to-end encrypted: the organizer has no premium licence. An administrator can assign one. "
      "Its sensitivity label asks for encryption: as it is, the meeting must not be held.");
}
