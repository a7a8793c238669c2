// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// A meeting and a visitor that every preset admits, for tests that change one thing.
#pragma once

#include <conclave/meeting/presets.hpp>

#include <catch2/catch.hpp>

namespace rules_test {

using namespace conclave;

inline constexpr preset reference[] = {preset::webex, preset::teams};
inline constexpr preset every[] = {preset::webex, preset::teams, preset::open};

[[nodiscard]] inline visitor_facts welcome(platform on = platform::desktop_windows) {
  visitor_facts v;
  v.claims.platform = on;
  v.claims.version = {{45}};
  v.identity = identity_state::verified_internal;
  return v;
}

[[nodiscard]] inline admission_decision decide(preset p, const visitor_facts& v, const meeting_facts& m = {}) {
  return decide_admission(rules_of(p).admission, m, v);
}

/// expect(decision, verdict, reason)
inline void expect(const admission_decision& got, admission_verdict verdict, admission_reason reason) {
  INFO(explain(got));
  CHECK(name(got.verdict) == name(verdict));
  CHECK(name(got.reason) == name(reason));
}
inline void expect_admitted(const admission_decision& got) {
  expect(got, admission_verdict::admitted, admission_reason::none);
}
inline void expect_refused(const admission_decision& got, admission_reason reason) {
  expect(got, admission_verdict::refused, reason);
}

}  // namespace rules_test
