// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// key_table: finds which entry holds a given key, and counts keys that occur more than once.
#pragma once

#include <conclave/bytes.hpp>
#include <conclave/detail/cow_array.hpp>

#include <bit>
#include <optional>

namespace conclave::inline CONCLAVE_ABI::detail {

/// key_table: an open-addressing hash table of 32-bit ids; the keys stay where the owner has them. `keys(id)` gives the
/// key of an id, `hash(key)` a keyed hash (peers choose the keys). Equal keys may be inserted: duplicates() counts the
/// surplus, so that a sequence of changes can pass through a state with duplicates and be judged at its end. Copies
/// share memory as cow_array does.
class key_table {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return used_; }
  [[nodiscard]] std::uint32_t duplicates() const noexcept { return duplicates_; }

  /// find(key): an id that holds this key.
  template <class Keys, class Hash>
  [[nodiscard]] std::optional<std::uint32_t> find(byte_view key, const Keys& keys, const Hash& hash) const {
    if (used_ == 0) return std::nullopt;
    for (std::size_t i = hash(key) & mask();; i = (i + 1) & mask()) {
      if (slots_[i] == empty) return std::nullopt;
      if (equal(keys(slots_[i] - 1), key)) return slots_[i] - 1;
    }
  }

  template <class Keys, class Hash>
  void insert(std::uint32_t id, const Keys& keys, const Hash& hash) {
    if ((used_ + 1) * 8 > slots_.size() * 5) grow(keys, hash);
    const byte_view key = keys(id);
    bool seen = false;
    std::size_t i = hash(key) & mask();
    for (; slots_[i] != empty; i = (i + 1) & mask()) seen = seen || equal(keys(slots_[i] - 1), key);
    slots_.writable(i) = id + 1;
    ++used_;
    duplicates_ += seen ? 1 : 0;
  }

  /// erase(id): id was inserted, and keys(id) still gives the key it was inserted with.
  template <class Keys, class Hash>
  void erase(std::uint32_t id, const Keys& keys, const Hash& hash) {
    const byte_view key = keys(id);
    std::size_t hole = slots_.size();
    bool another = false;
    for (std::size_t i = hash(key) & mask(); slots_[i] != empty; i = (i + 1) & mask()) {
      if (slots_[i] == id + 1)
        hole = i;
      else
        another = another || equal(keys(slots_[i] - 1), key);
    }
    if (hole == slots_.size()) CONCLAVE_PANIC();
    duplicates_ -= another ? 1 : 0;
    --used_;
    // entries behind the hole move up where their own search would cross it
    for (std::size_t i = (hole + 1) & mask(); slots_[i] != empty; i = (i + 1) & mask()) {
      const std::size_t home = hash(keys(slots_[i] - 1)) & mask();
      if (((i - home) & mask()) >= ((i - hole) & mask())) {
        slots_.writable(hole) = slots_[i];
        hole = i;
      }
    }
    slots_.writable(hole) = empty;
  }

  /// reserve(n): makes room for n ids in one step.
  template <class Keys, class Hash>
  void reserve(std::size_t n, const Keys& keys, const Hash& hash) {
    while (n * 8 > slots_.size() * 5) grow(keys, hash, n);
  }

 private:
  static constexpr std::uint32_t empty = 0;  // ids are stored plus one

  [[nodiscard]] std::size_t mask() const noexcept { return slots_.size() - 1; }

  template <class Keys, class Hash>
  void grow(const Keys& keys, const Hash& hash, std::size_t wanted = 0) {
    const cow_array<std::uint32_t> old = slots_;
    const std::size_t size = std::bit_ceil(std::max({std::size_t{64}, old.size() * 2, wanted * 8 / 5 + 1}));
    slots_ = {};
    slots_.resize(size);
    for (std::size_t k = 0; k < old.size(); ++k) {
      if (old[k] == empty) continue;
      std::size_t i = hash(keys(old[k] - 1)) & mask();
      while (slots_[i] != empty) i = (i + 1) & mask();
      slots_.writable(i) = old[k];
    }
  }

  cow_array<std::uint32_t> slots_;
  std::size_t used_ = 0;
  std::uint32_t duplicates_ = 0;
};

}  // namespace conclave::detail
