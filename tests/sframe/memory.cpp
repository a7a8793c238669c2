// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <sframe/fake.hpp>
#include <sframe/memory.hpp>
#include <sframe/support.hpp>

#if CONCLAVE_WITH_OPENSSL
#include <openssl/crypto.h>
#endif

#include <cstdlib>
#include <new>

namespace {

std::size_t count = 0;
std::size_t live = 0;
constexpr std::size_t front = alignof(std::max_align_t);  // the size stands before every block

#if CONCLAVE_WITH_OPENSSL
std::size_t in_openssl = 0;

/// What OpenSSL takes from malloc, before it has taken anything.
const bool counts_openssl = CRYPTO_set_mem_functions(
                                [](std::size_t size, const char*, int) {
                                  ++in_openssl;
                                  return std::malloc(size);
                                },
                                [](void* block, std::size_t size, const char*, int) {
                                  ++in_openssl;
                                  return std::realloc(block, size);
                                },
                                [](void* block, const char*, int) { std::free(block); }) == 1;

std::size_t openssl_allocations() {
  if (!counts_openssl) FAIL("OpenSSL was used before its allocations could be counted");
  return in_openssl;
}
#else
std::size_t openssl_allocations() { return 0; }
#endif

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

/// How often a frame that is sealed and opened in the steady state allocates, here and in OpenSSL: alone, and as one of
/// a batch.
template <class P>
std::size_t allocations_of_a_frame(std::size_t size, cipher_suite suite) {
  auto mic = sealer_for<P>(300, 40, 17, 0, suite);
  auto ear = opener_for<P>(300, 40, 0, suite);
  const bytes plaintext = noise(size);
  const bytes metadata = noise(30);
  constexpr std::size_t batch = 20;
  std::vector<bytes> frames(batch, bytes(sframe::sealed_size(size))), outs(batch, bytes(size));
  std::vector<sframe::seal_request<P>> sealing;
  std::vector<sframe::open_request> opening;
  for (std::size_t i = 0; i < batch; ++i) sealing.push_back({&mic, plaintext, metadata, frames[i]});
  opening.resize(batch);
  constexpr int warm = 3;
  constexpr int rounds = 50;
  std::size_t before = 0;
  for (int i = 0; i < warm + rounds; ++i) {
    if (i == warm) before = allocations() + openssl_allocations();
    const auto sealed = mic.seal(plaintext, metadata, frames[0]);
    if (!sealed || !ear.open(*sealed, metadata, outs[0], 0ms)) FAIL("a frame did not pass");
    sframe::seal_many(std::span{sealing});
    for (std::size_t k = 0; k < batch; ++k) {
      opening[k].frame = *sealing[k].frame;
      opening[k].metadata = metadata;
      opening[k].out = outs[k];
    }
    ear.open_many(opening, 0ms);
    for (const auto& r : opening)
      if (!r.got) FAIL("a frame of a batch did not pass");
  }
  return allocations() + openssl_allocations() - before;
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

TEST_CASE("M22: sealing and opening allocate nothing of their own") {
  for (const std::size_t size : {0U, 160U, 1200U, 16384U})
    CHECK(allocations_of_a_frame<fake_provider>(size, suite4) == 0);
}

#if CONCLAVE_WITH_OPENSSL
TEST_CASE("what OpenSSL allocates is counted") {
  const std::size_t before = openssl_allocations();
  EVP_MD_CTX_free(EVP_MD_CTX_new());
  CHECK(openssl_allocations() > before);
}

TEST_CASE("M22: sealing and opening allocate nothing at all, whatever the suite") {
  for (const cipher_suite suite : all_suites) {
    for (const std::size_t size : {0U, 160U, 1200U, 16384U}) {
      INFO(static_cast<int>(suite) << ", " << size);
      CHECK(allocations_of_a_frame<openssl>(size, suite) == 0);
      CHECK(allocations_of_a_frame<default_provider>(size, suite) == 0);
    }
  }
}
#endif
