// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What the core needs from its host: randomness and time. Nothing reads a clock or a random device of its own accord; a
/// host, a test or a replay passes an environment in. One exception: ECDSA, whose nonces OpenSSL draws, and what Botan
/// blinds private operations with.
#pragma once

#include <conclave/bytes.hpp>
#include <conclave/result.hpp>

#include <chrono>

#if defined(__linux__)
#include <cerrno>
#include <sys/random.h>
#elif !defined(_WIN32)
#include <unistd.h>
#if defined(__APPLE__)
#include <sys/random.h>
#endif
#endif

namespace conclave::inline CONCLAVE_ABI {

#if defined(_WIN32)
namespace detail {
// bcrypt.h declares it too, but needs windows.h, whose macros no host should get from here
extern "C" __declspec(dllimport) long __stdcall BCryptGenRandom(void*, unsigned char*, unsigned long, unsigned long);
inline constexpr unsigned long bcrypt_use_system_preferred_rng = 2;
}  // namespace detail
#endif

/// unix_time: wall-clock seconds, for lifetimes and certificates. It may jump.
using unix_time = std::chrono::sys_seconds;
/// steady_time: time since some fixed moment, for time-outs and overlaps. It never goes back.
using steady_time = std::chrono::milliseconds;

/// environment: given to every call that needs randomness or time. Threads: a host that shares one between threads
/// makes its functions safe for that; system_environment is.
class environment {
 public:
  environment() = default;
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;
  virtual ~environment() = default;

  /// random(out): fills `out` with bytes fit for keys, or fails with no_entropy and leaves `out` zeroed.
  [[nodiscard]] virtual status random(byte_span out) noexcept = 0;
  [[nodiscard]] virtual unix_time wall() noexcept = 0;
  [[nodiscard]] virtual steady_time steady() noexcept = 0;
};

/// system_environment: the operating system's generator and clocks. It has no state and may be shared by threads.
class system_environment final : public environment {
 public:
  [[nodiscard]] status random(byte_span out) noexcept override {
    // getentropy, and getrandom when interrupted, give at most 256 bytes at a time
    for (byte_span rest = out; !rest.empty();) {
      const byte_span part = rest.first(std::min<std::size_t>(rest.size(), 256));
      if (!fill(part)) {
        std::ranges::fill(out, std::uint8_t{0});
        return errc::no_entropy;
      }
      rest = rest.subspan(part.size());
    }
    return {};
  }
  [[nodiscard]] unix_time wall() noexcept override {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  }
  [[nodiscard]] steady_time steady() noexcept override {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch());
  }

 private:
  [[nodiscard]] static bool fill(byte_span part) noexcept {
#if defined(_WIN32)
    return detail::BCryptGenRandom(nullptr, part.data(), static_cast<unsigned long>(part.size()),
                                   detail::bcrypt_use_system_preferred_rng) == 0;
#elif defined(__linux__)
    for (;;) {
      const ssize_t n = ::getrandom(part.data(), part.size(), 0);
      if (n == static_cast<ssize_t>(part.size())) return true;
      if (n < 0 && errno == EINTR) continue;
      return false;
    }
#else
    return ::getentropy(part.data(), part.size()) == 0;
#endif
  }
};

}  // namespace conclave
