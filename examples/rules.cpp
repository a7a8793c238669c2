// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the rules of a meeting say, for a help desk: is it encrypted, may this person join, which features are there,
// and why not. The rules are a preset's or a file's (docs/rules.md).
#include <conclave/store/rules_json.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <fstream>
#include <iterator>

namespace cv = conclave;

namespace {

/// one_of<E>(): a check that an option is the name of one.
template <cv::named E>
[[nodiscard]] CLI::IsMember one_of() {
  std::vector<std::string> all;
  for (const std::string_view n : names(E{})) all.emplace_back(n);
  return CLI::IsMember(all);
}
/// choose(app, option, value, what): an option that is one of the names of an enum.
template <cv::named E>
CLI::Option* choose(CLI::App* app, const std::string& option, E& value, const std::string& what) {
  return app
      ->add_option_function<std::string>(
          option, [&value](const std::string& word) { value = cv::from_name<E>(word).value_or(value); }, what)
      ->check(one_of<E>());
}

[[nodiscard]] bool load(const std::string& path, cv::rules_document& out) {
  std::ifstream in(path, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(in), {}};
  if (!in) {
    std::fprintf(stderr, "%s: cannot be read\n", path.c_str());
    return false;
  }
  cv::rules_error error;
  auto document = cv::load_rules(content, error);
  if (!document) {
    std::fprintf(stderr, "%s: %s\n", path.c_str(), text(error).c_str());
    return false;
  }
  out = *std::move(document);
  return true;
}

struct question {
  cv::preset start = cv::preset::webex;
  std::string file, organizer, version;
  bool not_encrypted = false;
  cv::encryption_facts encryption;
  cv::meeting_facts meeting;
  cv::visitor_facts visitor;
};

/// The three answers. 0, or 3 where the answer is no, for scripts.
int print_features(const cv::rules_document& d, const question& q) {
  for (std::size_t i = 0; i < cv::count<cv::feature>(); ++i) {
    const auto f = static_cast<cv::feature>(i);
    std::puts(explain(f, availability(d.rules.features, f, !q.not_encrypted)).c_str());
  }
  return 0;
}
int print_encryption(const cv::rules_document& d, question q) {
  const auto policy = d.policies.of(q.organizer);
  q.encryption.policy = policy.value;
  q.encryption.kind_covered = d.rules.admission.covers(q.meeting.kind);
  const auto decision = decide_encryption(q.encryption, d.rules.encryption);
  std::puts(explain(decision, policy.name).c_str());
  std::printf("decided by: %s\n", std::string{name(decision.decided_by)}.c_str());
  return decision.encrypted ? 0 : 3;
}
int print_visitor(const cv::rules_document& d, const question& q) {
  const auto decision = decide_admission(d.rules.admission, q.meeting, q.visitor);
  std::puts(explain(decision).c_str());
  std::printf("reason: %s\n", std::string{name(decision.reason)}.c_str());
  return decision.verdict == cv::admission_verdict::refused ? 3 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  question q;
  CLI::App app{"What the rules of a meeting say, and why. Exit status: 3 where the answer is no, 1 for a bad file."};
  auto* start = choose(&app, "--preset", q.start, "whose rules: webex (if nothing is said), teams or open");
  app.add_option("--file", q.file, "a file of rules instead, as docs/rules.md describes")->excludes(start);
  app.require_subcommand(1);
  app.fallthrough();

  const auto* print = app.add_subcommand("print", "the rules, as a complete file");
  auto* features = app.add_subcommand("features", "which features there are");
  features->add_flag("--not-encrypted", q.not_encrypted, "in a meeting that is not end-to-end encrypted");

  auto* encryption = app.add_subcommand("encryption", "whether a meeting is end-to-end encrypted");
  choose(encryption, "--kind", q.meeting.kind, "of meeting; scheduled, if nothing is said");
  encryption->add_option("--organizer", q.organizer, "as the file's policies are assigned to");
  encryption->add_flag("--licence", q.encryption.premium_licence, "the organizer has a premium licence");
  choose(encryption, "--label", q.encryption.label, "what the sensitivity label says");
  choose(encryption, "--template", q.encryption.meeting_template, "what the meeting template says");
  encryption->add_flag("--wanted", q.encryption.organizer_wants_it, "the organizer has switched it on");
  encryption->add_flag("--site-devices", q.encryption.devices_enabled_for_site, "devices are enabled for the site");
  encryption->add_flag("--user-devices", q.encryption.devices_enabled_for_user,
                       "devices are enabled for the organizer");

  auto* visitor = app.add_subcommand("visitor", "whether somebody may join an encrypted meeting");
  choose(visitor, "--kind", q.meeting.kind, "of meeting; scheduled, if nothing is said");
  visitor->add_option("--present", q.meeting.present, "how many are there");
  visitor->add_option("--apps-present", q.meeting.app_present, "how many of them with an older app");
  visitor->add_flag("--device-first", q.meeting.device_came_first, "the first of them was a room device");
  visitor->add_flag("--locked", q.meeting.locked, "the meeting is locked");
  choose(visitor, "--devices", q.meeting.devices, "whether room devices may be in this meeting");
  choose(visitor, "--platform", q.visitor.claims.platform, "what the visitor's client runs on")->required();
  visitor->add_option("--version", q.version, "of that client, as in 41.7");
  choose(visitor, "--experience", q.visitor.claims.experience, "which generation of client");
  choose(visitor, "--audio", q.visitor.claims.audio, "how the sound travels");
  choose(visitor, "--identity", q.visitor.identity, "what is known of who it is");
  visitor->add_flag("--must-be-recorded", q.visitor.must_be_recorded, "for compliance");
  visitor->add_flag("--host-agrees", q.visitor.host_agrees, "a host lets the visitor in from the lobby");
  CLI11_PARSE(app, argc, argv);

  cv::rules_document document;
  document.rules = rules_of(q.start);
  if (!q.file.empty() && !load(q.file, document)) return 1;
  if (!q.version.empty()) {
    const auto version = cv::client_version::parse(q.version);
    if (!version) {
      std::fprintf(stderr, "--version: %s\n", version.error().message());
      return 1;
    }
    q.visitor.claims.version = *version;
  }
  if (*features) return print_features(document, q);
  if (*encryption) return print_encryption(document, q);
  if (*visitor) return print_visitor(document, q);
  const auto all = save_rules(document);
  if (!*print || !all) return 1;
  std::fputs(all->c_str(), stdout);
  return 0;
}
