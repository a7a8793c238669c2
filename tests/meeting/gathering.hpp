// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Who wishes to come and who is in, for the tests of conclave::gathering.
#pragma once

#include <conclave/conclave.hpp>

namespace gathering_test {

using namespace conclave;
using std::chrono::milliseconds;

constexpr milliseconds slot = limits::commit_slot;

/// Who is in, as the tree of a group would say.
struct members {
  std::set<mls::leaf_index> leaves;
  std::map<std::string, mls::leaf_index> keys;
  [[nodiscard]] byte_view signature_key(mls::leaf_index i) const {
    for (const auto& [key, leaf] : keys)
      if (leaf == i) return as_bytes(key);
    return {};
  }
  [[nodiscard]] bool contains(mls::leaf_index i) const { return leaves.contains(i); }
  [[nodiscard]] std::optional<mls::leaf_index> find_member(byte_view key) const {
    const auto at = keys.find(std::string{as_text(key)});
    return at == keys.end() ? std::nullopt : std::optional{at->second};
  }
};

[[nodiscard]] inline members crowd(std::uint32_t n) {
  members out;
  for (std::uint32_t i = 0; i < n; ++i) out.leaves.insert(mls::leaf_index{i});
  return out;
}

/// People with several key packages each.
struct person {
  explicit person(const std::string& name) : who{*identity::generate(env, name)} {}
  [[nodiscard]] bytes knocks() { return to_bytes((*knock::create(env, who)).key_package()); }
  [[nodiscard]] std::string key() {
    const bytes package = knocks();
    return std::string{as_text(mls::message::decode(package)->key_package->leaf->signature_key)};
  }
  system_environment env;
  identity who;
};

/// Many people, made from one: a gathering verifies no signature of who knocks once.
class crowd_at_the_door {
 public:
  explicit crowd_at_the_door() {
    const std::string key = one_.key();
    at_ = static_cast<std::size_t>(std::ranges::search(package_, as_bytes(key)).begin() - package_.begin());
    key_size_ = key.size();
  }
  [[nodiscard]] bytes knocks(std::uint32_t i) const {
    bytes other = package_;
    store_be(i, byte_span{other}.subspan(at_, 4));
    return other;
  }
  [[nodiscard]] std::string key(std::uint32_t i) const {
    return std::string{as_text(byte_view{knocks(i)}.subspan(at_, key_size_))};
  }
  [[nodiscard]] std::uint32_t who(byte_view package) const { return load_be<std::uint32_t>(package.subspan(at_)); }
  [[nodiscard]] byte_view package() const { return package_; }

 private:
  person one_{"ada"};
  bytes package_ = one_.knocks();
  std::size_t at_ = 0, key_size_ = 0;
};

[[nodiscard]] inline mls::epoch_change change_of(std::vector<mls::leaf_index> removed,
                                                 std::vector<mls::leaf_index> added = {}) {
  mls::epoch_change out;
  out.removed = std::move(removed);
  out.added = std::move(added);
  return out;
}

constexpr mls::leaf_index leaf(std::uint32_t i) { return mls::leaf_index{i}; }

}  // namespace gathering_test
