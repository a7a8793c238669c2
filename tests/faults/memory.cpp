// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "memory.hpp"

#include <conclave/simd/dispatch.hpp>

#include <cstdlib>
#include <new>

#include <unistd.h>

namespace faults {
namespace {

constexpr std::size_t front = alignof(std::max_align_t);  // the size stands before every block

std::uint64_t count = 0, allocated = 0, live = 0, peak = 0;
std::uint64_t before = 0;  // live, when measuring began
std::uint64_t left = 0;    // calls up to the one that fails; 0: none does
after_allocations::then what{};
bool has_struck = false;

// ---- a kernel that counts what the CPU's own one does

std::uint64_t blocks_hashed = 0;
const conclave::simd::hash_kernels* counted = nullptr;

const conclave::simd::hash_kernels counting{
    "counting", 0,
    [](std::uint32_t* state, const std::uint8_t* blocks, std::size_t n) noexcept {
      blocks_hashed += n;
      counted->sha256(state, blocks, n);
    },
    [](std::uint32_t* const* states, const std::uint8_t* const* blocks, std::size_t n, std::size_t streams) noexcept {
      blocks_hashed += n * streams;
      counted->sha256_many(states, blocks, n, streams);
    }};

}  // namespace

void begin_measuring() noexcept {
  counted = conclave::simd::current<conclave::simd::hash_kernels>();
  if (counted != nullptr) conclave::simd::detail::chosen<conclave::simd::hash_kernels>.store(&counting);
  count = allocated = blocks_hashed = 0;
  before = peak = live;
}
usage end_measuring() noexcept {
  if (counted != nullptr) conclave::simd::detail::chosen<conclave::simd::hash_kernels>.store(counted);
  return {count, allocated, peak - before, blocks_hashed};
}

after_allocations::after_allocations(std::uint64_t n, then does) noexcept {
  left = n;
  what = does;
  has_struck = false;
}
after_allocations::~after_allocations() { left = 0; }
bool struck() noexcept { return has_struck; }

}  // namespace faults

// Every form that is not aligned, because a sanitizer brings its own of those that are left out. Not inlined, because
// GCC warns where it sees one half of a pair.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  auto* const block = static_cast<std::byte*>(std::malloc(size + faults::front));
  if (block == nullptr) return nullptr;
  ::new (block) std::size_t(size);
  ++faults::count;
  faults::allocated += size;
  faults::live += size;
  if (faults::live > faults::peak) faults::peak = faults::live;
  return block + faults::front;
}
void* operator new(std::size_t size) {
  if (faults::left != 0 && --faults::left == 0) {
    faults::has_struck = true;
    if (faults::what == faults::after_allocations::then::crash) _exit(faults::crash_code);
    throw std::bad_alloc();
  }
  if (void* const memory = operator new(size, std::nothrow)) return memory;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return operator new(size, std::nothrow); }

[[gnu::noinline]] void operator delete(void* memory) noexcept {
  if (memory == nullptr) return;
  auto* const block = static_cast<std::byte*>(memory) - faults::front;
  faults::live -= *reinterpret_cast<std::size_t*>(block);
  std::free(block);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { operator delete(memory); }
void operator delete[](void* memory) noexcept { operator delete(memory); }
void operator delete[](void* memory, std::size_t) noexcept { operator delete(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { operator delete(memory); }
