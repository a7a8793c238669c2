// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Threads that a host lends change who computes, and nothing else.
#include "support.hpp"

#include <support/threads.hpp>

#include <new>

using namespace mls_test;

namespace executor_test {

constexpr std::size_t crowd_size = 300;

/// crowd: a group of one, and key packages of all the others.
struct crowd {
  deterministic_environment env{1};
  group_policy policy;
  client founder = make_client(env, "founder");
  std::vector<client> others;
  std::vector<prepared_key_package> packages;
  std::vector<bytes> messages;
  group room;

  explicit crowd(executor* workers)
      : policy{[&] {
          group_policy out;
          out.workers = workers;
          return out;
        }()},
        room{must(group::create(env, suite_1, founder.clone(), as_bytes("crowd"), {}, policy))} {
    for (std::size_t i = 0; i < crowd_size; ++i) {
      others.push_back(make_client(env, "person " + std::to_string(i)));
      packages.push_back(make_package(env, others.back()));
      messages.push_back(packages.back().message);
    }
  }
  [[nodiscard]] result<group::pending> add_all() {
    const std::vector<byte_view> add(messages.begin(), messages.end());
    return room.commit(env, {.add = add});
  }
};

/// everything_sent(workers): what a group sends that grows at once, and then has a commit to everybody by one who joined.
std::vector<bytes> everything_sent(executor* workers) {
  crowd c(workers);
  auto add = must(c.add_all());
  std::vector<bytes> out{to_bytes(add.message()), to_bytes(add.welcome())};
  must(c.room.apply(std::move(add)));
  auto joined = must(group::join(c.env, c.others[7].clone(), std::move(c.packages[7]), out[1], {}, c.policy));
  const auto next = must(joined.commit(c.env, {}));
  out.push_back(to_bytes(next.message()));
  must(c.room.process(c.env, out.back()));
  out.push_back(whole_state(c.room));
  return out;
}

struct backwards final : executor {
  void run(divided_work& work, std::size_t parts) override {
    while (parts-- > 0) work.part(parts);
  }
};

struct exhausted final : executor {
  void run(divided_work&, std::size_t) override { throw std::bad_alloc(); }
};

}  // namespace executor_test

TEST_CASE("an executor changes who computes, and no byte of what is sent") {
  using namespace executor_test;
  const auto alone = everything_sent(nullptr);
  conclave_test::threads three(3);
  CHECK(everything_sent(&three) == alone);
  // key packages to add, in the Welcome, in the joiner's tree and in its path
  CHECK(three.parts_run() >= 3 + 5 + 2 + 5);
  backwards other_order;
  CHECK(everything_sent(&other_order) == alone);
}

TEST_CASE("an executor finds the signature that is wrong, wherever it is") {
  using namespace executor_test;
  const std::size_t wrong = GENERATE(std::size_t{0}, std::size_t{130}, crowd_size - 1);
  conclave_test::threads three(3);
  crowd c(&three);
  c.messages[wrong].back() ^= 1;
  const bytes before = whole_state(c.room);
  check_fails(c.add_all(), errc::unauthentic, mls_test::rules::key_package_signature);
  CHECK(whole_state(c.room) == before);
}

TEST_CASE("an executor that has no memory left leaves the group as it was") {
  using namespace executor_test;
  exhausted none;
  crowd c(&none);
  const bytes before = whole_state(c.room);
  CHECK_THROWS_AS(c.add_all(), std::bad_alloc);
  CHECK(whole_state(c.room) == before);
}
