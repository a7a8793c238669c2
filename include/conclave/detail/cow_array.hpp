// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// cow_array<T>: a flat array in pages that copies share until one of them writes.
#pragma once

#include <conclave/config.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace conclave::inline CONCLAVE_ABI::detail {

/// cow_array<T>: copying one takes constant time; writing to a copy then duplicates the page it touches and, once, the
/// list of pages (N / 128 pointers). An old epoch, a commit in preparation and a snapshot for another thread are
/// therefore plain copies. Threads: copies may be used by different threads, one object by one thread at a time.
template <class T>
class cow_array {
 public:
  static constexpr std::size_t page_size = 128;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] const T& operator[](std::size_t i) const noexcept { return (*(*pages_)[i / page_size])[i % page_size]; }

  /// writable(i): element i, no longer shared with any copy.
  [[nodiscard]] T& writable(std::size_t i) {
    own(pages_);
    auto& shared = (*pages_)[i / page_size];
    own(shared);
    return (*shared)[i % page_size];
  }

  /// resize(n): new elements are T{}.
  void resize(std::size_t n) {
    if (!pages_) pages_ = std::make_shared<directory>();
    own(pages_);
    const std::size_t used = size_ % page_size;
    // a page that was cut off in its middle keeps old elements behind the cut
    if (n > size_ && used != 0 && size_ / page_size < pages_->size()) {
      auto& last = (*pages_)[size_ / page_size];
      own(last);
      for (std::size_t i = used; i < page_size; ++i) (*last)[i] = T{};
    }
    const std::size_t wanted = (n + page_size - 1) / page_size;
    const std::size_t had = pages_->size();
    pages_->resize(wanted);
    for (std::size_t i = had; i < wanted; ++i) (*pages_)[i] = std::make_shared<page>();
    size_ = n;
  }

 private:
  using page = std::array<T, page_size>;
  using directory = std::vector<std::shared_ptr<page>>;

  template <class U>
  static void own(std::shared_ptr<U>& shared) {
    if (shared.use_count() != 1) shared = std::make_shared<U>(*shared);
  }

  std::shared_ptr<directory> pages_;
  std::size_t size_ = 0;
};

}  // namespace conclave::detail
