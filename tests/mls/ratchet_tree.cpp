// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The ratchet tree against a slow one that keeps nothing it can compute: no cached hash, no counters, no shared pages.
#include <conclave/crypto/provider.hpp>
#include <conclave/mls/ratchet_tree.hpp>

#include <catch2/catch.hpp>

#include <random>
#include <set>

using namespace conclave;
using namespace conclave::mls;

namespace {

using suite = basic_suite<default_provider>;
using tree = ratchet_tree<default_provider>;

struct slow_parent {
  bytes key, parent_hash;
  std::set<std::uint32_t> unmerged;

  [[nodiscard]] bytes encoded() const {
    bytes out;
    writer w{out};
    w.opaque(key);
    w.opaque(parent_hash);
    w.vector([&] {
      for (const std::uint32_t i : unmerged) w.number(i);
    });
    return out;
  }
};

/// A tree as RFC 9420 4 draws it: a subtree is a range of leaves, its root a parent or nothing.
class slow_tree {
 public:
  explicit slow_tree(const suite& s) : s_{s} {}

  std::vector<std::optional<bytes>> leaves;           // a power of two of them
  std::vector<std::optional<slow_parent>> parents{};  // by node_index; even ones unused

  void add(const bytes& leaf) {
    const std::uint32_t i = first_blank();
    if (i == leaves.size()) resize(i == 0 ? 1 : 2 * leaves.size());
    leaves[i] = leaf;
    for (std::uint32_t x : above(i))
      if (parents[x]) parents[x]->unmerged.insert(i);
  }
  [[nodiscard]] std::uint32_t first_blank() const {
    const auto at = std::ranges::find_if(leaves, [](const auto& l) { return !l; });
    return static_cast<std::uint32_t>(at - leaves.begin());
  }
  void blank_above(std::uint32_t i) {
    for (std::uint32_t x : above(i)) parents[x].reset();
  }
  void remove(std::uint32_t i) {
    leaves[i].reset();
    blank_above(i);
    while (leaves.size() > 1 && std::all_of(leaves.begin() + static_cast<std::ptrdiff_t>(leaves.size() / 2),
                                            leaves.end(), [](const auto& l) { return !l; }))
      resize(leaves.size() / 2);
  }

  /// The odd nodes on the way from a leaf to the root.
  [[nodiscard]] std::vector<std::uint32_t> above(std::uint32_t i) const {
    std::vector<std::uint32_t> out;
    for (std::uint32_t width = 2; width <= leaves.size(); width *= 2) out.push_back(i / width * 2 * width + width - 1);
    return out;
  }
  [[nodiscard]] std::vector<std::uint32_t> resolution(std::uint32_t x) const {
    if (x % 2 == 0) return leaves[x / 2] ? std::vector{x} : std::vector<std::uint32_t>{};
    if (parents[x]) {
      std::vector out{x};
      for (const std::uint32_t i : parents[x]->unmerged) out.push_back(2 * i);
      return out;
    }
    auto out = resolution(child(x, false));
    const auto r = resolution(child(x, true));
    out.insert(out.end(), r.begin(), r.end());
    return out;
  }
  [[nodiscard]] bytes hash(std::uint32_t x) const {
    bytes input;
    writer w{input};
    w.number(static_cast<std::uint8_t>(x % 2 + 1));
    const auto content = encoded(x);
    if (x % 2 == 0) w.number(x / 2);
    w.number(static_cast<std::uint8_t>(content.has_value()));
    if (content) w.raw(*content);
    if (x % 2 == 1) {
      w.opaque(hash(child(x, false)));
      w.opaque(hash(child(x, true)));
    }
    const digest out = s_.hash({input});
    return to_bytes(out.view());
  }
  [[nodiscard]] bytes items() const {
    bytes out;
    writer w{out};
    std::size_t end = 0;
    for (std::uint32_t x = 0; x + 1 < 2 * leaves.size(); ++x) {
      const auto content = encoded(x);
      w.number(static_cast<std::uint8_t>(content.has_value()));
      if (!content) continue;
      w.number(static_cast<std::uint8_t>(x % 2 + 1));
      w.raw(*content);
      end = out.size();
    }
    out.resize(end);
    return out;
  }
  [[nodiscard]] std::vector<std::uint32_t> members() const {
    std::vector<std::uint32_t> out;
    for (std::uint32_t i = 0; i < leaves.size(); ++i)
      if (leaves[i]) out.push_back(i);
    return out;
  }
  [[nodiscard]] static std::uint32_t child(std::uint32_t x, bool right) {
    std::uint32_t half = 1;
    while ((x / half) % 2 == 1) half *= 2;
    return right ? x + half / 2 : x - half / 2;
  }

 private:
  [[nodiscard]] std::optional<bytes> encoded(std::uint32_t x) const {
    if (x % 2 == 0) return leaves[x / 2];
    if (!parents[x]) return std::nullopt;
    return parents[x]->encoded();
  }
  void resize(std::size_t n) {
    leaves.resize(n);
    parents.resize(2 * n - 1);
  }

  suite s_;
};

void check_same(tree& fast, const slow_tree& slow) {
  REQUIRE(fast.leaf_count() == slow.leaves.size());
  const auto members = slow.members();
  REQUIRE(fast.member_count() == members.size());
  REQUIRE(fast.encode_items() == slow.items());
  std::vector<std::uint32_t> seen;
  fast.for_each_leaf([&](leaf_index i) { seen.push_back(number(i)); });
  REQUIRE(seen == members);
  REQUIRE(number(fast.first_blank()) == slow.first_blank());
  for (std::uint32_t x = 0; x < fast.node_count(); ++x) {
    std::vector<node_index> resolution;
    fast.append_resolution(node_index{x}, resolution);
    REQUIRE(std::ranges::equal(resolution, slow.resolution(x), {}, [](node_index n) { return number(n); }));
  }
  const digest hash = fast.tree_hash();
  REQUIRE(equal(hash.view(), slow.hash(static_cast<std::uint32_t>(slow.leaves.size()) - 1)));

  std::multiset<bytes> encryption, signature;
  for (const std::uint32_t i : members) {
    encryption.insert(to_bytes(fast.encryption_key(to_node(leaf_index{i}))));
    signature.insert(to_bytes(fast.signature_key(leaf_index{i})));
  }
  for (std::uint32_t x = 1; x < fast.node_count(); x += 2)
    if (!fast.blank(node_index{x})) encryption.insert(to_bytes(fast.encryption_key(node_index{x})));
  const auto surplus = [](const std::multiset<bytes>& all) {
    return all.size() - std::set(all.begin(), all.end()).size();
  };
  REQUIRE(fast.duplicate_keys() == surplus(encryption) + surplus(signature));
  for (const bytes& key : encryption) REQUIRE(fast.has_encryption_key(key));
  for (const bytes& key : signature) REQUIRE(equal(fast.signature_key(fast.find_member(key).value()), key));
}

/// Does the same to both trees, at random.
class session {
 public:
  session(const suite& s, unsigned seed) : fast{s, hash_seed{}}, slow{s}, s_{s}, random_{seed} { add(1); }

  void step() {
    const auto members = slow.members();
    const std::uint32_t i = members[random_() % members.size()];
    switch (random_() % 6) {
      case 0: return add(1 + random_() % 6);
      case 1: return add(1);
      case 2:
      case 3:
        if (members.size() == 1) return add(2);
        fast.remove_leaf(leaf_index{i});
        fast.truncate();
        return slow.remove(i);
      case 4: {
        const bytes l = leaf();
        fast.update_leaf(leaf_index{i}, l);
        slow.leaves[i] = l;
        return slow.blank_above(i);
      }
      default: return path(i);
    }
  }

  tree fast;
  slow_tree slow;

 private:
  [[nodiscard]] bytes noise(std::size_t n) {
    bytes out(n);
    for (auto& b : out) b = static_cast<std::uint8_t>(random_());
    return out;
  }
  /// A new leaf; one in eight has keys that somebody has already.
  [[nodiscard]] bytes leaf() {
    const auto key = [&] {
      return random_() % 8 == 0 ? bytes(32, static_cast<std::uint8_t>(random_() % 4)) : noise(32);
    };
    const bytes encryption = key(), signature = key(), name = noise(5), signed_by = noise(64);
    leaf_node out;
    out.encryption_key = encryption;
    out.signature_key = signature;
    out.credential = {credential_type::basic, name};
    out.source = leaf_node_source::update;
    out.signature = signed_by;
    return wire::encode(out);
  }
  void add(std::size_t n) {
    std::vector<bytes> leaves;
    std::vector<byte_view> views;
    for (std::size_t k = 0; k < n; ++k) leaves.push_back(leaf());
    views.assign(leaves.begin(), leaves.end());
    const auto added = fast.add_leaves(views);
    REQUIRE(added);
    for (const bytes& l : leaves) slow.add(l);
    for (std::size_t k = 0; k < n; ++k) REQUIRE(slow.leaves[number((*added)[k])] == leaves[k]);
  }
  /// What a commit does with its path: parents where the copath has members, blanks elsewhere.
  void path(std::uint32_t i) {
    std::vector<std::uint32_t> expected;
    for (std::uint32_t x : slow.above(i)) {
      const std::uint32_t l = slow_tree::child(x, false), r = slow_tree::child(x, true);
      if (!slow.resolution(2 * i < x ? r : l).empty()) expected.push_back(x);
    }
    const auto filtered = fast.filtered_direct_path(leaf_index{i});
    REQUIRE(std::ranges::equal(filtered, expected, {}, [](const path_step& p) { return number(p.node); }));
    fast.blank_direct_path(leaf_index{i});
    slow.blank_above(i);
    for (const std::uint32_t x : expected) {
      slow.parents[x] = slow_parent{noise(32), noise(s_.nh()), {}};
      fast.set_parent(node_index{x}, {slow.parents[x]->key, slow.parents[x]->parent_hash, {}});
    }
    const bytes l = leaf();
    fast.set_leaf(leaf_index{i}, l);
    slow.leaves[i] = l;
  }

  suite s_;
  std::mt19937 random_;
};

void run(cipher_suite id, unsigned seed, int steps) {
  CAPTURE(id, seed);
  const auto s = suite::make(id);
  REQUIRE(s);
  session on(*s, seed);
  std::vector<std::pair<tree, slow_tree>> copies;
  std::size_t most = 0;
  for (int i = 0; i < steps; ++i) {
    CAPTURE(i);
    on.step();
    check_same(on.fast, on.slow);
    most = std::max(most, on.slow.leaves.size());
    if (i % 16 == 0) copies.emplace_back(on.fast, on.slow);
    if (on.fast.duplicate_keys() != 0) continue;
    auto again = tree::import(*s, hash_seed{7}, on.slow.items());
    REQUIRE(again);
    check_same(*again, on.slow);
    for (const auto* like : {&copies.front().first, &copies.back().first}) {
      auto beside = tree::import(*like, on.slow.items());
      REQUIRE(beside);
      check_same(*beside, on.slow);
    }
  }
  CHECK(most >= 16);
  // what happened since to the tree they were copied from did not touch them
  for (auto& [fast, slow] : copies) check_same(fast, slow);
}

}  // namespace

TEST_CASE("the ratchet tree agrees with a slow one after every change") {
  for (unsigned seed = 1; seed <= 4; ++seed)
    run(cipher_suite::mls_128_dhkemx25519_chacha20poly1305_sha256_ed25519, seed, 250);
#if CONCLAVE_WITH_BOTAN || CONCLAVE_WITH_OPENSSL
  run(cipher_suite::mls_256_dhkemp521_aes256gcm_sha512_p521, 5, 250);  // hashes of 64 bytes
  run(cipher_suite::mls_256_dhkemp384_aes256gcm_sha384_p384, 6, 250);  // and of 48
#endif
}
