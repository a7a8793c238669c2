// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// certificates: people of two organisations meet, and one who only says who he is; what the host's screen shows of
/// them before and after they are let in, and while time goes on.
#pragma once

#include "../explain.hpp"

#include <conclave/conclave.hpp>

#include <cstdio>

#if CONCLAVE_WITH_BOTAN

#include "authority.hpp"

#include <conclave/identity/botan_x509.hpp>

#include <algorithm>
#include <deque>

namespace demo {

/// later: a clock that is ahead of the machine's.
class later final : public cv::environment {
 public:
  [[nodiscard]] cv::status random(cv::byte_span out) noexcept override { return machine_.random(out); }
  [[nodiscard]] cv::unix_time wall() noexcept override { return machine_.wall() + ahead_; }
  [[nodiscard]] cv::steady_time steady() noexcept override { return machine_.steady() + ahead_; }
  void advance(std::chrono::seconds by) noexcept { ahead_ += by; }

 private:
  cv::system_environment machine_;
  std::chrono::seconds ahead_{0};
};

class reception {
 public:
  reception() : company_("Example", env_.wall()), partner_("Partner", env_.wall()), stranger_("Example", env_.wall()) {}

  [[nodiscard]] cv::status run() {
    CONCLAVE_TRY(auto trust, anchors());
    cv::x509_validator ada_sees(std::move(trust));
    CONCLAVE_CHECK(update_lists(ada_sees));
    cv::meeting_options options;
    options.group.identities = &ada_sees;
    options.expects = cv::identity_state::verified_internal;
    constexpr std::chrono::hours year{24 * 365};
    CONCLAVE_TRY(const auto ada, somebody("ada@example.org", &company_, year));
    CONCLAVE_TRY(auto room, cv::meeting::create(env_, ada, "standup", options));

    std::printf("  Ada opens a meeting. In her lobby, one after the other:\n");
    CONCLAVE_TRY(const auto chidi, somebody("chidi@partner.example", &partner_, year));
    CONCLAVE_TRY(const auto dana, somebody("dana@example.org", &company_, std::chrono::hours{1}));
    CONCLAVE_TRY(const auto emre, somebody("emre", nullptr, {}));
    CONCLAVE_TRY(const auto forged, somebody("bela@example.org", &stranger_, year));
    CONCLAVE_TRY(const auto bela, somebody("bela@example.org", &company_, year));
    for (const auto* who : {&chidi, &dana, &emre, &forged, &bela}) CONCLAVE_CHECK(knock(room, *who));

    screen(room, "Her screen:");
    CONCLAVE_CHECK(show_certificate(ada_sees, chidi));
    env_.advance(std::chrono::hours{2});
    CONCLAVE_CHECK(update_lists(ada_sees));
    screen(room, "Two hours later, nobody has come or left:");
    company_.revoke_last(env_.wall());
    CONCLAVE_CHECK(update_lists(ada_sees));
    screen(room, "Bela's key was stolen, and the organisation has revoked the certificate:");
    for (const char* name : {"bela@example.org", "emre", "dana@example.org"}) {
      CONCLAVE_TRY(auto out, room.remove(*room.find(name)));
      CONCLAVE_CHECK(room.apply(std::move(out)));
    }
    screen(room, "Ada removes them:");
    return {};
  }

 private:
  [[nodiscard]] cv::result<cv::identity> somebody(const std::string& address, authority* by,
                                                  std::chrono::seconds time) {
    if (by == nullptr) return cv::identity::generate(env_, address);
    CONCLAVE_TRY(auto key, cv::signature_key::generate<cv::default_provider>(env_, cv::signature_scheme::ed25519));
    const auto chain = by->issue(address, address, key, time);
    return cv::identity::certified(address, std::move(key), chain);
  }

  [[nodiscard]] cv::result<cv::x509::trust> anchors() const {
    cv::x509::trust out;
    CONCLAVE_CHECK(out.add_anchor(company_.root(), cv::x509::anchor_kind::internal));
    CONCLAVE_CHECK(out.add_anchor(partner_.root(), cv::x509::anchor_kind::external));
    return out;
  }
  [[nodiscard]] cv::status update_lists(cv::x509_validator& of) const {
    of.trust().forget_revocations();
    for (const authority* a : {&company_, &partner_}) {
      for (const cv::bytes& list : a->lists()) CONCLAVE_CHECK(of.trust().add_revocation_list(list));
    }
    return {};
  }

  [[nodiscard]] cv::status knock(cv::meeting& room, const cv::identity& who) {
    CONCLAVE_TRY(const auto wish, cv::knock::create(env_, who));
    CONCLAVE_TRY(const auto seen, room.visitor(wish.key_package()));
    auto add = room.admit(wish.key_package());
    std::printf("    %-22s %-38s %s\n", seen.name.c_str(), cv::text(seen.identity), add ? "admitted" : "refused");
    if (add) return room.apply(*std::move(add));
    return {};
  }

  static void screen(const cv::meeting& room, const char* title) {
    const auto people = room.roster();
    const auto header = room.security(people);
    std::printf("\n  %s\n", title);
    for (const cv::participant& p : people)
      std::printf("    %-22s %-38s since epoch %llu\n", p.name.c_str(), cv::text(p.identity),
                  static_cast<unsigned long long>(p.since));
    std::printf("    -> %s\n", header.level == cv::security_level::end_to_end_encrypted
                                   ? "END-TO-END ENCRYPTED, everybody verified"
                                   : "end-to-end encrypted, but:");
    for (const auto& reason : header.reasons) std::printf("       %s\n", cv::text(reason).c_str());
  }

  [[nodiscard]] static cv::status show_certificate(cv::x509_validator& v, const cv::identity& who) {
    const cv::mls::credential credential{who.type(), who.credential()};
    const auto shown = cv::mls::present(who.key().scheme(), credential, who.key().public_view());
    CONCLAVE_TRY(const auto details, v.show_certificate(shown));
    std::printf("\n  Show certificate of %s:\n", who.name().c_str());
    for (const auto& c : details.certificates)
      std::printf("    %s, %s, serial %s\n      %s\n", c.subject.c_str(), c.key.c_str(), c.serial.c_str(),
                  c.fingerprint.c_str());
    std::printf("    %s\n", !details.anchor                                      ? "not trusted"
                            : *details.anchor == cv::x509::anchor_kind::external ? "an external authority"
                                                                                 : "an internal authority");
    return {};
  }

  later env_;
  authority company_, partner_, stranger_;  // the stranger only says that it is Example
};

/// certificates(): what the screens show, on standard output. Returns an error text, empty for success.
[[nodiscard]] inline std::string certificates() {
  try {
    reception scene;
    if (const auto done = scene.run(); !done) return explain("the meeting did not come about", done.error());
    return {};
  } catch (const std::exception& e) {
    return std::string{"no certificates: "} + e.what();
  }
}

}  // namespace demo

#else

namespace demo {

[[nodiscard]] inline std::string certificates() { return "certificates need Botan"; }

}  // namespace demo

#endif
