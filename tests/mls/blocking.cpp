// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// A single member cannot keep the others from committing: what breaks a commit is left out of it.
#include "scene.hpp"

namespace mls_test {

namespace {

/// Everybody has received mallory's message; the next commit goes through, and with it what an honest member has asked for.
void does_not_block(scene& s, byte_view hostile) {
  const std::size_t m = s.mallory.person();
  for (const std::size_t i : s.p.inside())
    if (i != m) (void)s.p[i].process(hostile).has_value();  // refused at once is fine too
  s.p.deliver(3, must(s.p[3].propose_update(s.p.env)));
  s.p.who(m).room.reset();  // mallory's honest self knows nothing of it
  const auto commit = s.p[0].commit(s.p.env, {});
  if (!commit) FAIL_CHECK("blocked: " << describe(commit.error()));
  if (!commit) return;
  for (const std::size_t i : {std::size_t{1}, std::size_t{2}, std::size_t{3}}) CHECK(s.p[i].process(commit->message()));
  CHECK(commit->change().updated == std::vector{leaf_index{3}});
}

proposal of_type(proposal_type type) {
  proposal out;
  out.type = type;
  return out;
}

}  // namespace

TEST_CASE("a proposal of a type that nobody supports blocks no commit") {
  scene s;
  does_not_block(s, s.mallory.propose(of_type(proposal_type{0xff01})));
}

TEST_CASE("a SelfRemove that not everybody supports blocks no commit") {
  scene s;
  does_not_block(s, s.mallory.propose(of_type(proposal_type::self_remove)));
}

TEST_CASE("a pre-shared key that nobody has blocks no commit") {
  scene s;
  const bytes nonce(32);
  proposal p = of_type(proposal_type::psk);
  p.psk = {psk_type::external, as_bytes("k"), {}, {}, 0, nonce};
  does_not_block(s, s.mallory.propose(p));
}

TEST_CASE("extensions for the group that nobody supports block no commit") {
  const bytes needed{2, 0xff, 1, 0, 0};
  const auto data = GENERATE(std::pair{0xff01, false}, std::pair{3, true});
  scene s;
  const std::array wanted{
      extension{extension_type{static_cast<std::uint16_t>(data.first)}, data.second ? byte_view{needed} : byte_view{}}};
  const bytes items = wire::encode_items(wanted);
  proposal p = of_type(proposal_type::group_context_extensions);
  p.group_context_extensions = extension_list::of(items, 1);
  does_not_block(s, s.mallory.propose(p));
}

TEST_CASE("required_capabilities that do not decode block no commit") {
  scene s;
  const std::array wanted{extension{extension_type::required_capabilities, as_bytes("nonsense")}};
  const bytes items = wire::encode_items(wanted);
  proposal p = of_type(proposal_type::group_context_extensions);
  p.group_context_extensions = extension_list::of(items, 1);
  does_not_block(s, s.mallory.propose(p));
}

TEST_CASE("a newcomer whom not everybody can verify blocks no commit") {
  scene s;
  package_draft draft(s.p);
  draft.leaf.credential = credential_type{0xff01};
  draft.leaf.credentials.push_back(credential_type{0xff01});
  does_not_block(s, s.mallory.propose_add(draft.encode(s.p.env)));
}

TEST_CASE("a newcomer with an expired key package blocks no commit") {
  scene s;
  package_draft draft(s.p);
  draft.leaf.valid = {1, 2};
  does_not_block(s, s.mallory.propose_add(draft.encode(s.p.env)));
}

TEST_CASE("a newcomer with a member's key blocks no commit") {
  scene s;
  package_draft draft(s.p);
  draft.leaf.encryption_key = to_bytes(s.p[0].tree().encryption_key(to_node(leaf_index{2})));
  does_not_block(s, s.mallory.propose_add(draft.encode(s.p.env)));
}

TEST_CASE("an Update with somebody else's key blocks no commit") {
  scene s;
  SECTION("encryption key") {
    does_not_block(s, s.mallory.update_leaf([&](leaf_draft& l) {
      l.encryption_key = to_bytes(s.p[0].tree().encryption_key(to_node(leaf_index{2})));
    }));
  }
  SECTION("signature key") {
    does_not_block(s, s.mallory.update_leaf([&](leaf_draft& l) {
      l.signature_key = to_bytes(s.p.who(1).who.signer.public_view());
      l.signer = &s.p.who(1).who.signer;
    }));
  }
  SECTION("a credential that nobody can verify") {
    does_not_block(s, s.mallory.update_leaf([&](leaf_draft& l) {
      l.credential = credential_type{0xff01};
      l.credentials.push_back(credential_type{0xff01});
    }));
  }
}

}  // namespace mls_test
