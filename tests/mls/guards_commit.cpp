// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Guards of messages within a group, against a member whose proposals, Commits and ciphertexts are all signed and
/// sealed with the right keys.
#include "scene.hpp"

namespace mls_test {

namespace {

/// Knows every key, and counts the questions.
class counting_psks final : public psk_source {
 public:
  std::size_t asked = 0;
  [[nodiscard]] result<secret_bytes> external(byte_view) override {
    ++asked;
    return secret_bytes(32, 7);
  }
  [[nodiscard]] result<secret_bytes> resumption(byte_view, std::uint64_t) override { return external({}); }
};

/// Everybody but mallory gets a proposal of hers; its ProposalRef.
bytes told_by_mallory(scene& s, byte_view message) {
  bytes reference;
  for (event& e : s.p.deliver(s.mallory.person(), message)) reference = as<received_proposal>(std::move(e)).reference;
  return reference;
}

}  // namespace

TEST_CASE("a Commit lists proposals and references, and nothing of a third kind") {
  scene s;
  for (const std::uint8_t kind : bytes{0, 3, 255}) {
    commit_draft draft;
    draft.references = {bytes(32)};
    draft.body = [=](bytes& body) { body[1] = kind; };
    s.refused(s.mallory.commit(draft), errc::malformed, rules::known_reference);
  }
  s.go_on();
}

TEST_CASE("a path secret of another length, sealed to those who are to learn it") {
  scene s;
  const auto& tree = s.mallory.state().tree;
  const auto path = tree.filtered_direct_path(s.mallory.state().own);
  REQUIRE((path.size() == 1 && !tree.blank(path[0].copath)));  // one ciphertext, for all of them
  for (const std::size_t size : {0U, 31U, 33U, 65U}) {
    commit_draft draft;
    draft.nodes = [&](path_draft& drafted) {
      auto& [kem_output, ciphertext] = drafted.nodes[0].ciphertexts[0];
      const bytes secret(size, 5);
      ciphertext.resize(size + aead_tag_size);
      const auto& suite = s.mallory.suite();
      const hpke::seal_request request{tree.encryption_key(path[0].copath), secret, kem_output, ciphertext};
      must(hpke::seal_many<provider>(s.p.env, suite.hpke_suite(),
                                     suite.encrypt_context("UpdatePathNode", drafted.context), {}, {&request, 1}));
    };
    s.refused(s.mallory.commit(draft), errc::refused, rules::path_secret_opens);
  }
  s.go_on();
}

TEST_CASE("a path is opened only where nodes, ciphertexts and keys belong together") {
  party_options options;
  options.policy.handshakes = wire_format::public_message;
  party p(4, options);
  const auto pending = p.prepare(1);
  const auto decoded = must(message::decode(pending.message()));
  const update_path& update = *decoded.public_message.content->body.commit.path;
  const auto tree = must(ratchet_tree<provider>::import(p[0].suite(), {}, pending.ratchet_tree()));
  const auto path = tree.filtered_direct_path(leaf_index{1});
  REQUIRE(path.size() == 2);
  const auto open = [&](std::span<const path_step> steps, std::uint32_t own, const private_path& keys,
                        std::span<const leaf_index> added) {
    return decrypt_path(tree, steps, update, leaf_index{own}, keys, added, {});
  };
  const auto mine = group_testing<provider>::stolen_epoch(p[2]).keys.clone_current(tree);
  check_fails(open(std::span{path}.first(1), 2, mine, {}), errc::refused, rules::path_length);
  const leaf_index added{3};  // to whom, if it were added, nothing should be encrypted
  check_fails(open(path, 2, mine, {&added, 1}), errc::refused, rules::ciphertext_per_resolution);
  check_fails(open(path, 2, {}, {}), errc::unknown_key, rules::path_secret_opens);
  check_fails(open(path, 1, mine, {}), errc::refused, rules::path_secret_opens);      // of one's own path
  check_fails(open(path, 2, mine, {}), errc::unauthentic, rules::path_secret_opens);  // only the context is another
}

TEST_CASE("no more pre-shared keys are looked up than a commit may name") {
  party p(1);
  std::vector<bytes> nonces;
  for (std::size_t i = 0; i <= limits::preshared_keys; ++i) nonces.emplace_back(32, static_cast<std::uint8_t>(i));
  std::vector<pre_shared_key_id> ids;
  for (const bytes& nonce : nonces) ids.push_back({psk_type::external, as_bytes("k"), {}, {}, 0, nonce});
  counting_psks psks;
  check_fails(find_psks(p[0].suite(), ids, &psks), errc::over_limit, rules::psk_count);
  CHECK(psks.asked == 0);
  std::vector<psk_value> values;
  const bytes key(32, 7);
  for (const auto& id : ids) values.push_back({id, key});
  check_fails(derive_psk_secret(p[0].suite(), values), errc::over_limit, rules::psk_count);
  ids.pop_back();
  values.pop_back();
  const auto found = must(find_psks(p[0].suite(), ids, &psks));
  CHECK(psks.asked == limits::preshared_keys);
  const auto derived = must(derive_psk_secret(p[0].suite(), values));
  CHECK(equal(found.reveal(), derived.reveal()));
}

TEST_CASE("more proposals than one commit may have") {
  bytes removes;
  writer w{removes};
  proposal_or_ref item;
  item.type = proposal_or_ref_type::proposal;
  item.proposal = remove_of(leaf_index{1});
  for (std::size_t i = 0; i <= limits::commit_proposals; ++i) item.write(w);
  framed_content content;
  content.body.commit.proposals = must(wire::list<proposal_or_ref>::check(removes));
  check_fails(proposal_cache{}.resolve(content), errc::over_limit);

  std::vector<listed_proposal> list(limits::commit_proposals + 1);
  check_fails(valid_combination(list, {sender_type::member, 0}), errc::over_limit);
  list.pop_back();
  CHECK(valid_combination(list, {sender_type::member, 0}));

  bytes references(2 * (proposal_or_ref::most + 1));  // empty ones
  for (std::size_t i = 0; i < references.size(); i += 2)
    references[i] = static_cast<std::uint8_t>(proposal_or_ref_type::reference);
  check_fails(wire::list<proposal_or_ref>::check(references), errc::over_limit);
}

TEST_CASE("an external Commit whose leaf is not signed, though its Commit is") {
  scene s;
  const client joiner = make_client(s.p.env, "joiner");
  const bytes info = must(s.p[0].group_info(s.p.env, {true, true}));
  const auto honest = must(group::join_external(s.p.env, joiner.clone(), info, {}, {}));
  const auto decoded = must(message::decode(honest.commit));
  const framed_content& sent = decoded.public_message.content.value;
  const byte_view leaf = sent.body.commit.path->leaf.encoded;
  bytes body = to_bytes(sent.body.encoded);
  body[static_cast<std::size_t>(leaf.data() - sent.body.encoded.data()) + leaf.size() - 1] ^= 1;
  framed_content forged = s.mallory.content(content_type::commit, body);
  forged.sender = sent.sender;
  const bytes signature = s.mallory.sign(wire_format::public_message, forged, joiner.signer);
  s.refused(s.mallory.in_public_signed(forged, signature, decoded.public_message.auth.confirmation_tag),
            errc::unauthentic, rules::leaf_signature);
  for (const std::size_t i : s.p.inside()) CHECK(s.p[i].process(honest.commit));
}

TEST_CASE("who wants to leave by SelfRemove does not commit that") {
  party_options options;
  options.proposals = {proposal_type::self_remove};
  scene s(options);
  proposal leave;
  leave.type = proposal_type::self_remove;
  commit_draft draft;
  draft.references = {told_by_mallory(s, s.mallory.propose(leave))};
  for (const bool path : {true, false}) {
    draft.path = path;
    s.refused(s.mallory.commit(draft), errc::refused, rules::removes_committer);
  }
}

TEST_CASE("a PrivateMessage shorter than a tag, under sender data that open") {
  scene s;
  bytes body;
  writer{body}.opaque(as_bytes("hello"));
  for (const std::size_t size : {0U, 1U, 15U, 16U}) {
    forger::private_options options;
    options.ciphertext = [=](bytes& ciphertext) { ciphertext.resize(size); };
    s.refused(s.mallory.in_private(s.mallory.content(content_type::application, body), options), errc::unauthentic,
              rules::content_tag);
  }
  s.p.commit(0);
}

TEST_CASE("nothing is received after a ReInit, from a member who goes on") {
  scene s;
  commit_request request;
  request.reinit_as = reinit{as_bytes("next"), protocol_version::mls10, suite_1, {}};
  s.p.publish(0, must(s.p[0].commit(s.p.env, request)));
  forger late(s.p, s.mallory.person());
  s.refused(late.propose(remove_of(leaf_index{1})), errc::refused, rules::no_message_after_reinit);
  s.refused(late.commit({}), errc::refused, rules::no_message_after_reinit);
  const bytes body = wire::encode(remove_of(leaf_index{1}));
  s.refused(late.in_private(late.content(content_type::proposal, body)), errc::refused, rules::no_message_after_reinit);
}

TEST_CASE("no epoch follows the last one there can be") {
  party p(3);
  // the same state in an epoch of that number: what is signed and sealed there fits together
  const auto move_to = [&](std::size_t i, std::uint64_t epoch) {
    bytes state = whole_state(p[i]);
    store_be(epoch, byte_span{state}.subspan(1 + p[i].group_id().size()));
    group moved = must(group_testing<provider>::loaded(p[i], state));
    p.who(i).room.emplace(std::move(moved));
  };
  constexpr std::uint64_t last = std::numeric_limits<std::uint64_t>::max();
  for (std::size_t i = 0; i < 3; ++i) move_to(i, last - 1);
  p.commit(0);
  REQUIRE(p[0].epoch_number() == last);
  CHECK(p.disagreement() == "");

  const bytes before = whole_state(p[0]), before_other = whole_state(p[1]);
  check_fails(p[0].commit(p.env, {}), errc::exhausted);
  CHECK((whole_state(p[0]) == before));
  forger mallory(p, 2);
  check_fails(p[1].process(mallory.commit({})), errc::exhausted);
  CHECK((whole_state(p[1]) == before_other));
  CHECK(p.deliver(0, must(p[0].protect(p.env, as_bytes("the end"), {}))).size() == 2);
}

}  // namespace mls_test
