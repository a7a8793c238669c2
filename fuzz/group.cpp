// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// A group in which one member is hostile, who has real keys and signs, MACs and encrypts whatever it likes. The input is a
/// script: honest members add, remove, commit, propose, talk, come back from a snapshot or by external Commit; any of them
/// turns hostile and sends proposals, commits, messages and Welcomes that differ from honest ones in what the script says.
/// The oracle: what is refused changes nothing, down to each byte of the state; all honest members come to the same
/// verdict, save where a path says something else to each of them; a server that only reads what is public never refuses
/// what a member accepts; those who accept agree on everything; and whatever was accepted, the honest ones can go on:
/// they commit, all follow, newcomers get in.
#include "../tests/mls/forger.hpp"
#include "support/oracle.hpp"

namespace {

using namespace mls_test;
using conclave_fuzz::edit, conclave_fuzz::require, conclave_fuzz::script;

/// What every member's host knows.
struct shared_psks final : psk_source {
  [[nodiscard]] result<secret_bytes> external(byte_view id) override {
    if (as_text(id) != "shared") return errc::unknown_key;
    return secret_bytes(32, 7);
  }
  [[nodiscard]] result<secret_bytes> resumption(byte_view, std::uint64_t epoch) override {
    return secret_bytes(32, static_cast<std::uint8_t>(epoch));
  }
};

class play {
 public:
  explicit play(script in) : in_{in}, p_{2 + in_.byte() % 3U, options(in_.byte())} {}

  void go() {
    for (int steps = 0; !in_.empty() && !over_ && steps < 16; ++steps) {
      if (members().size() < 2) return;
      step();
      if (!over_) require(p_.disagreement().empty(), "the members do not agree");
    }
    if (over_ || members().empty()) return;
    honest_commit(members().front(), {});
    add(members().back());
  }

 private:
  party_options options(std::uint8_t choice) {
    party_options out;
    out.policy.handshakes = (choice & 1U) != 0 ? wire_format::public_message : wire_format::private_message;
    out.policy.one_welcome_for_all = (choice & 2U) == 0;
    out.policy.psks = &psks_;
    out.proposals = {proposal_type::self_remove, proposal_type{0xf001}};
    return out;
  }

  std::vector<std::size_t> members() const { return const_cast<party&>(p_).inside(); }
  std::size_t member() {
    const auto all = members();
    return all[in_.byte() % all.size()];
  }
  byte_view keep(bytes what) { return kept_.emplace_back(std::move(what)); }

  void step() {
    switch (in_.byte() % 16) {
      case 0: return add(member());
      case 1: return remove();
      case 2: {
        commit_request request;
        request.path = in_.byte() % 2 == 0;
        return honest_commit(member(), request);
      }
      case 3: return propose();
      case 4: return talk();
      case 5: return reload();
      case 6: return enter();
      case 7: return damage();
      case 8:
      case 9:
      case 10: return forge_proposal();
      case 11: return forge_text();
      case 12: return forge_welcome();
      default: return forge_commit();
    }
  }

  // ---- honest steps --------------------------------------------------------------------------------------------------

  void add(std::size_t host) {
    if (p_.size() > 9) return;
    const byte_view package = p_.package(p_.arrive());
    commit_request request;
    request.add = {&package, 1};
    honest_commit(host, request);
  }

  void remove() {
    const std::size_t host = member();
    const leaf_index target{in_.byte() % p_[host].tree().leaf_count()};
    if (target == p_[host].own_leaf() || !p_[host].tree().contains(target)) return;
    commit_request request;
    request.remove = {&target, 1};
    honest_commit(host, request);
  }

  /// A commit that asks for nothing is always possible; one that is made is followed by all.
  void honest_commit(std::size_t from, const commit_request& request) {
    auto pending = p_[from].commit(p_.env, request);
    if (!pending) {
      require(!request.add.empty() || !request.remove.empty(), "an honest commit is not possible");
      return;
    }
    const bytes message = to_bytes(pending->message());
    p_.deliver(from, message);
    const std::vector<bytes> welcomes(pending->welcomes().begin(), pending->welcomes().end());
    const epoch_change change = must(p_[from].apply(*std::move(pending)));
    over_ = change.reinit.has_value();
    for (const bytes& w : welcomes) welcome(w);
  }

  /// Those who are named and known join, whoever is in the tree with them.
  void welcome(const bytes& input) {
    const auto decoded = must(message::decode(input));
    for (const encrypted_group_secrets entry : decoded.welcome.secrets)
      for (std::size_t i = 0; i < p_.size(); ++i) {
        auto& joiner = p_.who(i);
        if (!joiner.package || !equal(joiner.package->reference.view(), entry.new_member)) continue;
        joiner.room.emplace(
            must(group::join(p_.env, joiner.who.clone(), *std::move(joiner.package), input, {}, p_.options().policy)));
        joiner.package.reset();
      }
  }

  void propose() {
    const std::size_t from = member();
    group& room = p_[from];
    const auto made = [&]() -> result<bytes> {
      proposal p;
      switch (in_.byte() % 5) {
        case 0: return room.propose_update(p_.env);
        case 1: return room.propose_remove(p_.env, leaf_index{in_.byte() % room.tree().leaf_count()});
        case 2:
          if (p_.size() >= 9) return errc::over_limit;
          return room.propose_add(p_.env, p_.package(p_.arrive()));
        case 3: {
          const bytes nonce(32, in_.byte());
          p.type = proposal_type::psk;
          p.psk = {psk_type::external, as_bytes("shared"), {}, {}, 0, nonce};
          return room.propose(p_.env, p);
        }
        default: p.type = proposal_type::self_remove; return room.propose(p_.env, p);
      }
    }();
    if (made) p_.deliver(from, *made);
  }

  void talk() {
    const std::size_t from = member();
    const bytes text = to_bytes(in_.take(in_.byte() % 32U));
    const auto message = p_[from].protect(p_.env, text, as_bytes("data"));
    if (!message) return require(p_[from].pending_proposals() != 0, "a member cannot speak");
    for (const event& e : p_.deliver(from, *message)) {
      const auto& got = std::get<application_message>(e);
      require(equal(got.plaintext, text) && got.sender == p_.leaf(from), "another text was heard");
    }
  }

  /// A member that was restored is the same, and goes on in its place.
  void reload() {
    auto& room = p_.who(member()).room;
    const bytes before = whole_state(*room);
    group copy = group_testing<provider>::copy_of(*room);
    require(whole_state(copy) == before, "a restored group is another one");
    room.emplace(std::move(copy));
  }

  /// Somebody enters by external Commit: a newcomer, or who has fallen out.
  void enter() {
    const std::size_t host = member();
    if (p_[host].pending_proposals() != 0) return;
    external_join_options choice;
    std::size_t who = in_.byte() % p_.size();
    const bool back = !p_.who(who).in() && !p_.who(who).package;
    if (back) {
      choice.resync = in_.byte() % 4 != 0;
    } else {
      if (p_.size() >= 9) return;
      who = p_.arrive();
    }
    const bytes info = must(p_[host].group_info(p_.env, {true, true}));
    auto joined = group::join_external(p_.env, p_.who(who).who.clone(), info, choice, p_.options().policy);
    if (!joined) return;
    p_.deliver(who, joined->commit);
    p_.who(who).room.emplace(std::move(joined->group));
  }

  // ---- hostile ones --------------------------------------------------------------------------------------------------

  /// An honest message with bytes of it changed by somebody without keys.
  void damage() {
    const std::size_t from = member();
    bytes message = to_bytes(must(group_testing<provider>::copy_of(p_[from]).commit(p_.env, {})).message());
    const bytes whole = message;
    edit(message, in_);
    if (message == whole) return;
    for (const std::size_t i : members())
      if (i != from) refused(i, message);
    (void)server_takes(from, message);  // tags are none of its business
  }

  void refused(std::size_t i, byte_view message) { require(!takes(i, message), "a damaged message was accepted"); }

  /// takes(i, message): whether a member does; where it does not, nothing has changed.
  bool takes(std::size_t i, byte_view message, event* got = nullptr) {
    const bytes before = whole_state(p_[i]);
    auto outcome = p_[i].process(p_.env, message);
    if (!outcome) {
      require(whole_state(p_[i]) == before, "a refused message has changed the state");
      return false;
    }
    if (got != nullptr) *got = *std::move(outcome);
    return true;
  }

  /// server_takes(i, message): whether a server does that has seen all that a member has; else nothing has changed.
  bool server_takes(std::size_t i, byte_view message) {
    observer server = observer_of(p_.env, p_[i]);
    const bytes before = server.snapshot();
    if (server.process(p_.env, message)) return true;
    require(server.snapshot() == before, "a refused message has changed the observer");
    return false;
  }

  /// What becomes of a hostile message: how many took it, of those who stay members.
  struct verdict {
    std::size_t took = 0, refused = 0;
    [[nodiscard]] bool unanimous() const { return took == 0 || refused == 0; }
  };

  /// send(f, message, to_each_its_own, removed): gives it to all but its sender.
  verdict send(const forger& f, byte_view message, bool to_each_its_own, std::span<const leaf_index> removed = {}) {
    verdict out;
    const auto before = members();
    const bool observed = server_takes(before.front() == f.person() ? before.back() : before.front(), message);
    std::vector<std::size_t> disagreeing;
    std::size_t removed_took = 0, removed_refused = 0;
    for (const std::size_t i : before) {
      if (i == f.person()) continue;
      const bool goes = std::ranges::find(removed, p_.leaf(i)) != removed.end();
      const bool took = takes(i, message);
      if (goes)
        ++(took ? removed_took : removed_refused);
      else
        ++(took ? out.took : out.refused);
      if (!took) disagreeing.push_back(i);
    }
    if (!to_each_its_own) require(out.unanimous(), "two members come to different verdicts");
    if (out.took != 0) require(removed_refused == 0, "a removed member refuses what the others accept");
    if (out.took != 0) require(observed, "the observer refuses it");
    if (out.took == 0 && removed_took == 0) return out;
    // the hostile member has not heard itself, and those who refused have lost the thread
    p_.who(f.person()).room.reset();
    for (const std::size_t i : disagreeing) p_.who(i).room.reset();
    if (members().empty()) over_ = true;
    for (const std::size_t i : members()) over_ = over_ || p_[i].reinitialized().has_value();
    // a path that says something else to each can leave keys in the tree that nobody has: no promise holds for long
    if (!over_) require(p_.disagreement().empty(), "those who accept do not agree");
    if (!out.unanimous() || (removed_took != 0 && out.took == 0)) over_ = true;
    return out;
  }

  bytes number_list(const std::vector<std::uint16_t>& numbers) {
    bytes out;
    writer w{out};
    w.vector([&] {
      for (const std::uint16_t n : numbers) w.number(n);
    });
    return out;
  }
  std::vector<std::uint16_t> types() {
    std::vector<std::uint16_t> out;
    for (unsigned n = in_.byte() % 3U; n > 0; --n) {
      const unsigned b = in_.byte();
      out.push_back(static_cast<std::uint16_t>(b < 16 ? b : b < 32 ? 0xf001 : 0x0a0a * (b % 16)));
    }
    return out;
  }

  /// extension_for(f): a type and what might be its data.
  std::pair<extension_type, bytes> extension_for(const forger& f) {
    bytes data;
    writer w{data};
    extension_type type{static_cast<std::uint16_t>(in_.byte() % 16)};
    if (type == extension_type::required_capabilities) {
      for (int i = 0; i < 3; ++i) append(data, number_list(types()));
    } else if (type == extension_type::external_senders) {
      w.vector([&] {
        w.opaque(f.who().signer.public_view());
        w.number(std::uint16_t{1});
        w.opaque(f.who().credential);
      });
    } else if (type == extension_type::external_pub) {
      w.opaque(bytes(32, 9));
    } else if (type == extension_type::ratchet_tree) {
      w.opaque(p_[f.person()].ratchet_tree_items());
    } else {
      w.raw(in_.take(in_.byte() % 8U));
    }
    edit(data, in_);
    return {type, data};
  }

  void spoil(leaf_draft& leaf, const forger& f, script& in) {
    for (unsigned n = in.byte() % 4U; n > 0; --n) {
      const std::size_t other = in.byte() % p_.size();
      const auto toggle = [&]<class T>(std::vector<T>& list) {
        if (in.byte() % 2 == 0 && !list.empty())
          list.pop_back();
        else
          list.push_back(T{static_cast<std::underlying_type_t<T>>(in.byte())});
      };
      switch (in.byte() % 16) {
        case 0: edit(leaf.encryption_key, in); break;
        case 1:
          if (p_.who(other).in()) leaf.encryption_key = to_bytes(p_[other].tree().leaf(p_.leaf(other))->encryption_key);
          break;
        case 2: edit(leaf.signature_key, in); break;
        case 3:
          leaf.signature_key = to_bytes(p_.who(other).who.signer.public_view());
          if (in.byte() % 2 == 0) leaf.signer = &p_.who(other).who.signer;
          break;
        case 4: leaf.credential = credential_type{static_cast<std::uint16_t>(in.byte() % 5)}; break;
        case 5: edit(leaf.credential_data, in); break;
        case 6: toggle(leaf.versions); break;
        case 7: toggle(leaf.suites); break;
        case 8: toggle(leaf.extensions); break;
        case 9: toggle(leaf.proposals); break;
        case 10: toggle(leaf.credentials); break;
        case 11: leaf.source = leaf_node_source{static_cast<std::uint8_t>(in.byte() % 5)}; break;
        case 12: leaf.valid = {in.number(), in.number()}; break;
        case 13: edit(leaf.parent_hash, in); break;
        case 14: leaf.leaf_extensions.push_back(extension_for(f)); break;
        default:
          if (in.byte() % 2 == 0)
            leaf.index = leaf_index{in.byte()};
          else
            edit(leaf.group_id, in);
          break;
      }
    }
  }

  /// package(f): a key package that may be all right.
  byte_view package(const forger& f) {
    package_draft draft(p_);
    spoil(draft.leaf, f, in_);
    for (unsigned n = in_.byte() % 3U; n > 0; --n) {
      switch (in_.byte() % 5) {
        case 0: draft.init_key = draft.leaf.encryption_key; break;
        case 1: edit(draft.init_key, in_); break;
        case 2: draft.version = protocol_version{in_.byte()}; break;
        case 3: draft.suite = cipher_suite{in_.byte()}; break;
        default: draft.extensions.push_back(extension_for(f)); break;
      }
    }
    const auto made = draft.encode(p_.env);
    bytes content = to_bytes(made.key_package());
    return keep(std::move(content));
  }

  /// invent(f): the encoding of a proposal.
  bytes invent(const forger& f) {
    bytes out;
    writer w{out};
    proposal p;
    p.type = proposal_type{static_cast<std::uint16_t>(in_.byte() % 12)};
    wire::write(w, p.type);
    switch (p.type) {
      case proposal_type::add: w.raw(package(f)); break;
      case proposal_type::update: {
        auto key = must(hpke::generate_key_pair<provider>(p_.env, parameters(suite_1)->hpke.kem));
        leaf_draft leaf = f.own_leaf(key.pub.view());
        leaf.source = leaf_node_source::update;
        spoil(leaf, f, in_);
        w.raw(leaf.encode(p_.env));
        break;
      }
      case proposal_type::remove: w.number(std::uint32_t{in_.byte() % (p_[f.person()].tree().leaf_count() + 1)}); break;
      case proposal_type::psk: {
        const bytes nonce(in_.byte() % 4 == 0 ? in_.byte() % 64U : 32U, in_.byte());
        const unsigned b = in_.byte();
        pre_shared_key_id id{psk_type::external, as_bytes(b % 8 == 0 ? "unknown" : "shared"), {}, {}, 0, nonce};
        if (b % 4 == 1)
          id = {psk_type::resumption, {},   resumption_psk_usage{static_cast<std::uint8_t>(b / 4 % 5)}, f_id(f),
                in_.byte(),           nonce};
        wire::write(w, id);
        break;
      }
      case proposal_type::reinit:
        wire::write(w, reinit{as_bytes("next"),
                              protocol_version{in_.byte() % 4 == 0 ? in_.byte() : std::uint8_t{1}},
                              cipher_suite{static_cast<std::uint8_t>(in_.byte() % 9)},
                              {}});
        break;
      case proposal_type::external_init: w.opaque(bytes(32, in_.byte())); break;
      case proposal_type::group_context_extensions:
        w.vector([&] {
          for (unsigned n = in_.byte() % 3U; n > 0; --n) {
            const auto [type, data] = extension_for(f);
            wire::write(w, extension{type, data});
          }
        });
        break;
      case proposal_type::self_remove: break;
      default:
        out.clear();
        wire::write(w, proposal_type{0xf001});
        w.opaque(in_.take(in_.byte() % 8U));
        break;
    }
    if (in_.byte() % 8 == 0) edit(out, in_);
    return out;
  }
  byte_view f_id(const forger& f) { return p_[f.person()].group_id(); }

  /// misframe(content): the frame says something else.
  void misframe(framed_content& content) {
    switch (in_.byte() % 24) {
      case 0: content.sender = {sender_type::external, in_.byte() % 3U}; break;
      case 1: content.sender = {sender_type::new_member_proposal, 0}; break;
      case 2: content.sender = {sender_type::new_member_commit, 0}; break;
      case 3: content.sender.index = in_.byte() % 10U; break;
      case 4: content.epoch += in_.byte(); break;
      case 5: content.group_id = in_.take(in_.byte() % 8U); break;
      case 6: content.authenticated_data = in_.take(in_.byte() % 8U); break;
      case 7: content.body.type = content_type{static_cast<std::uint8_t>(in_.byte() % 5)}; break;
      default: break;
    }
  }

  forger::private_options wrapping(forger& f) {
    forger::private_options out;
    const unsigned b = in_.byte();
    out.padding = bytes(b % 16 == 1 ? in_.byte() : 0U);
    if (b % 16 == 2) out.padding = to_bytes(in_.take(in_.byte() % 8U));
    if (b % 16 == 3) out.claimed_leaf = leaf_index{in_.byte() % (f.state().tree.leaf_count() + 2)};
    if (b % 16 == 4) out.claimed_generation = static_cast<std::uint32_t>(in_.number());
    if (b % 16 == 5) out.signer = &p_.who(in_.byte() % p_.size()).who.signer;
    return out;
  }

  void forge_proposal() {
    forger f(p_, member());
    const bytes body = invent(f);
    framed_content content = f.content(content_type::proposal, body);
    misframe(content);
    // one that could only be misread
    if (content.body.type != content_type::proposal && content.body.type != content_type::application) return;
    const bytes message = in_.byte() % 2 == 0 ? f.in_public(content) : f.in_private(content, wrapping(f));
    (void)send(f, message, false);
  }

  void forge_text() {
    forger f(p_, member());
    bytes body;
    writer{body}.opaque(in_.take(in_.byte() % 16U));
    edit(body, in_);
    framed_content content = f.content(content_type::application, body);
    misframe(content);
    content.sender = f.content(content_type::application, body).sender;
    if (content.body.type == content_type::commit) return;
    (void)send(f, f.in_private(content, wrapping(f)), false);
  }

  void forge_commit() {
    forger f(p_, member());
    commit_draft draft;
    std::vector<leaf_index> removed;
    const group& self = p_[f.person()];
    bool to_each_its_own = false;
    std::vector<pre_shared_key_id> psks;
    const auto note = [&](const proposal& p) {
      if (p.type == proposal_type::remove) removed.push_back(p.remove);
      if (p.type == proposal_type::psk) psks.push_back(p.psk);
    };
    // what waits for a commit, where the forger can apply it
    if (in_.byte() % 2 == 0)
      for (const stored_proposal& s : group_testing<provider>::proposals_of(self).all()) {
        const auto type = s.proposal().type;
        if (type == proposal_type::update || type == proposal_type::self_remove || type == proposal_type::external_init)
          continue;
        draft.references.push_back(to_bytes(s.reference.view()));
        draft.referenced.push_back(s.proposal());
      }
    for (const proposal& p : draft.referenced) note(p);
    for (unsigned n = in_.byte() % 4U; n > 0; --n) {
      const auto p = wire::decode<proposal>(keep(invent(f)));
      if (!p) continue;
      draft.proposals.push_back(*p);
      note(*p);
    }
    // the forger lists its own proposals first
    std::vector<pre_shared_key_id> in_order;
    for (const proposal& p : draft.proposals)
      if (p.type == proposal_type::psk) in_order.push_back(p.psk);
    for (const proposal& p : draft.referenced)
      if (p.type == proposal_type::psk) in_order.push_back(p.psk);
    if (auto psk = find_psks(f.suite(), in_order, &psks_)) draft.psk_secret = to_bytes(psk->reveal());
    draft.path = in_.byte() % 8 != 0;
    script hooks{in_.take(24)};
    switch (in_.byte() % 8) {
      case 0:
      case 1: draft.leaf = [&](leaf_draft& leaf) { spoil(leaf, f, hooks); }; break;
      case 2:
        to_each_its_own = true;
        draft.keys = [&](std::vector<bytes>& keys) {
          if (keys.empty()) return;
          const std::size_t which = hooks.byte() % keys.size();
          if (hooks.byte() % 2 == 0)
            keys[which] = to_bytes(f.state().tree.encryption_key(to_node(f.state().own)));
          else
            edit(keys[which], hooks);
        };
        break;
      case 3:
        to_each_its_own = true;
        draft.nodes = [&](path_draft& path) {
          if (path.nodes.empty()) return;
          auto& node = path.nodes[hooks.byte() % path.nodes.size()];
          switch (hooks.byte() % 5) {
            case 0: path.nodes.pop_back(); break;
            case 1: path.nodes.push_back(node); break;
            case 2:
              if (!node.ciphertexts.empty()) node.ciphertexts.pop_back();
              break;
            case 3: node.ciphertexts.emplace_back(bytes(32, 9), bytes(48)); break;
            default:
              if (!node.ciphertexts.empty()) {
                auto& c = node.ciphertexts[hooks.byte() % node.ciphertexts.size()];
                edit(hooks.byte() % 2 == 0 ? c.first : c.second, hooks);
              }
              break;
          }
        };
        break;
      case 4:
        to_each_its_own = true;
        draft.body = [&](bytes& body) { edit(body, hooks); };
        break;
      case 5: draft.confirmation_tag = [&](bytes& tag) { edit(tag, hooks); }; break;
      default: break;
    }
    bytes message;
    try {
      message = f.commit(draft);
    } catch (const std::runtime_error&) {
      return;  // not even the forger can make it
    }
    // a body that was changed may remove anybody
    if (to_each_its_own)
      for (std::uint32_t i = 0; draft.body && i < self.tree().leaf_count(); ++i) removed.push_back(leaf_index{i});
    (void)send(f, message, to_each_its_own, removed);
  }

  /// A Welcome by a hostile member: who is taken in by it has a state that holds together, and is restored as it was.
  void forge_welcome() {
    if (p_.size() >= 9) return;
    forger f(p_, member());
    const client newcomer = make_client(p_.env, "newcomer");
    auto package = make_package(p_.env, newcomer);
    welcome_draft draft;
    const std::uint8_t what = in_.byte();
    script hooks{in_.take(24)};
    switch (what % 8) {
      case 0:
        draft.tree = [&](ratchet_tree<provider>& tree) {
          const leaf_index target{hooks.byte() % tree.leaf_count()};
          if (tree.contains(target)) tree.remove_leaf(target);
        };
        break;
      case 1: draft.tree_items = [&](bytes& items) { edit(items, hooks); }; break;
      case 2:
        draft.context = [&](group_context& context) {
          switch (hooks.byte() % 5) {
            case 0: context.epoch = hooks.number(); break;
            case 1: context.group_id = keep(to_bytes(hooks.take(8))); break;
            case 2: context.suite = cipher_suite{hooks.byte()}; break;
            case 3: context.confirmed_transcript_hash = keep(to_bytes(hooks.take(hooks.byte()))); break;
            default: context.tree_hash = keep(to_bytes(hooks.take(8))); break;
          }
        };
        break;
      case 3:
        draft.info = [&](group_info& info) {
          if (hooks.byte() % 2 == 0)
            info.signer = leaf_index{hooks.byte()};
          else
            info.confirmation_tag = keep(to_bytes(hooks.take(32)));
        };
        break;
      case 4: draft.signed_info = [&](bytes& info) { edit(info, hooks); }; break;
      case 5:
        draft.secrets = [&](group_secrets& secrets) {
          if (hooks.byte() % 2 == 0)
            secrets.path_secret = {keep(to_bytes(hooks.take(32)))};
          else
            secrets.joiner_secret = keep(to_bytes(hooks.take(32)));
        };
        break;
      case 6: draft.suite = cipher_suite{static_cast<std::uint8_t>(hooks.byte() % 9)}; break;
      default: break;
    }
    bytes message;
    try {
      message = f.welcome(package, draft);
    } catch (const std::runtime_error&) {
      return;
    }
    if (hooks.byte() % 8 == 1) edit(message, hooks);
    auto joined = group::join(p_.env, newcomer.clone(), std::move(package), message, {}, p_.options().policy);
    if (!joined) {
      // the right one is still good for it
      require(!package.message.empty() && package.init.secret.size() != 0, "a bad Welcome has used up the key package");
      auto again =
          group::join(p_.env, newcomer.clone(), std::move(package), f.welcome(package, {}), {}, p_.options().policy);
      require(again.has_value(), "a good Welcome is refused after a bad one");
      return;
    }
    const auto context = must(wire::decode<group_context>(joined->group_context()));
    ratchet_tree<provider> tree = joined->tree();
    const digest tree_hash = tree.tree_hash();
    require(equal(tree_hash.view(), context.tree_hash), "the tree is not that of the context");
    require(equal(joined->tree().leaf(joined->own_leaf())->signature_key, newcomer.signer.public_view()),
            "the joiner is somebody else");
    const bytes state = whole_state(*joined);
    require(whole_state(group_testing<provider>::copy_of(*joined)) == state, "a restored group is another one");
  }

  script in_;
  shared_psks psks_;
  std::deque<bytes> kept_;
  party p_;
  bool over_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size <= 1024) play(script{{data, size}}).go();
  return 0;
}
