// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Which kernels run: the best the CPU offers, resolved at first use, or the one a test has forced.
#pragma once

#include <conclave/simd/cpu.hpp>
#include <conclave/simd/kernels.hpp>
#if !CONCLAVE_EXTERN_KERNELS
#include <conclave/simd/tables.hpp>
#endif

#include <atomic>
#include <string_view>
#include <vector>

namespace conclave::inline CONCLAVE_ABI::simd {
namespace detail {

template <class Kernels>
inline constexpr Kernels no_kernels{};

/// nullptr until it is first asked for.
template <class Kernels>
inline constinit std::atomic<const Kernels*> chosen{nullptr};

template <class Kernels>
const Kernels* resolve() noexcept {
  const Kernels* best = &no_kernels<Kernels>;
  for (const Kernels* table : all<Kernels>())
    if (cpu_can_run(table->needs)) best = table;
  chosen<Kernels>.store(best, std::memory_order_release);
  return best;
}

template <class Kernels>
bool force(std::string_view name) noexcept {
  for (const Kernels* table : all<Kernels>()) {
    if (name != table->name || !cpu_can_run(table->needs)) continue;
    chosen<Kernels>.store(table, std::memory_order_release);
    return true;
  }
  return false;
}

template <class Kernels>
void list(std::vector<std::string_view>& out) {
  for (const Kernels* table : all<Kernels>())
    if (cpu_can_run(table->needs)) out.emplace_back(table->name);
}

}  // namespace detail

/// current<Kernels>(): the table that new objects use; nullptr where nothing of the family runs here. An object keeps the
/// table it was made with.
template <class Kernels>
[[nodiscard]] const Kernels* current() noexcept {
  const Kernels* table = detail::chosen<Kernels>.load(std::memory_order_acquire);
  if (table == nullptr) table = detail::resolve<Kernels>();
  return table == &detail::no_kernels<Kernels> ? nullptr : table;
}

/// available(): the names of all kernels that can run here, of every family.
[[nodiscard]] inline std::vector<std::string_view> available() {
  std::vector<std::string_view> out;
  detail::list<aes_kernels>(out);
  detail::list<hash_kernels>(out);
  detail::list<curve_kernels>(out);
  return out;
}

/// force(name): objects made from now on use this kernel; other families stay as they are. "none" leaves everything to
/// the libraries, "best" goes back to the CPU's best. False, and no change, for a name that is not available. For tests
/// and benchmarks; any thread may call it.
inline bool force(std::string_view name) noexcept {
  if (name == "none") {
    detail::chosen<aes_kernels>.store(&detail::no_kernels<aes_kernels>, std::memory_order_release);
    detail::chosen<hash_kernels>.store(&detail::no_kernels<hash_kernels>, std::memory_order_release);
    detail::chosen<curve_kernels>.store(&detail::no_kernels<curve_kernels>, std::memory_order_release);
    return true;
  }
  if (name == "best") {
    detail::resolve<aes_kernels>();
    detail::resolve<hash_kernels>();
    detail::resolve<curve_kernels>();
    return true;
  }
  return detail::force<aes_kernels>(name) || detail::force<hash_kernels>(name) || detail::force<curve_kernels>(name);
}

}  // namespace conclave::simd
