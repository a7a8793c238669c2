// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "forger.hpp"

namespace mls_test {

namespace {

template <class T>
wire::list<T> list_of(const bytes& items, const std::vector<T>& values) {
  return wire::list<T>::of(items, values.size());
}

bytes encode_extensions(const std::vector<std::pair<extension_type, bytes>>& list) {
  bytes out;
  writer w{out};
  for (const auto& [type, data] : list) wire::write(w, extension{type, data});
  return out;
}

hpke::key_pair new_key(party& p) {
  return must(hpke::generate_key_pair<provider>(p.env, parameters(suite_1)->hpke.kem));
}

/// Adds a person to the party, and gives back the state it joined with.
epoch<provider> enter(party& p, std::size_t person) {
  (void)p.package(person);
  const prepared_key_package& package = *p.who(person).package;
  auto pending = p.prepare(0, {{person}, {}});
  auto state = must(join_by_welcome<provider>(p.env, package, pending.welcome(), {}, p.options().policy));
  p.publish(0, std::move(pending));
  return state;
}

}  // namespace

bytes leaf_draft::encode(environment& env) const {
  const bytes versions_items = wire::encode_items(versions), suites_items = wire::encode_items(suites),
              extension_items = wire::encode_items(extensions), proposal_items = wire::encode_items(proposals),
              credential_items = wire::encode_items(credentials), own_extensions = encode_extensions(leaf_extensions);
  leaf_node leaf;
  leaf.encryption_key = encryption_key;
  leaf.signature_key = signature_key;
  leaf.credential = {credential, credential_data};
  leaf.capabilities = {list_of(versions_items, versions), list_of(suites_items, suites),
                       list_of(extension_items, extensions), list_of(proposal_items, proposals),
                       list_of(credential_items, credentials)};
  leaf.source = source;
  leaf.lifetime = valid;
  leaf.parent_hash = parent_hash;
  leaf.extensions = wire::list<extension>::of(own_extensions, leaf_extensions.size());
  bytes out;
  writer w{out};
  leaf.write_unsigned(w);
  const auto s = must(basic_suite<provider>::make(suite_1));
  w.opaque(must(s.sign_with_label(env, *signer, "LeafNodeTBS", leaf_node_tbs(out, source, group_id, index))));
  return out;
}

package_draft::package_draft(party& p) : who{make_client(p.env, "newcomer")}, init{new_key(p)}, leaf_key{new_key(p)} {
  leaf.encryption_key = to_bytes(leaf_key.pub.view());
  leaf.signature_key = to_bytes(who.signer.public_view());
  leaf.credential_data = who.credential;
  leaf.signer = &who.signer;
  const auto now = static_cast<std::uint64_t>(p.env.wall().time_since_epoch().count());
  leaf.valid = {now - 10, now + 1000};
  init_key = to_bytes(init.pub.view());
}

prepared_key_package package_draft::encode(environment& env) const {
  prepared_key_package out;
  out.init = {init.secret.clone(), init.pub};
  out.leaf = {leaf_key.secret.clone(), leaf_key.pub};
  writer w{out.message};
  write_message_header(w, wire_format::key_package);
  wire::write(w, version);
  wire::write(w, suite);
  w.opaque(init_key);
  w.raw(leaf.encode(env));
  w.opaque(encode_extensions(extensions));
  const auto s = must(basic_suite<provider>::make(suite_1));
  w.opaque(must(s.sign_with_label(env, *leaf.signer, "KeyPackageTBS", out.key_package())));
  out.reference = key_package_ref(s, out.key_package());
  return out;
}

forger::forger(party& p) : party_{&p}, person_{p.arrive()}, state_{enter(p, person_)} {}

forger::forger(party& p, std::size_t person)
    : party_{&p}, person_{person}, state_{group_testing<provider>::stolen_epoch(p[person])} {}

framed_content forger::content(content_type type, byte_view body) const {
  framed_content out{state_.group_id, state_.number, {sender_type::member, number(state_.own)}, {}, {}};
  out.body.type = type;
  out.body.encoded = body;
  return out;
}

bytes forger::sign(wire_format format, const framed_content& content, const signature_key& key) const {
  const bool covers_context =
      content.sender.type == sender_type::member || content.sender.type == sender_type::new_member_commit;
  const bytes tbs =
      framed_content_tbs(format, wire::encode(content), covers_context ? byte_view{state_.context} : byte_view{});
  return must(suite().sign_with_label(party_->env, key, "FramedContentTBS", tbs));
}

bytes forger::in_public(const framed_content& content, byte_view confirmation_tag) const {
  return in_public_signed(content, sign(wire_format::public_message, content, who().signer), confirmation_tag);
}

bytes forger::in_public_signed(const framed_content& content, byte_view signature, byte_view confirmation_tag) const {
  const content_auth auth{signature, confirmation_tag};
  const bytes tbs = framed_content_tbs(wire_format::public_message, wire::encode(content), state_.context);
  bytes out;
  writer w{out};
  write_message_header(w, wire_format::public_message);
  content.write(w);
  auth.write(w, content.body.type);
  const digest tag = membership_tag(suite(), state_.secrets.membership, tbs, auth, content.body.type);
  if (content.sender.type == sender_type::member) w.opaque(tag.view());
  return out;
}

bytes forger::in_private(const framed_content& content, const private_options& options) {
  namespace detail = detail_protection;
  const auto& s = suite();
  const auto kind =
      content.body.type == content_type::application ? ratchet_kind::application : ratchet_kind::handshake;
  auto key = must(state_.message_secrets.next(s, state_.own, kind));
  sender_data data{options.claimed_leaf.value_or(state_.own), options.claimed_generation.value_or(key.generation), {}};
  must(party_->env.random(data.reuse_guard));
  detail::apply_reuse_guard(key.nonce, data.reuse_guard);

  const signature_key& signer = options.signer != nullptr ? *options.signer : who().signer;
  const bytes signature = sign(wire_format::private_message, content, signer);
  bytes plaintext = to_bytes(content.body.encoded);
  writer w{plaintext};
  content_auth{signature, options.confirmation_tag}.write(w, content.body.type);
  w.raw(options.padding);

  bytes ciphertext(plaintext.size() + aead_tag_size);
  auto sealing = must(provider::aead_key::make(s.hpke_suite().aead, key.key.reveal()));
  must(sealing.seal(key.nonce,
                    detail::content_aad(content.group_id, content.epoch, content.body.type, content.authenticated_data),
                    plaintext, ciphertext));
  if (options.ciphertext) options.ciphertext(ciphertext);
  const auto sender_key = detail::sender_data_key(s, state_.secrets.sender_data, ciphertext);
  bytes sealed_sender(sender_data::size + aead_tag_size);
  auto sender_sealing = must(provider::aead_key::make(s.hpke_suite().aead, sender_key.key.reveal()));
  must(sender_sealing.seal(sender_key.nonce,
                           detail::sender_data_aad(content.group_id, content.epoch, content.body.type),
                           wire::encode(data), sealed_sender));
  bytes out;
  writer message{out};
  write_message_header(message, wire_format::private_message);
  wire::write(message, private_message{content.group_id, content.epoch, content.body.type, content.authenticated_data,
                                       sealed_sender, ciphertext});
  return out;
}

bytes forger::propose_encoded(byte_view encoded) const { return in_public(content(content_type::proposal, encoded)); }

bytes forger::propose_add(const prepared_key_package& package) const {
  bytes body;
  writer w{body};
  wire::write(w, proposal_type::add);
  w.raw(package.key_package());
  return propose_encoded(body);
}

leaf_draft forger::own_leaf(byte_view encryption_key) const {
  leaf_draft out;
  out.encryption_key = to_bytes(encryption_key);
  out.signature_key = to_bytes(who().signer.public_view());
  out.credential_data = who().credential;
  out.source = leaf_node_source::commit;
  out.group_id = state_.group_id;
  out.index = state_.own;
  out.signer = &who().signer;
  return out;
}

bytes forger::update_leaf(const std::function<void(leaf_draft&)>& change) const {
  const auto leaf_key = new_key(*party_);
  leaf_draft leaf = own_leaf(leaf_key.pub.view());
  leaf.source = leaf_node_source::update;
  if (change) change(leaf);
  bytes body;
  writer w{body};
  wire::write(w, proposal_type::update);
  w.raw(leaf.encode(party_->env));
  return propose_encoded(body);
}

bytes forger::commit(const commit_draft& draft) const {
  const auto& s = suite();
  environment& env = party_->env;
  epoch<provider> next(state_.tree);
  next.group_id = state_.group_id;
  next.number = state_.number + 1;
  next.extensions = state_.extensions;
  next.own = state_.own;

  std::vector<byte_view> adds;
  std::vector<proposal> applied = draft.proposals;
  applied.insert(applied.end(), draft.referenced.begin(), draft.referenced.end());
  for (const proposal& p : applied) {
    const bool may_go = p.remove != state_.own && next.tree.contains(p.remove);
    if (p.type == proposal_type::remove && may_go) next.tree.remove_leaf(p.remove);
    if (p.type == proposal_type::add) adds.push_back(p.add->leaf.encoded);
    if (p.type == proposal_type::group_context_extensions)
      next.extensions = to_bytes(p.group_context_extensions.encoded());
  }
  next.tree.truncate();
  const auto added = must(next.tree.add_leaves(adds));

  bytes body;
  writer w{body};
  w.vector([&] {
    for (const proposal& p : draft.proposals) {
      wire::write(w, proposal_or_ref_type::proposal);
      p.write(w);
    }
    for (const bytes& reference : draft.references) {
      wire::write(w, proposal_or_ref_type::reference);
      w.opaque(reference);
    }
  });
  w.number(static_cast<std::uint8_t>(draft.path));

  commit_secret committed(s.nh());
  if (draft.path) {
    const auto path = next.tree.filtered_direct_path(state_.own);
    path_secret first(s.nh());
    must(env.random(first.writable()));
    auto derived = must(derive_path(s, std::move(first), path.size()));
    std::vector<bytes> keys;
    for (const auto& key : derived.keys) keys.push_back(to_bytes(key.pub.view()));
    if (draft.keys) draft.keys(keys);
    const std::vector<byte_view> key_views(keys.begin(), keys.end());
    const digest parent_hash = merge_path(next.tree, state_.own, path, key_views);
    const auto leaf_key = new_key(*party_);
    leaf_draft leaf = own_leaf(leaf_key.pub.view());
    leaf.parent_hash = to_bytes(parent_hash.view());
    if (draft.leaf) draft.leaf(leaf);
    const bytes encoded_leaf = leaf.encode(env);
    if (wire::decode<located_leaf>(encoded_leaf)) next.tree.set_leaf(state_.own, encoded_leaf);
    path_draft drafted;
    drafted.context = next.encode_context(state_.confirmed_transcript_hash.view());
    const bytes nodes = must(encrypt_path(env, next.tree, path, derived, added, drafted.context));
    std::size_t i = 0;
    for (const update_path_node node : must(wire::list<update_path_node>::check(nodes))) {
      drafted.nodes.push_back({keys[i++], {}});
      for (const hpke_ciphertext c : node.encrypted_path_secret)
        drafted.nodes.back().ciphertexts.emplace_back(to_bytes(c.kem_output), to_bytes(c.ciphertext));
    }
    if (draft.nodes) draft.nodes(drafted);
    w.raw(encoded_leaf);
    w.vector([&] {
      for (const auto& [key, ciphertexts] : drafted.nodes) {
        w.opaque(key);
        w.vector([&] {
          for (const auto& [kem_output, ciphertext] : ciphertexts)
            wire::write(w, hpke_ciphertext{kem_output, ciphertext});
        });
      }
    });
    committed = std::move(derived.commit_secret);
  }
  if (draft.body) draft.body(body);

  const framed_content framed = content(content_type::commit, body);
  const bytes signature = sign(wire_format::public_message, framed, who().signer);
  next.confirmed_transcript_hash = confirmed_transcript_hash(
      s, state_.interim_transcript_hash.view(), wire_format::public_message, wire::encode(framed), signature);
  next.context = next.encode_context(next.confirmed_transcript_hash.view());
  const auto psk = must(mls::psk_secret::copy_of(draft.psk_secret));
  next.enter(derive_joiner_secret(s, state_.secrets.init, committed, next.context), psk);
  bytes tag = to_bytes(next.confirmation_tag.view());
  if (draft.confirmation_tag) draft.confirmation_tag(tag);
  return in_public_signed(framed, signature, tag);
}

bytes forger::welcome(const prepared_key_package& package, const welcome_draft& draft) const {
  const auto& s = suite();
  environment& env = party_->env;
  epoch<provider> next(state_.tree);
  next.group_id = state_.group_id;
  next.number = state_.number + 1;
  next.extensions = state_.extensions;
  next.own = state_.own;
  const auto decoded = must(message::decode(package.message));
  const byte_view leaf = decoded.key_package->leaf.encoded;
  must(next.tree.add_leaves({&leaf, 1}));
  if (draft.tree) draft.tree(next.tree);
  next.confirmed_transcript_hash = s.hash({as_bytes("any")});

  const bytes plain_context = next.encode_context(next.confirmed_transcript_hash.view());
  auto context = must(wire::decode<group_context>(plain_context));
  if (draft.context) draft.context(context);
  next.context = wire::encode(context);
  const joiner_secret joiner(s.nh());
  const auto psk = must(mls::psk_secret::copy_of(draft.psk_secret));
  next.enter(joiner, psk);

  bytes items = next.tree.encode_items();
  if (draft.tree_items) draft.tree_items(items);
  bytes tree_data;
  writer tree_writer{tree_data};
  tree_writer.opaque(items);
  std::vector<extension> extensions;
  if (draft.with_tree) extensions.push_back({extension_type::ratchet_tree, tree_data});
  const bytes extension_items = wire::encode_items(extensions);
  group_info info{context,
                  wire::list<extension>::of(extension_items, extensions.size()),
                  next.confirmation_tag.view(),
                  state_.own,
                  {}};
  if (draft.info) draft.info(info);
  bytes signed_info = wire::encode(info);
  signed_info.pop_back();  // the empty signature
  const bytes signature = must(s.sign_with_label(env, who().signer, "GroupInfoTBS", signed_info));
  writer{signed_info}.opaque(signature);
  if (draft.signed_info) draft.signed_info(signed_info);

  const welcome_key key = derive_welcome_key(s, derive_welcome_secret(s, joiner, psk));
  bytes encrypted_info(signed_info.size() + aead_tag_size);
  auto aead = must(provider::aead_key::make(s.hpke_suite().aead, key.key.reveal()));
  must(aead.seal(key.nonce, {}, signed_info, encrypted_info));
  if (draft.encrypted_info) draft.encrypted_info(encrypted_info);

  const bytes psk_items = wire::encode_items(draft.psks);
  group_secrets secrets{joiner.reveal(), {}, wire::list<pre_shared_key_id>::of(psk_items, draft.psks.size())};
  if (draft.secrets) draft.secrets(secrets);
  const bytes plain = wire::encode(secrets);
  bytes enc(kem_sizes(s.hpke_suite().kem).public_key), sealed(plain.size() + aead_tag_size);
  const hpke::seal_request request{package.init.pub.view(), plain, enc, sealed};
  must(hpke::seal_many<provider>(env, s.hpke_suite(), s.encrypt_context("Welcome", encrypted_info), {},
                                 std::span{&request, 1}));

  bytes out;
  writer w{out};
  write_message_header(w, wire_format::welcome);
  wire::write(w, draft.suite);
  w.vector([&] { wire::write(w, encrypted_group_secrets{package.reference.view(), {enc, sealed}}); });
  w.opaque(encrypted_info);
  return out;
}

bytes forger::in_group_info(const info_draft& draft) const {
  const auto external =
      must(hpke::derive_key_pair<provider>(suite().hpke_suite().kem, state_.secrets.external.reveal()));
  std::vector<std::pair<extension_type, bytes>> list{{extension_type::ratchet_tree, {}},
                                                     {extension_type::external_pub, {}}};
  writer{list[0].second}.opaque(state_.tree.encode_items());
  writer{list[1].second}.opaque(external.pub.view());
  if (draft.extensions) draft.extensions(list);
  auto context = must(wire::decode<group_context>(state_.context));
  if (draft.context) draft.context(context);
  bytes tag = to_bytes(state_.confirmation_tag.view());
  if (draft.confirmation_tag) draft.confirmation_tag(tag);
  const bytes items = encode_extensions(list);
  bytes info = wire::encode(group_info{context, extension_list::of(items, list.size()), tag, state_.own, {}});
  info.pop_back();  // the empty signature
  writer{info}.opaque(must(suite().sign_with_label(party_->env, who().signer, "GroupInfoTBS", info)));
  bytes out;
  writer w{out};
  write_message_header(w, wire_format::group_info);
  w.raw(info);
  return out;
}

proposal remove_of(leaf_index target) {
  proposal out;
  out.type = proposal_type::remove;
  out.remove = target;
  return out;
}

proposal add_of(const prepared_key_package& package) {
  proposal out;
  out.type = proposal_type::add;
  out.add = must(message::decode(package.message)).key_package;
  return out;
}

}  // namespace mls_test
