// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Those who are not in the group yet, or not any more: proposals of new members, external commits with what they may carry.
#include "forger.hpp"
#include "support.hpp"

#include <conclave/mls/external_proposal.hpp>

namespace mls_test {

namespace {

/// One key that everybody knows.
class shared_psk final : public psk_source {
 public:
  [[nodiscard]] result<secret_bytes> external(byte_view) override { return secret_bytes(32, 7); }
  [[nodiscard]] result<secret_bytes> resumption(byte_view, std::uint64_t) override { return errc::unknown_key; }
};

}  // namespace

TEST_CASE("a new member asks to be added, and somebody else's signature does not do") {
  party p(3);
  const std::size_t newcomer = p.arrive();
  (void)p.package(newcomer);
  const auto asked_by = [&](std::size_t i) {
    return must(new_member_add(p.env, p[0].suite(), p[0].group_id(), p[0].epoch_number(), p.who(i).who,
                               *p.who(newcomer).package));
  };
  check_fails(p[0].process(asked_by(1)), errc::unauthentic, rules::content_signature);
  const bytes request = asked_by(newcomer);
  for (const std::size_t i : p.inside())
    CHECK(as<received_proposal>(must(p[i].process(request))).type == proposal_type::add);
  CHECK(p.commit(2).added == std::vector{leaf_index{3}});
  CHECK(p.inside().size() == 4);
  CHECK(p.disagreement() == "");
}

TEST_CASE("an external commit carries pre-shared keys and authenticated data") {
  shared_psk psks;
  party_options options;
  options.policy.psks = &psks;
  party p(3, options);
  const bytes nonce(32, 1);
  const pre_shared_key_id id{psk_type::external, as_bytes("k"), {}, {}, 0, nonce};
  external_join_options with;
  with.psks = {&id, 1};
  with.authenticated_data = as_bytes("hello");
  CHECK(p.enter(p.arrive(), 1, with).added == std::vector{leaf_index{3}});
  CHECK(p.disagreement() == "");
}

TEST_CASE("an external joiner takes over only genuine SelfRemoves of this epoch") {
  party p(3);
  const std::size_t joiner = p.arrive();
  const auto enter = [&](byte_view wish) {
    const bytes info = must(p[0].group_info(p.env, {true, true}));
    external_join_options with;
    with.self_removes = {&wish, 1};
    return group::join_external(p.env, p.who(joiner).who.clone(), info, with, {});
  };
  proposal leave;
  leave.type = proposal_type::self_remove;
  const bytes wish = must(p[1].propose(p.env, leave));
  bytes forged = wish;
  const auto decoded = must(message::decode(wish));
  const auto at = decoded.public_message.auth.signature.data() - wish.data();
  forged[static_cast<std::size_t>(at)] ^= 1;
  check_fails(enter(forged), errc::unauthentic, rules::content_signature);
  party_options open;
  open.policy.handshakes = wire_format::public_message;
  open.group_id = "party";
  party q(3, open);
  check_fails(enter(must(q[1].propose_remove(q.env, leaf_index{2}))), errc::refused, rules::self_remove_by_reference);
  p.commit(0, {{}, {1}});
  check_fails(enter(wish), errc::refused, rules::self_remove_by_reference);  // of an epoch that is over
}

TEST_CASE("the group's extensions change by reference too") {
  party p(3);
  const std::array wanted{extension{extension_type::external_senders, {}}};
  const bytes items = wire::encode_items(wanted);
  proposal change;
  change.type = proposal_type::group_context_extensions;
  change.group_context_extensions = extension_list::of(items, 1);
  p.deliver(1, must(p[1].propose(p.env, change)));
  p.deliver(2, must(p[2].propose(p.env, change)));  // the first one counts
  p.commit(0);
  CHECK(p.disagreement() == "");
  const auto context = must(wire::decode<group_context>(p[0].group_context()));
  CHECK(equal(context.extensions.encoded(), items));
}

}  // namespace mls_test
