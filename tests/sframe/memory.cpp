// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <sframe/fake.hpp>
#include <sframe/memory.hpp>
#include <sframe/support.hpp>

#include <cstdlib>
#include <new>

namespace {

std::size_t count = 0;
std::size_t live = 0;
constexpr std::size_t front = alignof(std::max_align_t);  // the size stands before every block

}  // namespace

// Every form that is not aligned, because a sanitizer brings its own of those that are left out. Not inlined, because
// GCC warns where it sees one half of a pair.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  auto* const block = static_cast<std::byte*>(std::malloc(size + front));
  if (block == nullptr) return nullptr;
  ::new (block) std::size_t(size);
  ++count;
  live += size;
  return block + front;
}
void* operator new(std::size_t size) {
  if (void* const memory = operator new(size, std::nothrow)) return memory;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return operator new(size, std::nothrow); }

[[gnu::noinline]] void operator delete(void* memory) noexcept {
  if (memory == nullptr) return;
  auto* const block = static_cast<std::byte*>(memory) - front;
  live -= *reinterpret_cast<std::size_t*>(block);
  std::free(block);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { operator delete(memory); }
void operator delete[](void* memory) noexcept { operator delete(memory); }
void operator delete[](void* memory, std::size_t) noexcept { operator delete(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { operator delete(memory); }

namespace sframe_test {

std::size_t allocations() noexcept { return count; }
std::size_t live_bytes() noexcept { return live; }

}  // namespace sframe_test

using namespace sframe_test;
using namespace std::chrono_literals;

namespace {

/// How often a frame that is sealed and opened in the steady state allocates.
template <class P>
std::size_t allocations_of_a_frame(std::size_t size) {
  auto mic = sealer_for<P>(300, 40, 17);
  auto ear = opener_for<P>(300, 40, 0);
  const bytes plaintext = noise(size);
  const bytes metadata = noise(30);
  bytes frame(sframe::sealed_size(size));
  bytes out(size);
  constexpr int warm = 3;
  constexpr int rounds = 100;
  std::size_t before = 0;
  for (int i = 0; i < warm + rounds; ++i) {
    if (i == warm) before = allocations();
    const auto sealed = mic.seal(plaintext, metadata, frame);
    if (!sealed || !ear.open(*sealed, metadata, out, 0ms)) FAIL("a frame did not pass");
  }
  return (allocations() - before) / rounds;
}

}  // namespace

TEST_CASE("the counting works") {
  const std::size_t count_before = allocations();
  const std::size_t bytes_before = live_bytes();
  auto* volatile block = new std::uint64_t[4];
  const std::size_t made = allocations() - count_before;
  const std::size_t held = live_bytes() - bytes_before;
  delete[] block;
  const std::size_t left = live_bytes() - bytes_before;
  CHECK(made == 1);
  CHECK(held == 32);
  CHECK(left == 0);
}

TEST_CASE("sealing and opening allocate nothing of their own") {
  for (const std::size_t size : {0U, 160U, 1200U, 16384U}) CHECK(allocations_of_a_frame<fake_provider>(size) == 0);
}

#if CONCLAVE_WITH_OPENSSL
TEST_CASE("sealing and opening allocate nothing at all where OpenSSL serves AES-GCM") {
  for (const std::size_t size : {0U, 160U, 1200U, 16384U}) {
    CHECK(allocations_of_a_frame<openssl>(size) == 0);
    CHECK(allocations_of_a_frame<default_provider>(size) == 0);
  }
}
#endif
