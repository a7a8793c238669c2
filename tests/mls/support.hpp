// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What all tests of the group share.
#pragma once

#include "observers.hpp"

#include <catch2/catch.hpp>

namespace mls_test {

/// check_fails(outcome, code, rule): it failed, with this code and for this reason.
template <class T>
void check_fails(const result<T>& outcome, errc code, const rule& broken) {
  REQUIRE_FALSE(outcome.has_value());
  INFO("expected: " << text(code) << ": " << broken.name);
  INFO("got:      " << describe(outcome.error()));
  CHECK(outcome.error().code() == code);
  CHECK(outcome.error().broken_rule() == &broken);
}
template <class T>
void check_fails(const result<T>& outcome, errc code) {
  REQUIRE_FALSE(outcome.has_value());
  INFO("expected: " << text(code));
  INFO("got:      " << describe(outcome.error()));
  CHECK(outcome.error().code() == code);
}

/// as<T>(event): the alternative it must be.
template <class T, class... Others>
[[nodiscard]] T as(std::variant<Others...>&& e) {
  REQUIRE(std::holds_alternative<T>(e));
  return std::get<T>(std::move(e));
}

[[nodiscard]] inline std::string text_of(const application_message& m) { return std::string(as_text(m.plaintext)); }

/// from_outside(p, who, type, what): a proposal in a PublicMessage from outside the group, whether that is allowed or not.
[[nodiscard]] inline bytes from_outside(party& p, const client& who, sender_type type, const proposal& what) {
  const bytes body = wire::encode(what);
  framed_content content{p[0].group_id(), p[0].epoch_number(), {type, 0}, {}, {}};
  content.body.type = content_type::proposal;
  content.body.encoded = body;
  const bytes encoded = wire::encode(content);
  const bytes signature = must(p[0].suite().sign_with_label(
      p.env, who.signer, "FramedContentTBS", framed_content_tbs(wire_format::public_message, encoded, {})));
  bytes out;
  writer w{out};
  write_message_header(w, wire_format::public_message);
  w.raw(encoded);
  w.opaque(signature);
  return out;
}

}  // namespace mls_test
