// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// simulation: a clock that is moved by hand, and what happens when.
#pragma once

#include <conclave/environment.hpp>

#include <functional>
#include <queue>
#include <random>
#include <tuple>
#include <vector>

namespace demo {

/// simulated_time: an environment whose clocks stand still until they are moved; randomness comes from another one.
class simulated_time final : public conclave::environment {
 public:
  explicit simulated_time(conclave::environment& chance) : chance_{&chance}, started_{chance.wall()} {}

  [[nodiscard]] conclave::status random(conclave::byte_span out) noexcept override { return chance_->random(out); }
  [[nodiscard]] conclave::unix_time wall() noexcept override {
    return started_ + std::chrono::floor<std::chrono::seconds>(now_);
  }
  [[nodiscard]] conclave::steady_time steady() noexcept override { return now_; }
  [[nodiscard]] conclave::steady_time now() const noexcept { return now_; }

  void move_to(conclave::steady_time now) noexcept { now_ = now; }

 private:
  conclave::environment* chance_;
  conclave::unix_time started_;
  conclave::steady_time now_{0};
};

/// schedule: things to do at a time; those of the same millisecond in the order they were planned.
class schedule {
 public:
  using task = std::function<void()>;
  void at(conclave::steady_time when, task what) { tasks_.push({when, planned_++, std::move(what)}); }

  /// run_until(end, time): does all that is planned before `end`, and what that plans in turn.
  void run_until(conclave::steady_time end, simulated_time& time) {
    while (!tasks_.empty() && tasks_.top().when < end) {
      const entry next = tasks_.top();
      tasks_.pop();
      time.move_to(next.when);
      next.what();
    }
    time.move_to(end);
  }

 private:
  struct entry {
    conclave::steady_time when;
    std::uint64_t order;
    task what;
    bool operator<(const entry& other) const { return std::tie(when, order) > std::tie(other.when, other.order); }
  };
  std::priority_queue<entry> tasks_;
  std::uint64_t planned_ = 0;
};

/// dice: the same seed, the same run.
class dice {
 public:
  explicit dice(std::uint64_t seed) : engine_{seed} {}
  /// below(n): 0 to n - 1. one_in(n): true once in n throws. within(range): a time below it.
  [[nodiscard]] std::size_t below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }
  [[nodiscard]] bool one_in(std::size_t n) { return below(n) == 0; }
  [[nodiscard]] conclave::steady_time within(conclave::steady_time range) {
    return conclave::steady_time{below(static_cast<std::size_t>(range.count()) + 1)};
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace demo
