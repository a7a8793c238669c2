// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "allocations.hpp"

#include <malloc.h>

#include <cstdlib>
#include <new>

namespace {

thread_local std::uint64_t count = 0;
thread_local std::uint64_t held = 0;
thread_local std::uint64_t most_held = 0;

}  // namespace

void* operator new(std::size_t size) {
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  ++count;
  held += malloc_usable_size(memory);
  if (held > most_held) most_held = held;
  return memory;
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* memory) noexcept {
  held -= malloc_usable_size(memory);
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
void operator delete[](void* memory) noexcept { operator delete(memory); }
void operator delete[](void* memory, std::size_t) noexcept { operator delete(memory); }

namespace conclave_bench {

std::uint64_t allocations() noexcept { return count; }

std::uint64_t bytes_held() noexcept { return held; }

high_water::high_water() noexcept : before_{held} { most_held = held; }

std::uint64_t high_water::bytes() const noexcept { return most_held - before_; }

}  // namespace conclave_bench
