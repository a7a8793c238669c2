// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// executor: threads that a host lends. conclave starts none of its own.
#pragma once

#include <conclave/config.hpp>

#include <cstddef>

namespace conclave::inline CONCLAVE_ABI {

/// divided_work: something in independent parts.
class divided_work {
 public:
  divided_work() = default;
  divided_work(const divided_work&) = delete;
  divided_work& operator=(const divided_work&) = delete;

  /// part(i): does part i. Parts may run at the same time; none waits for another. Throws at most std::bad_alloc.
  virtual void part(std::size_t i) = 0;

 protected:
  ~divided_work() = default;
};

/// executor: asked where a crowd makes work for several processors, such as the signatures of a joined tree. What comes
/// out does not depend on it. Threads: asked on the thread that uses the group; it may be shared by many groups.
class executor {
 public:
  executor() = default;
  executor(const executor&) = delete;
  executor& operator=(const executor&) = delete;
  virtual ~executor() = default;

  /// run(work, parts): work.part(i) once for every i < parts, anywhere, and returns when all have returned. Where a part
  /// throws, so does run(), after the others have ended.
  virtual void run(divided_work& work, std::size_t parts) = 0;
};

namespace detail {

/// in_parts(workers, items, most, work): work(first, count) for stretches of at most `most` items that together are all
/// of them; one after the other where there is no executor, or one stretch.
template <class Work>
void in_parts(executor* workers, std::size_t items, std::size_t most, Work work) {
  struct stretches final : divided_work {
    stretches(std::size_t n, std::size_t m, Work& w) noexcept : items{n}, most{m}, work{w} {}
    void part(std::size_t i) override { work(i * most, items - i * most < most ? items - i * most : most); }
    std::size_t items, most;
    Work& work;
  } all(items, most, work);
  const std::size_t parts = (items + most - 1) / most;
  if (workers != nullptr && parts > 1)
    workers->run(all, parts);
  else
    for (std::size_t i = 0; i < parts; ++i) all.part(i);
}

}  // namespace detail

}  // namespace conclave
