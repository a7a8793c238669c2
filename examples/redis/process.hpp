// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Programs that are started, watched and killed, and the Redis servers among them. All of them end with this one.
#pragma once

#include <conclave/delivery/redis_link.hpp>

#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace demo {

/// process: one that was started. Move-only; it is killed with this object.
class process {
 public:
  process() = default;
  explicit process(std::vector<std::string> words) {
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const ::pid_t parent = ::getpid();
    id_ = ::fork();
    if (id_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() == parent) ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  process(process&& other) noexcept : id_{std::exchange(other.id_, -1)} {}
  process& operator=(process&& other) noexcept {
    if (this != &other) {
      kill();
      id_ = std::exchange(other.id_, -1);
    }
    return *this;
  }
  ~process() { kill(); }

  [[nodiscard]] bool running() const noexcept { return id_ > 0; }
  /// kill(): with SIGKILL; it is gone afterwards.
  void kill() noexcept {
    if (!running()) return;
    ::kill(id_, SIGKILL);
    ::waitpid(std::exchange(id_, -1), nullptr, 0);
  }
  /// ended(): how, as waitpid says, once it has.
  [[nodiscard]] std::optional<int> ended() noexcept {
    int how = 0;
    if (!running() || ::waitpid(id_, &how, WNOHANG) != id_) return std::nullopt;
    id_ = -1;
    return how;
  }

 private:
  ::pid_t id_ = -1;
};

/// free_port(): one that nobody listens on just now. 0 where there is none.
[[nodiscard]] inline int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::socklen_t size = sizeof at;
  const bool bound = ::bind(socket, reinterpret_cast<::sockaddr*>(&at), size) == 0 &&
                     ::getsockname(socket, reinterpret_cast<::sockaddr*>(&at), &size) == 0;
  ::close(socket);
  return bound ? ntohs(at.sin_port) : 0;
}

/// redis_server: one on loopback that acknowledges only what is on the disk.
class redis_server {
 public:
  redis_server(std::string folder, bool in_cluster) : folder_{std::move(folder)}, in_cluster_{in_cluster} {}

  [[nodiscard]] conclave::delivery::redis_address address() const { return {"127.0.0.1", port_}; }

  /// start(env): for the first time on a free port, later on the same one; it answers afterwards. False where it does not.
  [[nodiscard]] bool start(conclave::environment& env) {
    for (int attempt = 0; attempt < 3; ++attempt) {
      if (!started_) port_ = free_port(), bus_ = free_port();
      std::vector<std::string> words{"redis-server", "--bind",        "127.0.0.1", "--port",    std::to_string(port_),
                                     "--dir",        folder_,         "--save",    "",          "--appendonly",
                                     "yes",          "--appendfsync", "always",    "--logfile", folder_ + "/log"};
      if (in_cluster_) words.insert(words.end(), {"--cluster-enabled", "yes", "--cluster-port", std::to_string(bus_)});
      process_ = process(std::move(words));
      conclave::delivery::redis_options options;
      options.nodes = {address()};
      conclave::delivery::redis_link link(env, options);
      const std::array ping{conclave::as_bytes("PING")};
      if (link.call(ping)) return started_ = true;
      process_.kill();
    }
    return false;
  }
  void kill() { process_.kill(); }

 private:
  std::string folder_;
  bool in_cluster_;
  bool started_ = false;
  int port_ = 0, bus_ = 0;
  process process_;
};

}  // namespace demo
