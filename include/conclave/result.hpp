// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// How functions fail: `errc` says what the caller should do, `rule` says in words which check failed, `result<T>` and
/// `status` carry either a value or that failure. The names are those of std::expected.
#pragma once

#include <conclave/config.hpp>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <type_traits>
#include <utility>

/// CONCLAVE_PANIC() ends the program after a broken contract that no input can cause. A host may define its own.
#ifndef CONCLAVE_PANIC
#define CONCLAVE_PANIC() ::std::abort()
#endif

namespace conclave::inline CONCLAVE_ABI {

/// What went wrong, as far as a caller can act on it. The same input gives the same code on every CPU and provider.
enum class errc : std::uint8_t {
  malformed = 1,  ///< the bytes do not follow the format: drop them
  unauthentic,    ///< a tag, MAC or signature did not verify: drop them
  replayed,       ///< already accepted once: drop it
  stale_epoch,    ///< belongs to an epoch that is over, or lost the race for the next one: catch up, then retry
  unknown_key,    ///< sealed under a key this party does not have
  over_limit,     ///< larger or longer than limits.hpp allows
  no_space,       ///< the caller's buffer is too small
  exhausted,      ///< a counter or generation has no values left: take a new key
  unsupported,    ///< a suite, version or feature nobody here serves
  refused,        ///< well-formed and authentic, but a rule forbids it
  early,          ///< its epoch is still to come: keep it for a moment and try again
  no_entropy,     ///< the random source failed: nothing was generated
  storage,        ///< the store failed, and may have written or not: try again
  misuse,         ///< the caller broke a contract of the interface
};

/// text(code): one sentence for a log.
[[nodiscard]] constexpr const char* text(errc code) noexcept {
  switch (code) {
    case errc::malformed: return "the bytes do not follow the format";
    case errc::unauthentic: return "a tag, MAC or signature did not verify";
    case errc::replayed: return "this was accepted before";
    case errc::stale_epoch: return "the epoch is over";
    case errc::unknown_key: return "no such key here";
    case errc::over_limit: return "a limit is exceeded";
    case errc::no_space: return "the output buffer is too small";
    case errc::exhausted: return "no counter values are left under this key";
    case errc::unsupported: return "not supported here";
    case errc::refused: return "a rule forbids this";
    case errc::early: return "the epoch is still to come";
    case errc::no_entropy: return "the random source failed";
    case errc::storage: return "the store failed";
    case errc::misuse: return "the interface was used against its contract";
  }
  return "unknown error";
}

/// rule: a check that input can fail, in words, and where it is written down. Rules are `inline constexpr` objects,
/// known by their address; they are for logs, tests and catalogues, never for control flow.
struct rule {
  const char* name;
  const char* source;
};

/// failure: the code to act on, and the rule that was broken where one is named.
class failure {
 public:
  constexpr failure(errc code) noexcept : code_{static_cast<std::uintptr_t>(code)} {}  // NOLINT: one without details
  constexpr failure(errc code, const rule& broken) noexcept
      : rule_{&broken}, code_{static_cast<std::uintptr_t>(code)} {}

  [[nodiscard]] constexpr errc code() const noexcept { return static_cast<errc>(code_); }
  /// broken_rule(): the rule behind the failure, or nullptr. For logs.
  [[nodiscard]] constexpr const rule* broken_rule() const noexcept { return rule_; }
  /// message(): one line for a log, static storage.
  [[nodiscard]] constexpr const char* message() const noexcept { return rule_ ? rule_->name : text(code()); }

  friend constexpr bool operator==(const failure& a, errc b) noexcept { return a.code() == b; }

 private:
  const rule* rule_ = nullptr;
  std::uintptr_t code_;  // as wide as what copies it: a word read after a byte was stored waits for the cache
};

/// result<T>: a T or an error. Reading the side that is not there panics; T may be move-only.
template <class T>
class [[nodiscard]] result {
 public:
  using value_type = T;

  template <class U = T>
    requires(std::is_constructible_v<T, U &&> && !std::is_same_v<std::remove_cvref_t<U>, result> &&
             !std::is_same_v<std::remove_cvref_t<U>, failure> && !std::is_same_v<std::remove_cvref_t<U>, errc>)
  constexpr result(U&& value) : value_(std::forward<U>(value)), has_value_{true} {}
  constexpr result(failure e) noexcept : error_{e}, has_value_{false} {}
  constexpr result(errc code) noexcept : error_{code}, has_value_{false} {}

  constexpr result(const result& other)
    requires std::is_copy_constructible_v<T>
      : has_value_{other.has_value_} {
    if (has_value_)
      std::construct_at(std::addressof(value_), other.value_);
    else
      std::construct_at(std::addressof(error_), other.error_);
  }
  constexpr result(result&& other) noexcept(std::is_nothrow_move_constructible_v<T>) : has_value_{other.has_value_} {
    if (has_value_)
      std::construct_at(std::addressof(value_), std::move(other.value_));
    else
      std::construct_at(std::addressof(error_), other.error_);
  }
  result& operator=(const result&) = delete;
  constexpr result& operator=(result&& other) noexcept(std::is_nothrow_move_constructible_v<T>) {
    if (this != &other) {
      std::destroy_at(this);
      std::construct_at(this, std::move(other));
    }
    return *this;
  }
  constexpr ~result() {
    if (has_value_) std::destroy_at(std::addressof(value_));
  }

  [[nodiscard]] constexpr bool has_value() const noexcept { return has_value_; }
  [[nodiscard]] constexpr explicit operator bool() const noexcept { return has_value_; }

  [[nodiscard]] constexpr T& operator*() & { return *checked(); }
  [[nodiscard]] constexpr const T& operator*() const& { return *checked(); }
  /// By value, so that `for (auto& x : *f())` iterates over something that lives.
  [[nodiscard]] constexpr T operator*() && { return std::move(*checked()); }
  [[nodiscard]] constexpr T* operator->() & { return checked(); }
  [[nodiscard]] constexpr const T* operator->() const& { return checked(); }
  /// What owns something is not looked into while it is a temporary: `f()->message()` would be a view of what is gone.
  const T* operator->() const&&
    requires(!std::is_trivially_destructible_v<T>)
  = delete;

  [[nodiscard]] constexpr failure error() const noexcept {
    if (has_value_) CONCLAVE_PANIC();
    return error_;
  }

 private:
  [[nodiscard]] constexpr T* checked() {
    if (!has_value_) CONCLAVE_PANIC();
    return std::addressof(value_);
  }
  [[nodiscard]] constexpr const T* checked() const {
    if (!has_value_) CONCLAVE_PANIC();
    return std::addressof(value_);
  }

  union {
    T value_;
    failure error_;
  };
  bool has_value_;
};

/// result<void>, also called status: success, or an error.
template <>
class [[nodiscard]] result<void> {
 public:
  using value_type = void;

  constexpr result() noexcept : error_{errc{}} {}
  constexpr result(failure e) noexcept : error_{e} {}
  constexpr result(errc code) noexcept : error_{code} {}

  [[nodiscard]] constexpr bool has_value() const noexcept { return error_ == errc{}; }
  [[nodiscard]] constexpr explicit operator bool() const noexcept { return has_value(); }
  [[nodiscard]] constexpr failure error() const noexcept {
    if (has_value()) CONCLAVE_PANIC();
    return error_;
  }

 private:
  failure error_;
};

using status = result<void>;

}  // namespace conclave

#define CONCLAVE_CONCAT_(a, b) a##b
#define CONCLAVE_CONCAT(a, b) CONCLAVE_CONCAT_(a, b)

/// CONCLAVE_TRY(auto x, expression): declares x from the value of a result, or returns its error from this function.
/// - A lambda it stands in names its return type: `[&]() -> status { ... }`.
/// - `auto [a, b]` is parted at its comma: take both as one, then part them.
/// - It is several statements, on a line of its own: `if (x) { CONCLAVE_TRY(...); }`.
/// - A result that has a name and holds what only moves has to be moved: `CONCLAVE_TRY(auto x, std::move(earlier))`.
/// - A failure is no number: `switch (s.error().code())`.
#define CONCLAVE_TRY(declaration, ...) CONCLAVE_TRY_(CONCLAVE_CONCAT(conclave_try_, __LINE__), declaration, __VA_ARGS__)
#define CONCLAVE_TRY_(temporary, declaration, ...) \
  auto temporary = (__VA_ARGS__);                  \
  if (!temporary) [[unlikely]]                     \
    return temporary.error();                      \
  declaration = *::std::move(temporary)

/// CONCLAVE_CHECK(expression): returns the error of a status or result from this function, if it has one.
#define CONCLAVE_CHECK(...)                                                  \
  do {                                                                       \
    if (auto conclave_check_ = (__VA_ARGS__); !conclave_check_) [[unlikely]] \
      return conclave_check_.error();                                        \
  } while (false)
