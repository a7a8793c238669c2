// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// A bounded map from key ids.
#pragma once

#include <conclave/config.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace conclave::inline CONCLAVE_ABI::sframe {

/// bounded_table<Value>: values by key id, at most `capacity` of them; the one used longest ago gives way. A sorted
/// array: members choose ids, and no choice of them makes a search longer. Searching allocates nothing.
/// Lifetime: entries stay where they are until the next put() or erase_if().
template <class Value>
class bounded_table {
 public:
  struct entry {
    std::uint64_t kid;
    std::uint64_t used;
    Value value;
  };

  explicit bounded_table(std::size_t capacity) noexcept : capacity_{capacity} {}

  /// find(kid): its entry, or nullptr.
  [[nodiscard]] entry* find(std::uint64_t kid) noexcept {
    const auto at = position(kid);
    return at != entries_.end() && at->kid == kid ? &*at : nullptr;
  }

  /// use(entry): makes it the last to give way.
  void use(entry& used) noexcept { used.used = ++clock_; }

  /// make_room(): takes the memory that the next put() may need: then it does not fail.
  void make_room() {
    if (entries_.size() == entries_.capacity())
      entries_.reserve(std::min(std::max<std::size_t>(8, 2 * entries_.size()), capacity_));
  }

  /// put(kid, value): adds or replaces a value. Returns the entry that gave way, if one had to.
  std::optional<entry> put(std::uint64_t kid, Value value) {
    if (entry* const held = find(kid)) {
      held->value = std::move(value);
      use(*held);
      return std::nullopt;
    }
    std::optional<entry> gone;
    if (entries_.size() == capacity_) {
      const auto oldest = std::ranges::min_element(entries_, {}, &entry::used);
      gone = std::move(*oldest);
      entries_.erase(oldest);
    }
    entries_.insert(position(kid), entry{kid, ++clock_, std::move(value)});
    return gone;
  }

  /// erase_if(gone): removes the entries whose value `gone` picks.
  template <class Predicate>
  void erase_if(const Predicate& gone) {
    std::erase_if(entries_, [&](const entry& e) { return gone(e.value); });
  }

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
  [[nodiscard]] auto position(std::uint64_t kid) noexcept {
    return std::ranges::lower_bound(entries_, kid, {}, &entry::kid);
  }

  std::vector<entry> entries_;
  std::size_t capacity_;
  std::uint64_t clock_ = 0;
};

}  // namespace conclave::sframe
