// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// stage: starts the servers and the participants, kills some of each, reads the log beside them, and compares in the end.
#pragma once

#include "participant.hpp"
#include "process.hpp"

#include <set>

namespace demo {

struct plan {
  std::string program;  ///< this one
  std::string out;
  std::size_t people = 50;
  std::size_t nodes = 1;  ///< more than one: a cluster
  std::size_t kills = 3;
  std::uint64_t epochs = 60;
  std::size_t contenders = 8;
  std::size_t messages = 5;
  int seconds = 180;
};

class stage {
 public:
  explicit stage(const plan& p) : plan_{p}, people_folder_{p.out + "/people"} {}

  /// run(): what went wrong, or nothing.
  [[nodiscard]] std::string run() {
    const auto began = env_.steady();
    until_ = began + std::chrono::seconds{plan_.seconds};
    for (auto work : {&stage::make_folders, &stage::start_servers, &stage::watch, &stage::compare})
      if (auto bad = (this->*work)(); !bad.empty()) return bad;
    std::printf("  time            %.1f s\n", static_cast<double>((env_.steady() - began).count()) / 1000);
    return {};
  }

 private:
  struct heard {
    redis_place at;
    fingerprint of;
    friend bool operator==(const heard&, const heard&) = default;
  };

  [[nodiscard]] std::string node_folder(std::size_t i) const { return plan_.out + "/node" + std::to_string(i); }
  [[nodiscard]] std::string make_folders() {
    std::error_code failed;
    std::filesystem::remove_all(people_folder_, failed);
    std::filesystem::create_directories(people_folder_, failed);
    for (std::size_t i = 0; i < plan_.nodes && !failed; ++i) {
      std::filesystem::remove_all(node_folder(i), failed);
      std::filesystem::create_directories(node_folder(i), failed);
    }
    return failed ? plan_.out + ": " + failed.message() : std::string{};
  }

  // ---- servers ---------------------------------------------------------------------------------------------------

  [[nodiscard]] std::string start_servers() {
    for (std::size_t i = 0; i < plan_.nodes; ++i) {
      servers_.emplace_back(node_folder(i), plan_.nodes > 1);
      if (!servers_.back().start(env_)) return "no redis-server starts; see " + node_folder(i) + "/log";
      addresses_.push_back(servers_.back().address());
    }
    return plan_.nodes > 1 ? make_cluster() : std::string{};
  }
  [[nodiscard]] std::string make_cluster() {
    std::string command = "exec redis-cli --cluster create";
    for (const auto& each : addresses_) command += " 127.0.0.1:" + std::to_string(each.port);
    process creates({"sh", "-c", command + " --cluster-yes > " + node_folder(0) + "/create 2>&1"});
    std::optional<int> how;
    while (!(how = creates.ended()) && env_.steady() < until_)
      std::this_thread::sleep_for(std::chrono::milliseconds{50});
    return how == 0 ? std::string{} : "no cluster; see " + node_folder(0) + "/create";
  }
  /// Kills all servers and starts them again; what had been read before is there, byte for byte.
  [[nodiscard]] std::string restart_servers() {
    const auto before = log_;
    for (auto& each : servers_) each.kill();
    std::this_thread::sleep_for(std::chrono::milliseconds{500});
    for (auto& each : servers_)
      if (!each.start(env_)) return "the server does not start again";
    log_.clear();
    while (log_.size() < before.size()) {
      const auto size = log_.size();
      if (auto bad = follow({}); !bad.empty()) return bad;
      if (log_.size() == size) break;
    }
    if (log_.size() < before.size() || !std::equal(before.begin(), before.end(), log_.begin()))
      return "the server has lost what it had acknowledged";
    entries_at_restart_ = before.size();
    return {};
  }

  // ---- participants ----------------------------------------------------------------------------------------------

  [[nodiscard]] process start_person(std::size_t i) const {
    std::vector<std::string> words{plan_.program, "--part", std::to_string(i), "--out", people_folder_};
    const auto add = [&](const char* option, std::uint64_t value) {
      words.insert(words.end(), {option, std::to_string(value)});
    };
    add("--people", plan_.people);
    add("--epochs", plan_.epochs);
    add("--contenders", plan_.contenders);
    add("--messages", plan_.messages);
    add("--seconds", static_cast<std::uint64_t>(plan_.seconds));
    if (i == 1 && plan_.kills > 0) add("--dies-after", plan_.epochs * 7 / 10);
    for (const auto& each : addresses_) add("--port", static_cast<std::uint64_t>(each.port));
    return process(std::move(words));
  }

  /// Until all have ended as they should. In the second half some are killed, and the server is.
  [[nodiscard]] std::string watch() {
    for (std::size_t i = 0; i < plan_.people; ++i) people_.push_back(start_person(i));
    std::printf("%zu participants, each a process of its own, and %zu of redis-server on loopback\n", plan_.people,
                plan_.nodes);
    for (std::size_t here = plan_.people; here > 0;) {
      if (env_.steady() > until_) return "it took too long, in epoch " + std::to_string(epoch());
      if (auto bad = follow(std::chrono::milliseconds{50}); !bad.empty()) return bad;
      if (auto bad = disturb(); !bad.empty()) return bad;
      for (std::size_t i = 0; i < plan_.people; ++i) {
        const auto how = people_[i].ended();
        if (!how) continue;
        if (WIFSIGNALED(*how) && WTERMSIG(*how) == SIGKILL) {
          ++died_;
          std::printf("epoch %3llu: person %zu has died between sending a commit and applying it\n", epoch(), i);
          people_[i] = start_person(i);
        } else if (*how != 0) {
          return "person " + std::to_string(i) + " failed";
        } else {
          --here;
        }
      }
    }
    return follow({});
  }
  [[nodiscard]] unsigned long long epoch() const { return log_.empty() ? 0 : log_.back().at.epoch; }

  [[nodiscard]] std::string disturb() {
    if (killed_ < plan_.kills && epoch() >= plan_.epochs * (4 + 2 * killed_) / (4 + 2 * plan_.kills)) {
      const std::size_t who = plan_.people - 1 - killed_;  // neither who admits nor who dies by itself
      if (people_[who].running()) {
        people_[who].kill();
        std::printf("epoch %3llu: person %zu is killed, and starts again\n", epoch(), who);
        people_[who] = start_person(who);
      }
      ++killed_;
    }
    if (entries_at_restart_ == 0 && plan_.kills > 0 && epoch() >= plan_.epochs / 2) {
      std::printf("epoch %3llu: the server is killed, and starts again\n", epoch());
      return restart_servers();
    }
    return {};
  }

  /// Reads the log as everybody else does.
  [[nodiscard]] std::string follow(cv::steady_time wait) {
    if (!net_) {
      const cv::bytes meeting = read_whole(people_folder_ + "/meeting");
      if (meeting.empty()) {
        std::this_thread::sleep_for(wait);
        return {};
      }
      auto net = delivery_of(env_, meeting, addresses_);
      if (!net) return explain("the log", net.error());
      net_.emplace(*std::move(net));
    }
    const auto some = net_->read(log_.empty() ? redis_place{} : log_.back().at, wait);
    if (!some) return explain("the log", some.error());
    for (const auto& entry : *some) log_.push_back({entry.at, fingerprint_of(entry.message)});
    return {};
  }

  // ---- the end ---------------------------------------------------------------------------------------------------

  [[nodiscard]] std::string compare() {
    std::map<fingerprint, std::size_t> authors;
    std::size_t tried = 0, commits = 0, messages = 0, sent = 0;
    for (std::size_t i = 0; i < plan_.people; ++i)
      for (const auto& [of, what] : journal::read(people_folder_ + "/" + std::to_string(i) + ".journal")) {
        if (!authors.emplace(of, i).second) return "two participants wrote the same message";
        ++(what == intent::commit ? tried : sent);
      }
    std::set<fingerprint> seen;
    for (const heard& entry : log_) {
      if (!authors.contains(entry.of)) return "nobody wrote a message of the log";
      if (!seen.insert(entry.of).second) return "a message is in the log twice";
      ++(entry.at.number == 0 ? commits : messages);
    }
    if (commits != epoch()) return "an epoch has another number of commits than one";

    tally all;
    std::set<std::string> codes;
    for (std::size_t i = 0; i < plan_.people; ++i) {
      const cv::bytes result = read_whole(people_folder_ + "/" + std::to_string(i) + ".result");
      cv::reader in{result};
      const auto counted = cv::wire::read<tally>(in);
      if (!counted) return "person " + std::to_string(i) + " left no result";
      codes.insert(std::string{cv::as_text(in.rest())});
      const auto concern = std::ranges::count_if(log_, [&](const heard& entry) {
        return entry.at.number != 0 && entry.at > redis_place{counted->first_epoch, 0};
      });
      if (counted->received + counted->own + counted->missed != static_cast<std::uint64_t>(concern))
        return "person " + std::to_string(i) + " has not counted what the log holds";
      if (counted->epoch != epoch()) return "person " + std::to_string(i) + " is in another epoch";
      all.received += counted->received;
      all.lost += counted->lost;
      all.missed += counted->missed;
      all.frames += counted->frames;
      all.restored += counted->restored;
      all.came_back += counted->came_back;
    }
    const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
    std::printf("\n  people          %zu processes\n", plan_.people);
    std::printf("  epochs          %llu, each begun by exactly one commit\n", epoch());
    std::printf("  commits         %zu tried, %zu accepted, %zu superseded\n", tried, commits, tried - commits);
    std::printf("  messages        %zu accepted of %zu tried, received %llu times, lost %llu\n", messages, sent,
                number(all.received), number(all.lost));
    std::printf("  frames          %llu opened, each identical to what was sealed\n", number(all.frames));
    std::printf(
        "  killed          %zu participants: restored %llu times from snapshots; %llu came back by the entrance, and "
        "missed %llu messages meanwhile\n",
        killed_ + died_, number(all.restored), number(all.came_back), number(all.missed));
    if (entries_at_restart_ > 0)
      std::printf("  server          killed after %zu messages, and had them all when it came back\n",
                  entries_at_restart_);
    std::printf("  code            %zu of %zu screens agree: %s\n", codes.size() == 1 ? plan_.people : 0, plan_.people,
                codes.begin()->c_str());
    if (codes.size() != 1) return "the security codes differ";
    if (all.lost != 0) return "messages were lost";
    if (all.restored != killed_ + died_) return "somebody who was killed did not come back";
    return {};
  }

  plan plan_;
  std::string people_folder_;
  cv::system_environment env_;
  cv::steady_time until_{};
  std::vector<redis_server> servers_;
  std::vector<cv::delivery::redis_address> addresses_;
  std::vector<process> people_;
  std::optional<cv::delivery::redis> net_;
  std::vector<heard> log_;
  std::size_t killed_ = 0, died_ = 0, entries_at_restart_ = 0;
};

}  // namespace demo
