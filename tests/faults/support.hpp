// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Doing something over and over, with a fault at each place where one can strike, until none does any more. What was
/// struck has to fail and to change nothing, so that it can be done again with the same objects: that it succeeds in the
/// end, where everything was in vain before, is half of the proof.
#pragma once

#include "memory.hpp"

#include <support/deterministic_environment.hpp>

#include <conclave/simd/dispatch.hpp>

#include <catch2/catch.hpp>

#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace faults {

using namespace conclave;
using conclave_test::deterministic_environment;

/// summary(operation, fault, points, outcome): a row of the table in docs/faults.md, printed where CONCLAVE_TABLE is set.
inline void summary(const std::string& operation, const char* fault, std::size_t points, const std::string& outcome) {
  if (std::getenv("CONCLAVE_TABLE") != nullptr)
    std::printf("| %s | %s | %zu | %s |\n", operation.c_str(), fault, points, outcome.c_str());
}

/// failed(outcome): what it failed with; success where it did not.
inline constexpr errc success{};
template <class T>
[[nodiscard]] errc failed(const result<T>& outcome) {
  return outcome ? success : outcome.error().code();
}

struct nothing_to_see {
  int operator()() const { return 0; }
};

/// out_of_memory(operation, state, work): work() gives back what failed() says, and is called with its first allocation
/// failing, its second one, and so on. What reports errors of its own on the way is a library that catches exceptions.
template <class State, class Work>
void out_of_memory(const std::string& operation, State&& state, Work&& work) {
  std::size_t points = 0, reported = 0;
  for (;; ++points) {
    const auto was = state();
    bool thrown = false;
    errc error = success;
    try {
      const after_allocations limit(points + 1, after_allocations::then::bad_alloc);
      error = work();
    } catch (const std::bad_alloc&) {
      thrown = true;
    }
    INFO(operation << ", allocation " << points + 1);
    if (!struck()) {
      REQUIRE_FALSE(thrown);
      INFO(text(error));
      REQUIRE(error == success);
      break;
    }
    REQUIRE((thrown || error != success));
    reported += error != success ? 1 : 0;
    REQUIRE((state() == was));
    REQUIRE(points < 100'000);
  }
  // what a library allocates for its keys is no allocation of C++
  CHECK((points > 0 || simd::current<simd::aes_kernels>() == nullptr));
  summary(operation, "allocation fails", points,
          reported == 0 ? "bad_alloc, unchanged" : "bad_alloc or error, unchanged");
}

/// no_randomness(operation, env, state, work): the same with each call of the random source failing, and no other one.
template <class State, class Work>
void no_randomness(const std::string& operation, deterministic_environment& env, State&& state, Work&& work) {
  std::size_t points = 0;
  for (;; ++points) {
    const auto was = state();
    env.fail_once_after(points);
    const errc error = work();
    const bool was_struck = env.recover();
    INFO(operation << ", call of the random source " << points + 1);
    if (!was_struck) {
      REQUIRE(error == success);
      break;
    }
    REQUIRE(error == errc::no_entropy);
    REQUIRE((state() == was));
    REQUIRE(points < 10'000);
  }
  CHECK(points > 0);
  summary(operation, "random source fails", points, "no_entropy, unchanged");
}

/// in_child(work): work() in a process of its own. True where it crashed, as after_allocations does; false where it came
/// to its end.
template <class Work>
[[nodiscard]] bool in_child(Work&& work) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    try {
      work();
    } catch (...) {
      _exit(1);
    }
    _exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE((WEXITSTATUS(status) == crash_code || WEXITSTATUS(status) == 0));
  return WEXITSTATUS(status) == crash_code;
}

}  // namespace faults
