// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The public ratchet tree (RFC 9420, sections 4 and 7) as a value: flat, in pages that epochs share.
#pragma once

#include <conclave/detail/key_table.hpp>
#include <conclave/detail/shared_bytes.hpp>
#include <conclave/limits.hpp>
#include <conclave/mls/leaf_node.hpp>
#include <conclave/mls/tree_hash.hpp>
#include <conclave/mls/tree_math.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// hash_seed: keys the hash tables of a tree, because members choose the keys that are looked up in them.
using hash_seed = std::array<std::uint8_t, 16>;

/// node: one entry of the ratchet_tree extension (RFC 9420 12.4.3.3), with the bytes of its LeafNode or ParentNode.
struct node {
  node_type type{};
  byte_view content;

  [[nodiscard]] static result<node> read(reader& in) {
    node out;
    CONCLAVE_TRY(out.type, wire::read<node_type>(in));
    if (out.type == node_type::leaf) {
      CONCLAVE_TRY(const auto leaf, wire::read<located_leaf>(in));
      out.content = leaf.encoded;
    } else if (out.type == node_type::parent) {
      CONCLAVE_TRY(const auto parent, wire::read<wire::located<parent_node>>(in));
      out.content = parent.encoded;
    } else {
      return failure{errc::malformed, rules::known_node_type};
    }
    return out;
  }
};

/// path_step: a node of a filtered direct path, and its child on the copath.
struct path_step {
  node_index node;
  node_index copath;
};

/// ratchet_tree<P>: copying takes constant time, changing a copy touches only the pages it changes. Nodes stay encoded;
/// what leaf(), parent() and the key functions return points into the tree and lives until that node changes.
/// Invariant: a parent above no occupied leaf is blank.
template <crypto_provider P>
class ratchet_tree {
 public:
  ratchet_tree(const basic_suite<P>& s, const hash_seed& seed) : suite_{s}, seed_{seed} {}

  /// import(suite, seed, items): the content of a ratchet_tree extension. Every node decodes; what the nodes say is
  /// checked by valid_tree. Errors: malformed, over_limit.
  [[nodiscard]] static result<ratchet_tree> import(const basic_suite<P>& s, const hash_seed& seed, byte_view items) {
    return import(s, seed, detail::shared_bytes::copy_of(items));
  }
  /// The same without a copy: the tree keeps the bytes.
  [[nodiscard]] static result<ratchet_tree> import(const basic_suite<P>& s, const hash_seed& seed,
                                                   const detail::shared_bytes& items) {
    ratchet_tree out(s, seed);
    CONCLAVE_TRY(const auto nodes, wire::list<std::optional<node>>::check(items.view()));
    if (nodes.empty() || nodes.size() > node_width(limits::leaves)) return failure{errc::over_limit, rules::tree_size};
    out.resize(std::bit_ceil(static_cast<std::uint32_t>(nodes.size() / 2 + 1)));
    out.reserve(nodes.size() / 2 + 1);
    std::uint32_t i = 0;
    bool last_blank = true;
    for (const std::optional<node> n : nodes) {
      const node_index x{i++};
      last_blank = !n;
      if (!n) continue;
      if ((n->type == node_type::leaf) != is_leaf(x)) return failure{errc::malformed, rules::node_type_by_position};
      out.nodes_.writable(number(x)).content = items.slice(n->content);
      out.enter_keys(x);
      // one surplus key is an invalid tree; many would make the tables slow
      if (out.duplicate_keys() != 0) return failure{errc::refused, rules::unique_keys};
      // more types than a member can support; many would make counting them slow
      if (out.credentials_.size() > limits::capabilities)
        return failure{errc::refused, rules::credential_supported_by_all};
    }
    if (last_blank) return failure{errc::malformed, rules::last_node_not_blank};
    out.count_members();
    CONCLAVE_CHECK(out.parents_above_members());
    return out;
  }

  /// import(like, items): of a tree that has much in common with `like`, whose memory it then shares. For what this side
  /// has stored itself: equal keys are looked for at the end.
  [[nodiscard]] static result<ratchet_tree> import(const ratchet_tree& like, byte_view items) {
    CONCLAVE_TRY(const auto nodes, wire::list<std::optional<node>>::check(items));
    if (nodes.empty() || nodes.size() > node_width(limits::leaves)) return failure{errc::over_limit, rules::tree_size};
    const std::uint32_t leaves = std::bit_ceil(static_cast<std::uint32_t>(nodes.size() / 2 + 1));
    ratchet_tree out = like;
    for (std::uint32_t i = static_cast<std::uint32_t>(nodes.size()); i < out.node_count(); ++i)
      if (!out.blank(node_index{i})) out.put(node_index{i}, {});
    if (out.leaves_ > leaves) out.resize(leaves);
    out.extend_for(leaf_index{leaves - 1});
    std::uint32_t i = 0;
    bool last_blank = true;
    for (const std::optional<node> n : nodes) {
      const node_index x{i++};
      last_blank = !n;
      if (n && (n->type == node_type::leaf) != is_leaf(x))
        return failure{errc::malformed, rules::node_type_by_position};
      const byte_view content = n ? n->content : byte_view{};
      if (!equal(out.encoded(x), content))
        out.put(x, n ? detail::shared_bytes::copy_of(content) : detail::shared_bytes{});
    }
    if (last_blank) return failure{errc::malformed, rules::last_node_not_blank};
    if (out.duplicate_keys() != 0) return failure{errc::refused, rules::unique_keys};
    if (out.credentials_.size() > limits::capabilities)
      return failure{errc::refused, rules::credential_supported_by_all};
    CONCLAVE_CHECK(out.parents_above_members());
    return out;
  }

  /// encode_items(): the content of a ratchet_tree extension. write_items(writer) is that as an opaque<V>, and
  /// encoded_size() its length without the header.
  [[nodiscard]] bytes encode_items() const {
    bytes out;
    out.reserve(encoded_size());
    writer w{out};
    write_nodes(w);
    return out;
  }
  void write_items(auto& w) const {
    w.length(encoded_size());
    write_nodes(w);
  }
  [[nodiscard]] std::size_t encoded_size() const noexcept {
    const std::uint32_t n = used_nodes();
    std::size_t size = n;
    for (std::uint32_t i = 0; i < n; ++i)
      if (const node_index x{i}; !blank(x)) size += 1 + encoded(x).size();
    return size;
  }

  [[nodiscard]] const basic_suite<P>& suite() const noexcept { return suite_; }
  [[nodiscard]] std::uint32_t leaf_count() const noexcept { return leaves_; }
  [[nodiscard]] std::uint32_t node_count() const noexcept { return node_width(leaves_); }
  [[nodiscard]] std::uint32_t member_count() const noexcept { return leaves_ == 0 ? 0 : occupied(top()); }
  [[nodiscard]] node_index top() const noexcept { return root(leaves_); }

  [[nodiscard]] bool contains(leaf_index i) const noexcept { return number(i) < leaves_ && !blank(to_node(i)); }
  [[nodiscard]] bool blank(node_index x) const noexcept { return nodes_[number(x)].content.empty(); }
  /// occupied(x): leaves below x that are not blank.
  [[nodiscard]] std::uint32_t occupied(node_index x) const noexcept { return nodes_[number(x)].occupied; }
  [[nodiscard]] byte_view encoded(node_index x) const noexcept { return nodes_[number(x)].content.view(); }

  /// leaf(i), parent(x), encryption_key(x), signature_key(i): of nodes that are not blank.
  [[nodiscard]] located_leaf leaf(leaf_index i) const { return *wire::decode<located_leaf>(encoded(to_node(i))); }
  [[nodiscard]] parent_node parent(node_index x) const { return *wire::decode<parent_node>(encoded(x)); }
  [[nodiscard]] byte_view encryption_key(node_index x) const {
    reader in{encoded(x)};
    return *in.opaque();
  }
  [[nodiscard]] byte_view signature_key(leaf_index i) const {
    reader in{encoded(to_node(i))};
    (void)*in.opaque();
    return *in.opaque();
  }

  [[nodiscard]] bool has_encryption_key(byte_view key) const {
    return encryption_keys_.find(key, encryption_key_of(), hasher()).has_value();
  }
  /// find_member(signature_key): the leaf with this signature key.
  [[nodiscard]] std::optional<leaf_index> find_member(byte_view key) const {
    const auto id = signature_keys_.find(key, signature_key_of(), hasher());
    if (!id) return std::nullopt;
    return leaf_index{*id};
  }
  /// duplicate_keys(): how many signature or encryption keys occur more often than once (RFC 9420 7.3).
  [[nodiscard]] std::uint32_t duplicate_keys() const noexcept {
    return encryption_keys_.duplicates() + signature_keys_.duplicates();
  }
  /// credential_in_use(type): members whose credential has this type.
  [[nodiscard]] std::uint32_t credential_in_use(credential_type type) const noexcept {
    for (const auto& [t, n] : credentials_)
      if (t == type) return n;
    return 0;
  }
  /// all_credential_types(f): true where f(type) is, for every type in use.
  template <class F>
  [[nodiscard]] bool all_credential_types(F&& f) const {
    return std::ranges::all_of(credentials_, [&](const auto& entry) { return f(entry.first); });
  }

  /// for_each_leaf(f): f(leaf_index) for each member, in order. Blank subtrees are passed over.
  template <class F>
  void for_each_leaf(F&& f) const {
    if (leaves_ != 0) visit(top(), f);
  }

  // ---- changes -------------------------------------------------------------------------------------------------

  /// add_leaves(leaves): puts each at the leftmost blank leaf, extending the tree to the right (RFC 9420 12.1.1, 7.7),
  /// and records it as unmerged above. Returns the indexes, ascending. Errors: over_limit, refused (many equal keys).
  [[nodiscard]] result<std::vector<leaf_index>> add_leaves(std::span<const byte_view> leaves) {
    if (member_count() + leaves.size() > limits::leaves) return failure{errc::over_limit, rules::tree_size};
    std::vector<leaf_index> added;
    added.reserve(leaves.size());
    for (const byte_view encoded_leaf : leaves) {
      const leaf_index i = make_room();
      put(to_node(i), detail::shared_bytes::copy_of(encoded_leaf));
      added.push_back(i);
      if (duplicate_keys() > max_replaced_keys) return failure{errc::refused, rules::unique_keys};
      // the leaf of the commit's path can take back one of them
      if (credentials_.size() > limits::capabilities + 1)
        return failure{errc::refused, rules::credential_supported_by_all};
    }
    if (!added.empty()) record_unmerged(top(), added);
    return added;
  }

  /// first_blank(): the leaf an Add or an external Commit would take next, which may lie just behind the tree.
  [[nodiscard]] leaf_index first_blank() const noexcept {
    if (member_count() == leaves_) return leaf_index{leaves_};
    node_index x = top();
    while (!is_leaf(x)) {
      const node_index l = left(x);
      x = occupied(l) < number(last_leaf(l)) - number(first_leaf(l)) + 1 ? l : right(x);
    }
    return to_leaf(x);
  }

  /// update_leaf(i, leaf): replaces a member's leaf and blanks its direct path (RFC 9420 12.1.2).
  void update_leaf(leaf_index i, byte_view encoded_leaf) {
    put(to_node(i), detail::shared_bytes::copy_of(encoded_leaf));
    blank_direct_path(i);
  }

  /// remove_leaf(i): blanks a leaf and its direct path (RFC 9420 12.1.3); truncate() comes after the last one.
  void remove_leaf(leaf_index i) {
    put(to_node(i), {});
    blank_direct_path(i);
  }

  /// truncate(): drops right halves without members (RFC 9420 7.7).
  void truncate() {
    std::uint32_t keep = leaves_;
    while (keep > 1 && occupied(right(root(keep))) == 0) {
      put(root(keep), {});
      keep /= 2;
    }
    if (keep != leaves_) resize(keep);
  }

  /// extend_for(i): grows the tree until leaf i exists.
  void extend_for(leaf_index i) {
    while (number(i) >= leaves_) resize(leaves_ == 0 ? 1 : 2 * leaves_);
  }

  void blank_direct_path(leaf_index i) {
    for (node_index x = to_node(i); x != top();) {
      x = mls::parent(x);
      if (!blank(x)) put(x, {});
    }
  }

  void set_leaf(leaf_index i, byte_view encoded_leaf) { put(to_node(i), detail::shared_bytes::copy_of(encoded_leaf)); }
  void set_parent(node_index x, const parent_node& value) {
    put(x, detail::shared_bytes::copy_of(wire::encode(value)));
  }

  // ---- views of the tree ---------------------------------------------------------------------------------------

  /// filtered_direct_path(i): RFC 9420 section 4.1.2, from the leaf upwards.
  [[nodiscard]] std::vector<path_step> filtered_direct_path(leaf_index i) const {
    std::vector<path_step> out;
    for (node_index x = to_node(i); x != top(); x = mls::parent(x)) {
      const node_index copath = sibling(x);
      if (occupied(copath) != 0) out.push_back({mls::parent(x), copath});
    }
    return out;
  }

  /// append_resolution(x, out): RFC 9420 section 4.1.1.
  void append_resolution(node_index x, std::vector<node_index>& out) const {
    if (!blank(x)) {
      out.push_back(x);
      if (!is_leaf(x))
        for (const leaf_index i : parent(x).unmerged_leaves) out.push_back(to_node(i));
    } else if (!is_leaf(x) && occupied(x) != 0) {
      append_resolution(left(x), out);
      append_resolution(right(x), out);
    }
  }

  /// tree_hash(x): RFC 9420 section 7.8. Hashes of subtrees that did not change are kept, but for those of leaves, which
  /// would be half of all.
  [[nodiscard]] digest tree_hash(node_index x) {
    if (is_leaf(x)) return leaf_hash(x);
    if (!nodes_[number(x)].hashed) compute_hashes(x);
    return stored_hash(x);
  }
  [[nodiscard]] digest tree_hash() { return tree_hash(top()); }

 private:
  struct slot {
    detail::shared_bytes content;  // LeafNode or ParentNode; empty: blank
    std::uint32_t occupied : 31 = 0;
    std::uint32_t hashed : 1 = 0;  // of parents: the stored hash is valid; then those of the whole subtree are
  };
  using hash_chunk = std::array<std::uint8_t, 32>;
  // a key that occurs twice can still be replaced by the commit's path; no path replaces more than this
  static constexpr std::uint32_t max_replaced_keys = 64;

  [[nodiscard]] auto encryption_key_of() const {
    return [this](std::uint32_t id) { return encryption_key(node_index{id}); };
  }
  [[nodiscard]] auto signature_key_of() const {
    return [this](std::uint32_t id) { return signature_key(leaf_index{id}); };
  }
  [[nodiscard]] auto hasher() const {
    return [this](byte_view key) { return static_cast<std::size_t>(P::short_hash(seed_, key)); };
  }
  /// The invariant of all nodes.
  [[nodiscard]] status parents_above_members() const {
    for (std::uint32_t p = 1; p < node_count(); p += 2)
      if (!blank(node_index{p}) && occupied(node_index{p}) == 0)
        return failure{errc::refused, rules::parent_hash_valid};
    return {};
  }

  /// used_nodes(): up to the last one that is not blank.
  [[nodiscard]] std::uint32_t used_nodes() const noexcept {
    std::uint32_t n = node_count();
    while (n > 0 && blank(node_index{n - 1})) --n;
    return n;
  }
  void write_nodes(auto& w) const {
    const std::uint32_t n = used_nodes();
    for (std::uint32_t i = 0; i < n; ++i) {
      const node_index x{i};
      w.number(static_cast<std::uint8_t>(!blank(x)));
      if (blank(x)) continue;
      wire::write(w, is_leaf(x) ? node_type::leaf : node_type::parent);
      w.raw(encoded(x));
    }
  }

  [[nodiscard]] std::size_t chunks() const noexcept { return (suite_.nh() + 31) / 32; }

  void reserve(std::size_t leaves) {
    encryption_keys_.reserve(leaves, encryption_key_of(), hasher());
    signature_keys_.reserve(leaves, signature_key_of(), hasher());
  }

  void resize(std::uint32_t leaves) {
    const std::uint32_t members = member_count();
    const bool grows = leaves > leaves_;
    leaves_ = leaves;
    nodes_.resize(node_count());
    hashes_.resize(node_count() / 2 * chunks());
    if (grows) nodes_.writable(number(top())).occupied = members & 0x7fff'ffffU;
  }

  [[nodiscard]] leaf_index make_room() {
    const leaf_index i = first_blank();
    extend_for(i);
    return i;
  }

  /// Replaces the content of a node, and everything derived from it.
  void put(node_index x, detail::shared_bytes content) {
    const bool was = !blank(x);
    const bool is = !content.empty();
    if (was) {
      encryption_keys_.erase(number(x), encryption_key_of(), hasher());
      if (is_leaf(x)) {
        signature_keys_.erase(number(to_leaf(x)), signature_key_of(), hasher());
        count_credential(credential_type_at(to_leaf(x)), false);
      }
    }
    nodes_.writable(number(x)).content = std::move(content);
    if (is) enter_keys(x);
    if (is_leaf(x) && was != is) count_member(x, is);
    forget_hashes(x);
  }

  /// Puts the keys and the credential of a node's new content on record.
  void enter_keys(node_index x) {
    encryption_keys_.insert(number(x), encryption_key_of(), hasher());
    if (!is_leaf(x)) return;
    signature_keys_.insert(number(to_leaf(x)), signature_key_of(), hasher());
    count_credential(credential_type_at(to_leaf(x)), true);
  }

  [[nodiscard]] credential_type credential_type_at(leaf_index i) const {
    reader in{encoded(to_node(i))};
    (void)*in.opaque();
    (void)*in.opaque();
    return *wire::read<credential_type>(in);
  }

  /// The counts of all nodes, from their contents.
  void count_members() {
    for (std::uint32_t step = 1; step < 2 * leaves_; step *= 2)  // nodes of one level are 2 * step apart
      for (std::uint32_t i = step - 1; i < node_count(); i += 2 * step) {
        const node_index x{i};
        const std::uint32_t members = is_leaf(x) ? (blank(x) ? 0 : 1) : occupied(left(x)) + occupied(right(x));
        nodes_.writable(i).occupied = members & 0x7fff'ffffU;
      }
  }

  void count_member(node_index x, bool more) {
    for (;; x = mls::parent(x)) {
      slot& s = nodes_.writable(number(x));
      s.occupied = (more ? s.occupied + 1U : s.occupied - 1U) & 0x7fff'ffffU;
      if (x == top()) return;
    }
  }

  void count_credential(credential_type type, bool more) {
    const auto at = std::ranges::find(credentials_, type, &std::pair<credential_type, std::uint32_t>::first);
    if (at == credentials_.end())
      credentials_.emplace_back(type, 1);
    else if (more)
      ++at->second;
    else if (--at->second == 0)
      credentials_.erase(at);
  }

  /// A node without a valid hash has no ancestor with one, so the walk stops at the first.
  void forget_hashes(node_index x) {
    if (is_leaf(x)) {
      if (x == top()) return;
      x = mls::parent(x);
    }
    while (nodes_[number(x)].hashed) {
      nodes_.writable(number(x)).hashed = 0;
      if (x == top()) return;
      x = mls::parent(x);
    }
  }

  [[nodiscard]] digest leaf_hash(node_index x) const {
    tree_hash_input input;
    input.leaf(to_leaf(x), encoded(x));
    return suite_.hash(input.parts());
  }

  // of parents: node 2i + 1 is number i
  [[nodiscard]] std::size_t chunk(node_index x) const noexcept { return number(x) / 2 * chunks(); }

  [[nodiscard]] digest stored_hash(node_index x) const {
    digest out(suite_.nh());
    for (std::size_t i = 0; i < suite_.nh(); ++i) out.writable()[i] = hashes_[chunk(x) + i / 32][i % 32];
    return out;
  }

  /// Hashes the parents without a valid hash in the subtree of x, level by level from the lowest: nodes of one level do
  /// not wait for each other.
  void compute_hashes(node_index x) {
    std::vector<node_index> missing{x};  // level after level, from the top
    for (std::size_t i = 0; i < missing.size() && level(missing[i]) > 1; ++i)
      for (const node_index child : {left(missing[i]), right(missing[i])})
        if (!nodes_[number(child)].hashed) missing.push_back(child);
    constexpr std::size_t most = 16;
    std::array<tree_hash_input, most> inputs;
    std::array<digest, most> hashes, below;  // below: of two children each
    std::array<hash_job, most> jobs;
    for (std::size_t n = 0; !missing.empty(); missing.resize(missing.size() - n)) {
      const auto nth = [&](std::size_t i) { return missing[missing.size() - 1 - i]; };
      for (n = 0; n < most / 2 && n < missing.size() && level(nth(n)) == level(nth(0));) ++n;
      const bool lowest = level(nth(0)) == 1;
      for (std::size_t i = 0; i < 2 * n; ++i) {
        const node_index child = i % 2 == 0 ? left(nth(i / 2)) : right(nth(i / 2));
        if (!lowest) {
          below[i] = stored_hash(child);
          continue;
        }
        inputs[i].leaf(to_leaf(child), encoded(child));
        below[i] = digest(suite_.nh());
        jobs[i] = {inputs[i].parts(), below[i].writable()};
      }
      if (lowest) suite_.hash_many(std::span{jobs}.first(2 * n));
      for (std::size_t i = 0; i < n; ++i) {
        inputs[i].parent(encoded(nth(i)), below[2 * i], below[2 * i + 1]);
        hashes[i] = digest(suite_.nh());
        jobs[i] = {inputs[i].parts(), hashes[i].writable()};
      }
      suite_.hash_many(std::span{jobs}.first(n));
      for (std::size_t i = 0; i < n; ++i) store_hash(nth(i), hashes[i].view());
    }
  }

  void store_hash(node_index x, byte_view hash) {
    for (std::size_t c = 0; c < chunks(); ++c) {
      const byte_view part = hash.subspan(32 * c, std::min<std::size_t>(32, hash.size() - 32 * c));
      std::ranges::copy(part, hashes_.writable(chunk(x) + c).begin());
    }
    nodes_.writable(number(x)).hashed = 1;
  }

  /// Adds ascending leaves to the unmerged_leaves of every non-blank parent above them, each parent once.
  void record_unmerged(node_index x, std::span<const leaf_index> added) {
    if (added.empty() || is_leaf(x)) return;
    const auto middle = std::ranges::lower_bound(added, first_leaf(right(x)));
    const auto split = static_cast<std::size_t>(middle - added.begin());
    record_unmerged(left(x), added.first(split));
    record_unmerged(right(x), added.subspan(split));
    if (blank(x)) return;
    parent_node value = parent(x);
    std::vector<leaf_index> merged;
    merged.reserve(value.unmerged_leaves.size() + added.size());
    for (const leaf_index i : value.unmerged_leaves) merged.push_back(i);
    const auto old = static_cast<std::ptrdiff_t>(merged.size());
    merged.insert(merged.end(), added.begin(), added.end());
    std::inplace_merge(merged.begin(), merged.begin() + old, merged.end());
    const bytes items = wire::encode_items(merged);
    value.unmerged_leaves = wire::list<leaf_index>::of(items, merged.size());
    set_parent(x, value);
  }

  template <class F>
  void visit(node_index x, F& f) const {
    if (occupied(x) == 0) return;
    if (is_leaf(x)) {
      f(to_leaf(x));
    } else {
      visit(left(x), f);
      visit(right(x), f);
    }
  }

  basic_suite<P> suite_;
  hash_seed seed_;
  std::uint32_t leaves_ = 0;
  detail::cow_array<slot> nodes_;
  detail::cow_array<hash_chunk> hashes_;
  detail::key_table encryption_keys_;
  detail::key_table signature_keys_;
  std::vector<std::pair<credential_type, std::uint32_t>> credentials_;
};

}  // namespace conclave::mls
