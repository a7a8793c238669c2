// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Rules of proposals and commits, each broken by a message that is in order otherwise.
#include "scene.hpp"

namespace mls_test {

namespace {

/// A commit of these proposals by value; where the list itself is wrong, what follows from it does not matter.
bytes commit_of(scene& s, std::vector<proposal> list, bool path = true) {
  commit_draft draft;
  draft.proposals = std::move(list);
  draft.path = path;
  return s.mallory.commit(draft);
}

proposal of_type(proposal_type type) {
  proposal out;
  out.type = type;
  return out;
}

proposal psk_of(const pre_shared_key_id& id) {
  proposal out = of_type(proposal_type::psk);
  out.psk = id;
  return out;
}

proposal reinit_to(std::string_view group_id, std::uint16_t version) {
  proposal out = of_type(proposal_type::reinit);
  out.reinit.group_id = as_bytes(group_id);
  out.reinit.version = protocol_version{version};
  out.reinit.suite = suite_1;
  return out;
}

/// Gives a proposal to all but its sender, and returns its ProposalRef.
bytes spread(scene& s, std::size_t from, byte_view message) {
  bytes reference;
  for (event& e : s.p.deliver(from, message)) reference = as<received_proposal>(std::move(e)).reference;
  return reference;
}

/// The same 32 bytes for every key.
class any_psk final : public psk_source {
 public:
  [[nodiscard]] result<secret_bytes> external(byte_view) override { return secret_bytes(32, 7); }
  [[nodiscard]] result<secret_bytes> resumption(byte_view, std::uint64_t) override { return secret_bytes(32, 8); }
};

}  // namespace

TEST_CASE("remove_target") {
  scene s;
  for (const std::uint32_t leaf : {5U, 7U, 8U, 0x80000000U, 0xffffffffU}) {
    s.refused(s.mallory.propose(remove_of(leaf_index{leaf})), errc::refused, rules::remove_target);
    s.refused(commit_of(s, {remove_of(leaf_index{leaf})}), errc::refused, rules::remove_target);
  }
  s.go_on();
}

TEST_CASE("reinit_version") {
  scene s;
  const proposal p = reinit_to("next", 0);
  s.refused(s.mallory.propose(p), errc::refused, rules::reinit_version);
  s.refused(commit_of(s, {p}), errc::refused, rules::reinit_version);
  s.go_on();
}

TEST_CASE("known_reference") {
  scene s;
  for (const bytes& reference : {bytes(32), bytes{}, bytes(33, 1)}) {
    commit_draft draft;
    draft.references = {reference};
    s.refused(s.mallory.commit(draft), errc::refused, rules::known_reference);
  }
  // of a proposal that belongs to an epoch that is over
  commit_draft draft;
  draft.references = {spread(s, 1, must(s.p[1].propose_update(s.p.env)))};
  s.p.commit(0);
  const forger late(s.p);
  s.refused(late.commit(draft), errc::refused, rules::known_reference);
  s.go_on();
}

TEST_CASE("update_by_committer") {
  scene s;
  const bytes reference = spread(s, s.mallory.person(), s.mallory.update_leaf({}));
  commit_draft draft;
  draft.references = {reference};
  s.refused(s.mallory.commit(draft), errc::refused, rules::update_by_committer);
  // by value it is always the committer's
  const bytes update = s.mallory.update_leaf({});
  const auto decoded = must(message::decode(update));
  s.refused(commit_of(s, {decoded.public_message.content->body.proposal}), errc::refused, rules::update_by_committer);
}

TEST_CASE("removes_committer") {
  scene s;
  s.refused(commit_of(s, {remove_of(s.p.leaf(s.mallory.person()))}, false), errc::refused, rules::removes_committer);
  const bytes reference = spread(s, 1, must(s.p[1].propose_remove(s.p.env, s.p.leaf(s.mallory.person()))));
  commit_draft draft;
  draft.references = {reference};
  s.refused(s.mallory.commit(draft), errc::refused, rules::removes_committer);
}

TEST_CASE("one_change_per_leaf") {
  scene s;
  const proposal remove = remove_of(leaf_index{1});
  s.refused(commit_of(s, {remove, remove}), errc::refused, rules::one_change_per_leaf);
  const bytes first = spread(s, 1, must(s.p[1].propose_update(s.p.env)));
  const bytes second = spread(s, 1, must(s.p[1].propose_update(s.p.env)));
  commit_draft draft;
  draft.references = {first, second};
  s.refused(s.mallory.commit(draft), errc::refused, rules::one_change_per_leaf);
  draft.references = {first};
  draft.proposals = {remove};
  s.refused(s.mallory.commit(draft), errc::refused, rules::one_change_per_leaf);
  draft.references = {first, first};
  draft.proposals.clear();
  s.refused(s.mallory.commit(draft), errc::refused, rules::one_change_per_leaf);
}

TEST_CASE("psk_nonce_length") {
  scene s;
  for (const std::size_t size : {0U, 31U, 33U}) {
    const bytes nonce(size);
    const proposal p = psk_of({psk_type::external, as_bytes("k"), {}, {}, 0, nonce});
    s.refused(s.mallory.propose(p), errc::malformed, rules::psk_nonce_length);
    s.refused(commit_of(s, {p}), errc::malformed, rules::psk_nonce_length);
  }
  s.go_on();
}

TEST_CASE("psk_type") {
  scene s;
  const bytes nonce(32);
  const bytes honest = wire::encode(psk_of({psk_type::external, as_bytes("k"), {}, {}, 0, nonce}));
  for (const std::uint8_t type : bytes{0, 3, 255}) {
    bytes changed = honest;
    changed[2] = type;
    s.refused(s.mallory.propose_encoded(changed), errc::malformed, rules::psk_type);
  }
  const bytes resumption =
      wire::encode(psk_of({psk_type::resumption, {}, resumption_psk_usage::application, as_bytes("g"), 1, nonce}));
  for (const std::uint8_t usage : bytes{0, 4, 255}) {
    bytes changed = resumption;
    changed[3] = usage;
    s.refused(s.mallory.propose_encoded(changed), errc::malformed, rules::psk_type);
  }
  s.go_on();
}

TEST_CASE("psk_usage") {
  scene s;
  const bytes nonce(32);
  for (const auto usage : {resumption_psk_usage::reinit, resumption_psk_usage::branch}) {
    const proposal p = psk_of({psk_type::resumption, {}, usage, s.p[0].group_id(), 1, nonce});
    s.refused(s.mallory.propose(p), errc::refused, rules::psk_usage);
    s.refused(commit_of(s, {p}), errc::refused, rules::psk_usage);
  }
  s.go_on();
}

TEST_CASE("psk_available") {
  scene s;
  const bytes nonce(32);
  s.refused(commit_of(s, {psk_of({psk_type::external, as_bytes("k"), {}, {}, 0, nonce})}), errc::unknown_key,
            rules::psk_available);
  s.refused(commit_of(s, {psk_of({psk_type::resumption, {}, resumption_psk_usage::application, {}, 1, nonce})}),
            errc::unknown_key, rules::psk_available);
  s.go_on();
}

TEST_CASE("psk_count") {
  any_psk psks;
  party_options options;
  options.policy.psks = &psks;
  scene s(options);
  std::vector<bytes> nonces;
  for (std::size_t i = 0; i <= limits::preshared_keys; ++i) nonces.emplace_back(32, static_cast<std::uint8_t>(i));
  std::vector<proposal> list;
  for (const bytes& nonce : nonces) list.push_back(psk_of({psk_type::external, as_bytes("k"), {}, {}, 0, nonce}));
  s.refused(commit_of(s, list), errc::over_limit, rules::psk_count);
  list.pop_back();  // as many as may be; the draft knows nothing of their values
  s.refused(commit_of(s, list), errc::unauthentic, rules::confirmation_tag);
  s.go_on();
}

TEST_CASE("unique_psk_ids") {
  scene s;
  const bytes nonce(32);
  const proposal p = psk_of({psk_type::external, as_bytes("k"), {}, {}, 0, nonce});
  s.refused(commit_of(s, {p, remove_of(leaf_index{1}), p}), errc::refused, rules::unique_psk_ids);
  s.go_on();
}

TEST_CASE("one_group_context_extensions") {
  scene s;
  const proposal p = of_type(proposal_type::group_context_extensions);
  s.refused(commit_of(s, {p, p}), errc::refused, rules::one_group_context_extensions);
  s.go_on();
}

TEST_CASE("reinit_alone") {
  scene s;
  const proposal p = reinit_to("next", 1);
  s.refused(commit_of(s, {p, remove_of(leaf_index{1})}), errc::refused, rules::reinit_alone);
  s.refused(commit_of(s, {remove_of(leaf_index{1}), p}), errc::refused, rules::reinit_alone);
  s.refused(commit_of(s, {p, p}), errc::refused, rules::reinit_alone);
  s.go_on();
}

TEST_CASE("no_external_init") {
  scene s;
  s.refused(commit_of(s, {of_type(proposal_type::external_init)}), errc::refused, rules::no_external_init);
  s.go_on();
}

TEST_CASE("self_remove_by_reference") {
  scene s;
  const proposal p = of_type(proposal_type::self_remove);
  s.refused(commit_of(s, {p}), errc::refused, rules::self_remove_by_reference);
  // outsiders have to be able to read it
  const bytes body = wire::encode(p);
  s.refused(s.mallory.in_private(s.mallory.content(content_type::proposal, body)), errc::refused,
            rules::self_remove_by_reference);
  s.p.commit(0);
}

TEST_CASE("proposal_supported_by_all") {
  scene s;
  s.refused(commit_of(s, {of_type(proposal_type{0xff01})}), errc::refused, rules::proposal_supported_by_all);
  s.go_on();
}

TEST_CASE("path_required") {
  scene s;
  s.refused(commit_of(s, {}, false), errc::refused, rules::path_required);
  s.refused(commit_of(s, {remove_of(leaf_index{1})}, false), errc::refused, rules::path_required);
  s.refused(commit_of(s, {of_type(proposal_type::group_context_extensions)}, false), errc::refused,
            rules::path_required);
  const bytes update = spread(s, 1, must(s.p[1].propose_update(s.p.env)));
  commit_draft draft;
  draft.path = false;
  draft.references = {update};
  s.refused(s.mallory.commit(draft), errc::refused, rules::path_required);
}

TEST_CASE("confirmation_tag") {
  scene s;
  commit_draft draft;
  package_draft newcomer(s.p);
  const auto package = newcomer.encode(s.p.env);
  draft.proposals = {add_of(package)};
  for (const bool path : {false, true}) {
    draft.path = path;
    draft.confirmation_tag = [](bytes& tag) { tag.back() ^= 1; };
    s.refused(s.mallory.commit(draft), errc::unauthentic, rules::confirmation_tag);
    draft.confirmation_tag = [](bytes& tag) { tag.pop_back(); };
    s.refused(s.mallory.commit(draft), errc::unauthentic, rules::confirmation_tag);
    draft.confirmation_tag = [](bytes& tag) { tag.clear(); };
    s.refused(s.mallory.commit(draft), errc::unauthentic, rules::confirmation_tag);
    draft.confirmation_tag = [](bytes& tag) { tag.push_back(0); };
    s.refused(s.mallory.commit(draft), errc::unauthentic, rules::confirmation_tag);
  }
  s.go_on();
}

TEST_CASE("external_commit_proposals") {
  scene s;
  const bytes info = must(s.p[0].group_info(s.p.env, {true, true}));
  client joiner = make_client(s.p.env, "joiner");
  const auto honest = must(group::join_external(s.p.env, std::move(joiner), info, {}, {}));
  const auto decoded = must(message::decode(honest.commit));
  const framed_content& content = decoded.public_message.content.value;
  const auto init = *content.body.commit.proposals.begin();
  // the same commit with other proposals, signed by the joiner: the list is judged before the tree and the secrets
  const client& me = s.p.who(1).who;  // any key: the one in the path has to be the one that signs
  const auto with = [&](const std::vector<proposal>& list, const std::vector<bytes>& references = {}) {
    leaf_draft leaf = s.mallory.own_leaf(content.body.commit.path->leaf->encryption_key);
    leaf.signature_key = to_bytes(me.signer.public_view());
    leaf.signer = &me.signer;
    bytes body;
    writer w{body};
    w.vector([&] {
      for (const proposal& p : list) {
        wire::write(w, proposal_or_ref_type::proposal);
        p.write(w);
      }
      for (const bytes& reference : references) {
        wire::write(w, proposal_or_ref_type::reference);
        w.opaque(reference);
      }
    });
    w.number(std::uint8_t{1});
    w.raw(leaf.encode(s.p.env));
    w.opaque({});
    framed_content out = s.mallory.content(content_type::commit, body);
    out.sender = {sender_type::new_member_commit, 0};
    return s.mallory.in_public_signed(out, s.mallory.sign(wire_format::public_message, out, me.signer), bytes(32));
  };
  const auto forbidden = [&](const bytes& message) {
    s.refused(message, errc::refused, rules::external_commit_proposals);
  };
  package_draft newcomer(s.p);
  const auto package = newcomer.encode(s.p.env);
  forbidden(with({}));                              // no ExternalInit
  forbidden(with({init.proposal, init.proposal}));  // two
  forbidden(with({init.proposal, add_of(package)}));
  forbidden(with({init.proposal, of_type(proposal_type::group_context_extensions)}));
  forbidden(with({init.proposal, of_type(proposal_type{0xff01})}));
  forbidden(with({init.proposal, remove_of(leaf_index{1}), remove_of(leaf_index{2})}));
  const bytes reference = spread(s, 1, must(s.p[1].propose_remove(s.p.env, leaf_index{2})));
  forbidden(with({init.proposal}, {reference}));
  // what the joiner really sent is welcome
  for (const std::size_t i : s.p.inside()) CHECK(s.p[i].process(honest.commit).has_value());
}

TEST_CASE("commit_before_application") {
  scene s;
  spread(s, 1, must(s.p[1].propose_update(s.p.env)));
  check_fails(s.p[0].protect(s.p.env, as_bytes("x"), {}), errc::refused, rules::commit_before_application);
  s.go_on();
}

}  // namespace mls_test
