// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The secret tree: one handshake and one application ratchet per member, derived when first needed (RFC 9420, section
/// 9).
#pragma once

#include <conclave/limits.hpp>
#include <conclave/mls/key_schedule.hpp>
#include <conclave/mls/tree_math.hpp>

#include <unordered_map>

namespace conclave::inline CONCLAVE_ABI::mls {

enum class ratchet_kind : std::uint8_t { handshake, application };

/// message_key: key and nonce of one generation.
struct message_key {
  secret<struct message_key_tag> key;
  std::array<std::uint8_t, aead_nonce_size> nonce{};
  std::uint32_t generation = 0;
};

using ratchet_secret = secret<struct ratchet_secret_tag>;

/// ratchet: RFC 9420 section 9.1, with the keys of skipped generations.
struct ratchet {
  ratchet_secret current;
  std::uint32_t generation = 0;   ///< the next one
  std::vector<message_key> kept;  ///< skipped ones, oldest first, at most limits::ratchet_kept_keys
};

/// secret_tree<P>: a received message never changes it before it is authenticated: find() works on the side, prepare()
/// takes the memory that is still needed, and only accept(), which cannot fail, moves the ratchet, keeps skipped keys
/// and erases what is used up (RFC 9420 9.2).
template <crypto_provider P>
class secret_tree {
  using node_secret = secret<struct tree_node_secret_tag>;
  struct leaf_ratchets {
    ratchet handshake, application;
  };
  // secrets that appear on the way from a known ancestor down to a leaf
  struct descent {
    node_index from;
    std::unordered_map<std::uint32_t, node_secret> siblings;  // as nodes_
    std::unordered_map<std::uint32_t, leaf_ratchets> leaf;    // as ratchets_, of this one
  };

 public:
  /// step: the outcome of find(), to be given back to accept() or dropped.
  class step {
   public:
    [[nodiscard]] const message_key& key() const noexcept { return key_; }

   private:
    friend secret_tree;
    message_key key_;
    leaf_index leaf_{};
    ratchet_kind kind_{};
    std::optional<descent> descent_;
    // the ratchet after the step, with its kept keys where they change; absent where the key was a kept one
    std::optional<ratchet> advanced_;
  };

  /// An empty tree that opens nothing.
  secret_tree() = default;

  secret_tree(const basic_suite<P>& s, std::uint32_t leaves, encryption_secret&& root_secret) : leaves_{leaves} {
    node_secret top(s.nh());
    std::ranges::copy(root_secret.reveal(), top.writable().begin());
    root_secret.wipe();
    nodes_.emplace(number(root(leaves)), std::move(top));
  }

  /// find(leaf, kind, generation): the key for one received message. The leaf lies in the tree. Errors: over_limit for
  /// a generation too far ahead, replayed for one that was used or is too old.
  [[nodiscard]] result<step> find(const basic_suite<P>& s, leaf_index leaf, ratchet_kind kind,
                                  std::uint32_t generation) const {
    step out;
    out.leaf_ = leaf;
    out.kind_ = kind;
    const ratchet* current = nullptr;
    if (const auto known = ratchets_.find(number(leaf)); known != ratchets_.end()) {
      current = &select(known->second, kind);
    } else {
      CONCLAVE_TRY(out.descent_, descend(s, leaf));
      current = &select(out.descent_->leaf.begin()->second, kind);
    }
    if (generation < current->generation) {
      for (const message_key& k : current->kept) {
        if (k.generation != generation) continue;
        out.key_ = {k.key.clone(), k.nonce, generation};
        return out;
      }
      return failure{errc::replayed, rules::generation_used};
    }
    if (generation - current->generation > limits::ratchet_forward || generation == ~std::uint32_t{0})
      return failure{errc::over_limit, rules::generation_window};
    ratchet next{current->current.clone(), current->generation, {}};
    if (next.generation < generation) next.kept = kept_before(*current, generation - next.generation);
    while (next.generation < generation) {
      message_key skipped = turn(s, next);
      if (generation - skipped.generation <= limits::ratchet_kept_keys) next.kept.push_back(std::move(skipped));
    }
    out.key_ = turn(s, next);
    out.advanced_ = std::move(next);
    return out;
  }

  /// prepare(step): takes the memory for accept(). Nothing that can be seen changes.
  void prepare(const step& found) {
    if (found.descent_) make_room(*found.descent_);
  }
  /// accept(step): the message was authentic; its key is gone afterwards. No other change since find() and prepare().
  void accept(step&& taken) noexcept {
    step done = std::move(taken);
    if (done.descent_) install(*std::move(done.descent_));
    ratchet& current = select(ratchets_.find(number(done.leaf_))->second, done.kind_);
    if (done.advanced_) {
      current.current = std::move(done.advanced_->current);
      current.generation = done.advanced_->generation;
      if (!done.advanced_->kept.empty()) current.kept = std::move(done.advanced_->kept);
    } else {
      std::erase_if(current.kept, [&](const message_key& k) { return k.generation == done.key_.generation; });
    }
  }

  /// next(leaf, kind): the key for the next message to send, always from the one leaf that is one's own; its generation
  /// is burned. Errors: exhausted, also where restarts have skipped more generations since the last one than receivers go
  /// forward at once.
  [[nodiscard]] result<message_key> next(const basic_suite<P>& s, leaf_index leaf, ratchet_kind kind) {
    CONCLAVE_CHECK(prepare_sending(s, leaf));
    const auto known = ratchets_.find(number(leaf));
    if (known == ratchets_.end()) return failure{errc::unknown_key, rules::generation_used};
    ratchet& current = select(known->second, kind);
    if (current.generation >= select(send_limit_, kind)) return failure{errc::exhausted, rules::generations_reserved};
    // the delivery service would take such a commit for the epoch's only one, and then everybody would refuse it
    if (current.generation - select(sent_, kind) > limits::ratchet_forward)
      return failure{errc::exhausted, rules::generations_in_reach};
    message_key out = turn(s, current);
    select(sent_, kind) = current.generation;
    return out;
  }

  // ---- snapshots -------------------------------------------------------------------------------------------------

  /// prepare_sending(suite, own): derives the ratchets of the own leaf, so that save() can move them on.
  [[nodiscard]] status prepare_sending(const basic_suite<P>& s, leaf_index own) {
    if (leaves_ == 0 || ratchets_.contains(number(own))) return {};
    CONCLAVE_TRY(auto way, descend(s, own));
    make_room(way);
    install(std::move(way));
    return {};
  }

  /// generations: where the two ratchets of one leaf stand.
  struct generations {
    std::uint32_t handshake = ~std::uint32_t{0};
    std::uint32_t application = ~std::uint32_t{0};
  };
  /// limit_sending(limit): next() stops before these generations.
  void limit_sending(const generations& limit) noexcept { send_limit_ = limit; }
  /// sending(own): the generations that next() would give.
  [[nodiscard]] generations sending(leaf_index own) const noexcept {
    const auto known = ratchets_.find(number(own));
    if (known == ratchets_.end()) return {0, 0};
    return {known->second.handshake.generation, known->second.application.generation};
  }

  /// save(suite, writer, own, skip): everything, in an order that depends on the content only. The ratchets of leaf
  /// `own` are written as they will be after `skip` more messages.
  void save(const basic_suite<P>& s, secret_writer& w, leaf_index own, std::uint32_t skip) const {
    const auto sorted = [](const auto& map) {
      std::vector<std::uint32_t> keys;
      for (const auto& entry : map) keys.push_back(entry.first);
      std::ranges::sort(keys);
      return keys;
    };
    const auto save_ratchet = [&](const ratchet& r, std::uint32_t ahead) {
      ratchet moved{r.current.clone(), r.generation, {}};
      for (; ahead > 0; --ahead) (void)turn(s, moved);
      w.opaque(moved.current.reveal());
      w.number(moved.generation);
      w.vector([&] {
        for (const message_key& k : r.kept) {
          w.opaque(k.key.reveal());
          w.raw(k.nonce);
          w.number(k.generation);
        }
      });
    };
    w.number(leaves_);
    w.vector([&] {
      for (const std::uint32_t x : sorted(nodes_)) {
        w.number(x);
        w.opaque(nodes_.find(x)->second.reveal());
      }
    });
    w.vector([&] {
      for (const std::uint32_t leaf : sorted(ratchets_)) {
        const leaf_ratchets& both = ratchets_.find(leaf)->second;
        const std::uint32_t ahead = leaf == number(own) ? skip : 0;
        w.number(leaf);
        save_ratchet(both.handshake, ahead);
        save_ratchet(both.application, ahead);
      }
    });
    w.number(sent_.handshake);
    w.number(sent_.application);
  }

  /// load(reader): what save() wrote. Errors: malformed.
  [[nodiscard]] static result<secret_tree> load(reader& in) {
    secret_tree out;
    CONCLAVE_TRY(out.leaves_, in.number<std::uint32_t>());
    CONCLAVE_TRY(const auto nodes, in.opaque());
    for (reader each{nodes}; !each.empty();) {
      CONCLAVE_TRY(const auto x, each.number<std::uint32_t>());
      CONCLAVE_TRY(const auto raw, each.opaque());
      CONCLAVE_TRY(auto value, node_secret::copy_of(raw));
      out.nodes_.emplace(x, std::move(value));
    }
    CONCLAVE_TRY(const auto ratchets, in.opaque());
    for (reader each{ratchets}; !each.empty();) {
      CONCLAVE_TRY(const auto leaf, each.number<std::uint32_t>());
      leaf_ratchets both;
      CONCLAVE_TRY(both.handshake, load_ratchet(each));
      CONCLAVE_TRY(both.application, load_ratchet(each));
      out.ratchets_.emplace(leaf, std::move(both));
    }
    CONCLAVE_TRY(out.sent_.handshake, in.number<std::uint32_t>());
    CONCLAVE_TRY(out.sent_.application, in.number<std::uint32_t>());
    return out;
  }

 private:
  template <class R>
  [[nodiscard]] static auto& select(R& ratchets, ratchet_kind kind) noexcept {
    return kind == ratchet_kind::handshake ? ratchets.handshake : ratchets.application;
  }

  /// The key of the ratchet's current generation; the ratchet moves on, the old secret is overwritten.
  [[nodiscard]] static message_key turn(const basic_suite<P>& s, ratchet& r) {
    message_key out{secret<struct message_key_tag>(s.nk()), {}, r.generation};
    s.derive_tree_secret(r.current.reveal(), "key", r.generation, out.key.writable());
    s.derive_tree_secret(r.current.reveal(), "nonce", r.generation, out.nonce);
    ratchet_secret following(s.nh());
    s.derive_tree_secret(r.current.reveal(), "secret", r.generation, following.writable());
    r.current = std::move(following);
    ++r.generation;
    return out;
  }

  /// What a ratchet keeps when `skipped` more generations are to be kept too: the newest of its keys, in memory that has
  /// room for theirs.
  [[nodiscard]] static std::vector<message_key> kept_before(const ratchet& r, std::uint32_t skipped) {
    const std::size_t more = std::min<std::size_t>(skipped, limits::ratchet_kept_keys);
    const std::size_t old = std::min(r.kept.size(), limits::ratchet_kept_keys - more);
    std::vector<message_key> out;
    out.reserve(old + more);
    for (std::size_t i = r.kept.size() - old; i < r.kept.size(); ++i)
      out.push_back({r.kept[i].key.clone(), r.kept[i].nonce, r.kept[i].generation});
    return out;
  }

  [[nodiscard]] static result<ratchet> load_ratchet(reader& in) {
    ratchet out;
    CONCLAVE_TRY(const auto raw, in.opaque());
    CONCLAVE_TRY(out.current, ratchet_secret::copy_of(raw));
    CONCLAVE_TRY(out.generation, in.number<std::uint32_t>());
    CONCLAVE_TRY(const auto kept, in.opaque());
    for (reader each{kept}; !each.empty();) {
      message_key k;
      CONCLAVE_TRY(const auto key, each.opaque());
      CONCLAVE_TRY(k.key, secret<struct message_key_tag>::copy_of(key));
      CONCLAVE_TRY(k.nonce, (wire::read<std::array<std::uint8_t, aead_nonce_size>>(each)));
      CONCLAVE_TRY(k.generation, each.number<std::uint32_t>());
      out.kept.push_back(std::move(k));
    }
    return out;
  }

  [[nodiscard]] static node_secret child(const basic_suite<P>& s, const node_secret& of, std::string_view side) {
    node_secret out(s.nh());
    s.expand_with_label(of.reveal(), "tree", as_bytes(side), out.writable());
    return out;
  }

  [[nodiscard]] result<descent> descend(const basic_suite<P>& s, leaf_index leaf) const {
    node_index x = to_node(leaf);
    while (!nodes_.contains(number(x))) {
      // every leaf below the root has an ancestor here or its ratchets are known, or the tree is empty
      if (leaves_ == 0 || x == root(leaves_)) return failure{errc::unknown_key, rules::generation_used};
      x = parent(x);
    }
    descent out{x, {}, {}};
    node_secret current = nodes_.find(number(x))->second.clone();
    while (!is_leaf(x)) {
      node_secret l = child(s, current, "left"), r = child(s, current, "right");
      const bool go_left = number(to_node(leaf)) < number(x);
      out.siblings.emplace(number(go_left ? right(x) : left(x)), std::move(go_left ? r : l));
      current = std::move(go_left ? l : r);
      x = go_left ? left(x) : right(x);
    }
    const auto start = [&](std::string_view label) {
      ratchet out_ratchet{ratchet_secret(s.nh()), 0, {}};
      s.expand_with_label(current.reveal(), label, {}, out_ratchet.current.writable());
      return out_ratchet;
    };
    out.leaf.emplace(number(leaf), leaf_ratchets{start("handshake"), start("application")});
    return out;
  }

  void make_room(const descent& way) {
    nodes_.reserve(nodes_.size() + way.siblings.size());
    ratchets_.reserve(ratchets_.size() + 1);
  }
  /// After make_room() nothing is left to be allocated.
  void install(descent&& way) noexcept {
    ratchets_.merge(way.leaf);
    nodes_.merge(way.siblings);
    nodes_.erase(number(way.from));
  }

  std::uint32_t leaves_ = 0;
  std::unordered_map<std::uint32_t, node_secret> nodes_;       // by node_index: not yet used subtrees
  std::unordered_map<std::uint32_t, leaf_ratchets> ratchets_;  // by leaf_index
  generations send_limit_;
  generations sent_{0, 0};  // where the own ratchets stood after the last message
};

}  // namespace conclave::mls
