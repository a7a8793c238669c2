// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// scene: a group with a forger in it, for tests that break one rule each.
#pragma once

#include "forger.hpp"
#include "support.hpp"

namespace mls_test {

/// scene: four honest members at the leaves 0 to 3 and mallory at leaf 4.
struct scene {
  party p;
  forger mallory;

  explicit scene(const party_options& options = {}) : p{4, options}, mallory{p} {}

  /// refused(message, code, rule): nobody takes it, each for this reason, and nothing is different afterwards. Nor does a
  /// server that can read it, unless it takes a secret to see what is wrong.
  void refused(byte_view message, errc code, const rule& broken) {
    for (const std::size_t i : {std::size_t{0}, std::size_t{2}, std::size_t{3}}) {
      CAPTURE(i);
      const bytes before = whole_state(p[i]);
      check_fails(p[i].process(message), code, broken);
      CHECK((whole_state(p[i]) == before));
    }
    const bool is_public = message.size() > 3 && message[3] == static_cast<std::uint8_t>(wire_format::public_message);
    const std::array<const rule*, 5> secret_ones{&rules::membership_tag, &rules::confirmation_tag,
                                                 &rules::path_secret_opens, &rules::path_keys_derived,
                                                 &rules::psk_available};
    if (!is_public || std::ranges::find(secret_ones, &broken) != secret_ones.end()) return;
    INFO("the observer");
    observer server = observer_of(p.env, p[0], p.options().policy);
    const bytes before = server.snapshot();
    check_fails(server.process(p.env, message), code, broken);
    CHECK((server.snapshot() == before));
  }

  /// go_on(): what mallory's honest self sends now is accepted by all, with the very keys that the forgeries used.
  void go_on() {
    const std::size_t m = mallory.person();
    if (p[m].pending_proposals() == 0) {
      const bytes message = must(p[m].protect(p.env, as_bytes("honestly"), {}));
      for (event& e : p.deliver(m, message)) CHECK(text_of(as<application_message>(std::move(e))) == "honestly");
    }
    p.commit(m);
    CHECK(p.disagreement() == "");
  }
};

}  // namespace mls_test
