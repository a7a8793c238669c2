// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// A group that another one is to continue: after a ReInit, or as a branch (RFC 9420, sections 11.2 and 11.3). The script
/// says how many are in the old group and which of the two it is; then Welcomes come, from an honest member or from one who
/// signs and encrypts what it likes: with other links to the old group, or with the right ones and the wrong key, with
/// other parameters, members and epochs, or damaged. The oracle decides from what was put into a Welcome what those
/// sections demand: who joins is right to join, who does not is right not to; a refused Welcome changes neither the old
/// group nor the key package; the honest Welcome still brings in everybody, and they agree.
#include "../tests/mls/forger.hpp"
#include "support/oracle.hpp"

#include <map>

namespace {

using namespace mls_test;
using conclave_fuzz::edit, conclave_fuzz::require, conclave_fuzz::script;

/// What every member's host knows beside the present epoch: the keys of epochs that are over, which make no successor.
struct known_psks final : psk_source {
  std::map<std::uint64_t, bytes> history;
  [[nodiscard]] result<secret_bytes> external(byte_view id) override {
    if (as_text(id) != "shared") return errc::unknown_key;
    return secret_bytes(32, 7);
  }
  [[nodiscard]] result<secret_bytes> resumption(byte_view group_id, std::uint64_t number) override {
    if (as_text(group_id) != "party" || !history.contains(number)) return errc::unknown_key;
    return secret_bytes(history[number].begin(), history[number].end());
  }
};

/// What the forger says are the keys that it names: the right ones, where it has not spoilt them.
struct claimed_psks final : psk_source {
  known_psks* known = nullptr;
  bytes value;  // of the present epoch, and of any other that nobody knows
  bool spoilt = false;
  [[nodiscard]] result<secret_bytes> external(byte_view) override { return secret_bytes(32, 7); }
  [[nodiscard]] result<secret_bytes> resumption(byte_view group_id, std::uint64_t number) override {
    auto out = known->resumption(group_id, number);
    if (!out) out = secret_bytes(value.begin(), value.end());
    if (spoilt) (*out)[0] ^= 1U;
    return out;
  }
};

class play {
 public:
  explicit play(script in) : in_{in}, old_{2 + in_.byte() % 3U, options()} {
    for (unsigned n = in_.byte() % 3U; n > 0; --n) {
      const byte_view psk = old_[0].resumption().reveal();
      known_.history[old_[0].epoch_number()] = to_bytes(psk);
      old_.commit(in_.byte() % old_.size());
    }
    reinit_ = in_.byte() % 2 == 0;
    if (in_.byte() % 4 == 0) extensions_ = wire::encode_items(std::array{required_nothing});
    if (!reinit_) return;
    commit_request end;
    end.reinit_as = reinit{group_id_, protocol_version::mls10, suite_1, must(extension_list::check(extensions_))};
    old_.publish(0, must(old_[0].commit(old_.env, end)));
    for (std::size_t i = 0; i < old_.size(); ++i)
      require(old_[i].reinitialized().has_value(), "a ReInit has left somebody behind");
  }

  void go() {
    for (int rounds = 0; !in_.empty() && rounds < 6; ++rounds) forged();
    honest();
  }

 private:
  static constexpr std::array<std::uint8_t, 3> nothing{};
  static constexpr extension required_nothing{extension_type::required_capabilities, nothing};

  party_options options() {
    party_options out;
    out.policy.psks = &known_;
    return out;
  }
  byte_view keep(bytes what) { return kept_.emplace_back(std::move(what)); }
  pre_shared_key_id link() {
    return {psk_type::resumption,
            {},
            reinit_ ? resumption_psk_usage::reinit : resumption_psk_usage::branch,
            old_[0].group_id(),
            old_[0].epoch_number(),
            keep(bytes(32, ++nonces_))};
  }

  /// names(tree): who is in it, as the old group knows people: by their credentials.
  static std::vector<std::string> names(const ratchet_tree<provider>& tree) {
    std::vector<std::string> out;
    tree.for_each_leaf([&](leaf_index i) { out.emplace_back(as_text(tree.leaf(i)->credential.data)); });
    std::ranges::sort(out);
    const auto twice = std::ranges::unique(out);
    out.erase(twice.begin(), twice.end());
    return out;
  }

  /// A Welcome into a group of people of these names, by one who has the keys to make any.
  void forged() {
    const std::size_t joiner = in_.byte() % old_.size();
    party_options options;
    options.seed = 2 + ++nonces_;
    options.group_id = "next";
    party next(1 + in_.byte() % (old_.size() + 1), options);
    forger f(next, 0);
    const client who = old_.who(joiner).who.clone();
    auto package = make_package(old_.env, who);

    welcome_draft draft;
    // members: all of the new party, but for those who are taken out again, and the joiner
    std::vector<std::string> members;
    const std::uint8_t out = in_.byte();
    draft.tree = [&](ratchet_tree<provider>& tree) {
      const leaf_index gone{out % tree.leaf_count()};
      if (out >= 128 && gone != f.state().own && number(gone) < next.size()) tree.remove_leaf(gone);
      members = names(tree);
    };
    // the link, or what is given out as one
    bool right_key = true, well_formed = true;
    std::size_t links = 0, others = 0;
    claimed_psks claimed;
    claimed.known = &known_;
    claimed.value = to_bytes(old_[0].resumption().reveal());
    for (unsigned n = in_.byte() % 8U == 0 ? in_.byte() % 4U : 1U; n > 0; --n) {
      pre_shared_key_id id = link();
      switch (in_.byte() % 16) {
        case 0: id.usage = resumption_psk_usage{static_cast<std::uint8_t>(1 + in_.byte() % 3)}; break;
        case 1: id.psk_epoch = in_.byte() % (id.psk_epoch + 2); break;
        case 2: id.psk_group_id = in_.take(in_.byte() % 6U); break;
        case 3: id.psk_nonce = keep(bytes(in_.byte() % 64U, 1)); break;
        case 4:
          id.type = psk_type::external;
          id.psk_id = as_bytes(in_.byte() % 2 == 0 ? "shared" : "strange");
          break;
        case 5: claimed.spoilt = true; break;
        default: break;
      }
      well_formed = well_formed && id.psk_nonce.size() == 32;
      const bool of_group = equal(id.psk_group_id, old_[0].group_id()),
                 of_old = of_group && id.psk_epoch == old_[0].epoch_number(),
                 known = of_old || (of_group && known_.history.contains(id.psk_epoch));
      if (id.type == psk_type::external)
        right_key = right_key && as_text(id.psk_id) == "shared";
      else if (of_old && id.usage == link().usage)
        ++links;
      else if (!known || id.usage != resumption_psk_usage::application)  // else a key like any other, and no link
        ++others;
      draft.psks.push_back(id);
    }
    if (!no_resumption(draft.psks)) right_key = right_key && !claimed.spoilt;
    if (const auto psk = find_psks(f.suite(), draft.psks, &claimed)) draft.psk_secret = to_bytes(psk->reveal());

    group_context said;  // its views are of what is kept
    draft.context = [&](group_context& context) {
      context.epoch = 1;
      if (reinit_) {
        context.group_id = group_id_;
        context.extensions = must(extension_list::check(extensions_));
      }
      switch (in_.byte() % 16) {
        case 0: context.epoch = in_.byte() % 4; break;
        case 1: context.group_id = in_.take(4); break;
        case 2: context.extensions = must(extension_list::check(other_extensions_[in_.byte() % 3U])); break;
        case 3: context.version = protocol_version{in_.byte()}; break;
        default: break;
      }
      said = context;
      said.group_id = keep(to_bytes(context.group_id));
      said.extensions = must(extension_list::check(keep(to_bytes(context.extensions.encoded()))));
    };
    bytes message = f.welcome(package, draft);

    const auto old_members = names(old_[0].tree());
    // a leaf that comes from a commit says in which group it stands, and everybody has to know the extensions
    const bool can_be = (next.size() == 1 || equal(said.group_id, group_id_)) &&
                        !equal(said.extensions.encoded(), other_extensions_[2]);
    const bool as_promised =
        !reinit_ || (equal(said.group_id, group_id_) && equal(said.extensions.encoded(), extensions_));
    const bool expected =
        links == 1 && others == 0 && right_key && well_formed && can_be && said.epoch == 1 &&
        said.version == protocol_version::mls10 && as_promised &&
        (reinit_ ? std::ranges::includes(members, old_members) : std::ranges::includes(old_members, members));
    const bytes whole = message;
    if (in_.byte() % 8 == 0) edit(message, in_);
    const bytes before = whole_state(old_[joiner]);
    if (in_.byte() % 4 == 0) {  // it is no group of its own: without the old one nobody joins
      const bool plain = std::ranges::none_of(draft.psks, [&](const auto& id) {
        return id.type == psk_type::resumption &&
               (id.usage != resumption_psk_usage::application || id.psk_epoch == old_[0].epoch_number());
      });
      auto alone = group::join(old_.env, who.clone(), std::move(package), message, {}, old_.options().policy);
      require(plain || !alone, "a successor was joined without what it follows");
      if (alone) return;
    }
    auto joined =
        old_[joiner].join_successor(old_.env, who.clone(), std::move(package), message, {}, old_.options().policy);
    require(whole_state(old_[joiner]) == before, "a Welcome has changed the group it follows");
    if (message == whole)
      require(joined.has_value() == expected, expected ? "a good successor is refused" : "a bad successor is joined");
    if (joined) {
      require(message == whole, "a damaged Welcome was accepted");
      require(joined->epoch_number() == 1 && names(joined->tree()) == members, "another group was joined");
      return;
    }
    require(!package.message.empty() && package.init.secret.size() != 0, "a bad Welcome has used up the key package");
  }
  static bool no_resumption(std::span<const pre_shared_key_id> ids) {
    return std::ranges::none_of(ids, [](const auto& id) { return id.type == psk_type::resumption; });
  }

  /// An honest member goes on: everybody, or in a branch some, follow it and agree.
  void honest() {
    const std::size_t host = in_.byte() % old_.size();
    std::vector<prepared_key_package> packages;
    std::vector<std::size_t> who;
    for (std::size_t i = 0; i < old_.size(); ++i)
      if (i != host && (reinit_ || in_.byte() % 4 != 0)) {
        who.push_back(i);
        packages.push_back(make_package(old_.env, old_.who(i).who));
      }
    std::vector<byte_view> views;
    for (const auto& package : packages) views.emplace_back(package.message);
    auto& room = old_[host];
    auto made = reinit_ ? room.reinitialize(old_.env, old_.who(host).who.clone(), views)
                        : room.branch(old_.env, old_.who(host).who.clone(), as_bytes("corner"), views, extensions_);
    require(made.has_value(), "no successor can be made");
    const observed first = observe(made->group).shared();
    if (who.empty()) return;
    for (std::size_t k = 0; k < who.size(); ++k) {
      group& old = old_[who[k]];
      const auto joined = old.join_successor(old_.env, old_.who(who[k]).who.clone(), std::move(packages[k]),
                                             made->welcomes.front(), {}, old_.options().policy);
      require(joined.has_value(), "the honest successor is refused");
      require(observe(*joined).shared() == first, "those who followed do not agree");
    }
  }

  script in_;
  known_psks known_;
  bytes group_id_ = to_bytes(as_bytes("next")), extensions_;
  const std::array<bytes, 3> other_extensions_{bytes{}, wire::encode_items(std::array{required_nothing}),
                                               wire::encode_items(std::array{extension{extension_type{0x0a0a}, {}}})};
  std::deque<bytes> kept_;
  std::uint8_t nonces_ = 0;
  bool reinit_ = false;
  party old_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size <= 512) play(script{{data, size}}).go();
  return 0;
}
