// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A cluster of three servers on this machine: meetings spread over it, each of them whole on one node; slots move while
// messages are sent; nodes are killed.
#include "redis/server.hpp"

namespace redis_test {
namespace cluster {

/// ends_well(command): a shell command, in at most `most`.
bool ends_well(const std::string& command, std::chrono::seconds most = std::chrono::seconds{60}) {
  ::pid_t pid = start({"sh", "-c", "exec " + command + " > /dev/null 2>&1"});
  for (const auto until = std::chrono::steady_clock::now() + most; std::chrono::steady_clock::now() < until;) {
    int how = 0;
    if (::waitpid(pid, &how, WNOHANG) == pid) return how == 0;
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  end(pid);
  return false;
}

/// three_nodes: masters without replicas, at ports of 127.0.0.1 that were free.
class three_nodes {
 public:
  three_nodes() {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      nodes[i] = {"127.0.0.1", free_port()};
      bus_[i] = free_port();
      std::filesystem::create_directory(folder_of(i));
      start_again(i);
    }
    std::string command = "redis-cli --cluster create --cluster-yes";
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      REQUIRE(text(i, {"PING"}) == "PONG");
      command += " 127.0.0.1:" + std::to_string(nodes[i].port);
    }
    REQUIRE(ends_well(command));
  }
  ~three_nodes() {
    for (::pid_t& each : pids_) end(each);
  }
  three_nodes(const three_nodes&) = delete;
  three_nodes& operator=(const three_nodes&) = delete;

  void kill(std::size_t i) { end(pids_[i]); }
  void start_again(std::size_t i) {
    pids_[i] = start({"redis-server",
                      "--bind",
                      "127.0.0.1",
                      "--port",
                      std::to_string(nodes[i].port),
                      "--cluster-port",
                      std::to_string(bus_[i]),
                      "--cluster-enabled",
                      "yes",
                      "--cluster-node-timeout",
                      "2000",
                      "--dir",
                      folder_of(i),
                      "--save",
                      "",
                      "--appendonly",
                      "yes",
                      "--appendfsync",
                      "always",
                      "--logfile",
                      folder_of(i) + "/log"});
    REQUIRE(pids_[i] > 0);
  }

  [[nodiscard]] redis_options options() const {
    redis_options out;
    out.nodes.assign(nodes.begin(), nodes.end());
    out.patience = steady_time{20'000};
    return out;
  }
  /// ask(i, words): what one node answers. text(i, words): likewise, as text.
  [[nodiscard]] delivery::redis_reply ask(std::size_t i, const std::vector<std::string>& words) {
    redis_options only;
    only.nodes = {nodes[i]};
    delivery::redis_link link(env_, only);
    std::vector<byte_view> views;
    for (const std::string& word : words) views.push_back(as_bytes(word));
    auto answer = link.call(views);
    CAPTURE(words);
    REQUIRE(answer);
    return *std::move(answer);
  }
  [[nodiscard]] std::string text(std::size_t i, const std::vector<std::string>& words) {
    const auto answer = ask(i, words);
    REQUIRE((*answer).string());
    return std::string{as_text(*(*answer).string())};
  }
  /// keys(i, pattern): how many of them a node has.
  [[nodiscard]] std::size_t keys(std::size_t i, const std::string& pattern) {
    return (*ask(i, {"KEYS", pattern})).size();
  }

  /// move(key, from, to, meanwhile): the slot of a key, as the cluster specification has it. `meanwhile` is called when the
  /// keys are there already, and the slot is not.
  template <class F>
  void move(const std::string& key, std::size_t from, std::size_t to, F&& meanwhile) {
    const std::string slot =
        text(from, {"EVAL", "return tostring(redis.call('CLUSTER', 'KEYSLOT', ARGV[1]))", "0", key});
    const std::string old_home = text(from, {"CLUSTER", "MYID"}), new_home = text(to, {"CLUSTER", "MYID"});
    CHECK(text(to, {"CLUSTER", "SETSLOT", slot, "IMPORTING", old_home}) == "OK");
    CHECK(text(from, {"CLUSTER", "SETSLOT", slot, "MIGRATING", new_home}) == "OK");
    const auto all = ask(from, {"CLUSTER", "GETKEYSINSLOT", slot, "1000"});
    std::vector<std::string> migrate{"MIGRATE", "127.0.0.1", std::to_string(nodes[to].port), "", "0", "5000", "KEYS"};
    for (std::size_t i = 0; i < (*all).size(); ++i) migrate.emplace_back(as_text(*(*all)[i].string()));
    CHECK(text(from, migrate) == "OK");
    meanwhile();
    CHECK(text(to, {"CLUSTER", "SETSLOT", slot, "NODE", new_home}) == "OK");
    CHECK(text(from, {"CLUSTER", "SETSLOT", slot, "NODE", new_home}) == "OK");
  }

  std::array<redis_address, 3> nodes;

 private:
  [[nodiscard]] static int free_port() {
    class quiet final : public listener {
      void serve(int) override {}
    };
    return quiet{}.address().port;
  }
  [[nodiscard]] std::string folder_of(std::size_t i) const { return files_ / std::to_string(i); }

  folder files_;
  system_environment env_;
  std::array<int, 3> bus_{};
  std::array<::pid_t, 3> pids_{-1, -1, -1};
};

std::string log_of(std::uint8_t i) { return "conclave:{" + delivery::detail::redis_hex(bytes{i, 1, 2, 3}) + "}:log"; }
bytes commit_of(byte_view meeting, std::uint64_t epoch) {
  mls::message out;
  out.format = mls::wire_format::private_message;
  out.private_message = {meeting, epoch, mls::content_type::commit, {}, as_bytes("who"), as_bytes("x")};
  return wire::encode(out);
}

}  // namespace cluster

using namespace cluster;

TEST_CASE("a cluster: meetings spread over the nodes, move while they are used, and outlive a node that is killed",
          "[slow]") {
  three_nodes all;  // each with a third of the slots
  system_environment env;
  constexpr std::uint8_t count = 24;
  std::vector<redis> meetings;
  for (std::uint8_t i = 0; i < count; ++i) {
    meetings.push_back(*redis::open(env, bytes{i, 1, 2, 3}, all.options()));
    REQUIRE(*meetings[i].send(commit_of(bytes{i, 1, 2, 3}, 0)) == redis::place{1, 0});
    REQUIRE(meetings[i].publish_key_package("bob", as_bytes("a package")));
  }
  std::vector<std::uint8_t> on_first;
  std::size_t logs = 0;
  for (std::size_t node = 0; node < 3; ++node) {
    CAPTURE(node);
    const std::size_t here = all.keys(node, "conclave:*:log");
    CHECK(here > 0);
    CHECK(here == all.keys(node, "conclave:*:key_packages:*"));  // what belongs together lies together
    logs += here;
  }
  CHECK(logs == count);
  for (std::uint8_t i = 0; i < count; ++i)
    if (all.keys(0, log_of(i)) == 1) on_first.push_back(i);

  // all that the first node has goes to the second, while messages are sent to all meetings
  std::atomic<bool> over = false;
  std::uint64_t epoch = 1, failures = 0;
  std::thread sends([&] {
    for (; !over; ++epoch)
      for (std::uint8_t i = 0; i < count; ++i) {
        const auto at_once = meetings[i].send(commit_of(bytes{i, 1, 2, 3}, epoch));
        failures += !at_once || *at_once != redis::place{epoch + 1, 0};
      }
  });
  for (const std::uint8_t i : on_first) {
    redis reader = *redis::open(env, bytes{i, 1, 2, 3}, all.options());
    CHECK((*reader.read({}, {}, 1)).size() == 1);  // it knows the old home now
    all.move(log_of(i), 0, 1, [&] { CHECK((*reader.read({}, {}, 1)).size() == 1); });
    CHECK((*reader.read({}, {}, 1)).size() == 1);
  }
  over = true;
  sends.join();
  CHECK(failures == 0);
  CHECK(all.keys(0, "*") == 0);
  for (std::uint8_t i = 0; i < count; ++i) CHECK(whole_log(meetings[i]).size() == epoch);

  all.kill(1);
  std::vector<std::thread> waiting;
  std::atomic<int> sent = 0;
  for (std::uint8_t i = 0; i < count; ++i)
    waiting.emplace_back([&, i] {
      const auto later = meetings[i].send(commit_of(bytes{i, 1, 2, 3}, epoch));
      sent += later && *later == redis::place{epoch + 1, 0};
    });
  std::this_thread::sleep_for(steady_time{300});
  all.start_again(1);
  for (std::thread& each : waiting) each.join();
  CHECK(sent == count);
  for (std::uint8_t i = 0; i < count; ++i) CHECK(whole_log(meetings[i]).size() == epoch + 1);
}

}  // namespace redis_test
