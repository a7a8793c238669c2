// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Servers to talk to: a real one, which can be killed and started again; one that answers what a test says; and a relay
/// in front of a real one that loses answers. All of them on this machine only, and gone with the test.
#pragma once

#include "support/folder.hpp"

#include <conclave/delivery/redis.hpp>

#include <atomic>
#include <csignal>
#include <thread>

#include <arpa/inet.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace redis_test {

using namespace conclave;
using conclave_test::folder;
using delivery::redis;
using delivery::redis_address;
using delivery::redis_options;

/// start(words): a program, which ends no later than this one. end(pid): it is gone afterwards.
inline ::pid_t start(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const ::pid_t parent = ::getpid();
  const ::pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() == parent) ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  return pid;
}
inline void end(::pid_t& pid) {
  if (pid <= 0) return;
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  pid = -1;
}

/// server: a redis-server at a Unix socket that acknowledges only what is on the disk.
class server {
 public:
  server() { start_again(); }
  ~server() { end(pid_); }
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  [[nodiscard]] std::string socket() const { return files_ / "socket"; }
  [[nodiscard]] redis_options options() const {
    redis_options out;
    out.nodes = {{socket(), 0}};
    return out;
  }
  void kill() { end(pid_); }
  void start_again() {
    pid_ = start({"redis-server", "--port", "0", "--unixsocket", socket(), "--dir", files_ / ".", "--save", "",
                  "--appendonly", "yes", "--appendfsync", "always", "--logfile", files_ / "log"});
    REQUIRE(pid_ > 0);
  }

 private:
  folder files_;
  ::pid_t pid_ = -1;
};

/// listener: a TCP port of 127.0.0.1 with a thread that serves whoever connects, one after the other.
class listener {
 public:
  listener() {
    ::sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::socklen_t size = sizeof at;
    REQUIRE(socket_ >= 0);
    REQUIRE(::bind(socket_, reinterpret_cast<::sockaddr*>(&at), size) == 0);
    REQUIRE(::listen(socket_, 8) == 0);
    REQUIRE(::getsockname(socket_, reinterpret_cast<::sockaddr*>(&at), &size) == 0);
    port_ = ntohs(at.sin_port);
  }
  virtual ~listener() { ::close(socket_); }
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;

  [[nodiscard]] redis_address address() const { return {"127.0.0.1", port_}; }
  [[nodiscard]] redis_options options() const {
    redis_options out;
    out.nodes = {address()};
    return out;
  }
  /// served(): how many have connected.
  [[nodiscard]] int served() const { return served_; }

 protected:
  virtual void serve(int client) = 0;
  void run() {
    thread_ = std::thread([this] {
      while (!over_) {
        if (!readable(socket_, 10)) continue;
        const int client = ::accept(socket_, nullptr, nullptr);
        if (client < 0) continue;
        ++served_;
        serve(client);
        ::close(client);
      }
    });
  }
  void stop() {
    over_ = true;
    thread_.join();
  }
  [[nodiscard]] bool over() const { return over_; }
  [[nodiscard]] static bool readable(int socket, int milliseconds) {
    ::pollfd wait{socket, POLLIN, 0};
    return ::poll(&wait, 1, milliseconds) == 1;
  }
  static bool send_all(int socket, std::string_view rest) {
    while (!rest.empty()) {
      const ::ssize_t n = ::send(socket, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      rest.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

 private:
  int socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int port_ = 0;
  std::atomic<bool> over_ = false;
  std::atomic<int> served_ = 0;
  std::thread thread_;
};

/// liar: answers the same to everything; where `hangs_up`, it closes the connection after that.
class liar final : public listener {
 public:
  explicit liar(std::string answer, bool hangs_up = false) : answer_{std::move(answer)}, hangs_up_{hangs_up} { run(); }
  ~liar() override { stop(); }

 private:
  void serve(int client) override {
    std::array<char, 65536> asked;
    while (!over()) {
      if (!readable(client, 10)) continue;
      if (::recv(client, asked.data(), asked.size(), 0) <= 0) return;
      // "%" stands for this server's own port
      std::string answer = answer_;
      if (const auto at = answer.find('%'); at != answer.npos) answer.replace(at, 1, std::to_string(address().port));
      if (!send_all(client, answer) || hangs_up_) return;
    }
  }

  std::string answer_;
  bool hangs_up_;
};

/// lossy: passes everything on to a real server, and hangs up in place of the first `loses` answers.
class lossy final : public listener {
 public:
  lossy(const server& to, int loses) : socket_{to.socket()}, loses_{loses} { run(); }
  ~lossy() override { stop(); }

 private:
  void serve(int client) override {
    const int behind = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::sockaddr_un at{};
    at.sun_family = AF_UNIX;
    socket_.copy(at.sun_path, sizeof at.sun_path - 1);
    if (::connect(behind, reinterpret_cast<::sockaddr*>(&at), sizeof at) == 0) pass(client, behind);
    ::close(behind);
  }
  void pass(int client, int behind) {
    std::array<char, 65536> part;
    while (!over()) {
      if (readable(client, 5)) {
        const ::ssize_t n = ::recv(client, part.data(), part.size(), 0);
        if (n <= 0 || !send_all(behind, {part.data(), static_cast<std::size_t>(n)})) return;
      }
      if (readable(behind, 5)) {
        const ::ssize_t n = ::recv(behind, part.data(), part.size(), 0);
        if (n <= 0 || loses_-- > 0) return;
        if (!send_all(client, {part.data(), static_cast<std::size_t>(n)})) return;
      }
    }
  }

  std::string socket_;
  std::atomic<int> loses_;
};

inline const bytes meeting_id{0xc0, 0x0c, 0x1a, 0xfe};

/// a_message(type, epoch, text): one for everybody, as a delivery service sees it.
inline bytes a_message(mls::content_type type, std::uint64_t epoch, std::string_view text) {
  mls::message out;
  out.format = mls::wire_format::private_message;
  out.private_message = {meeting_id, epoch, type, {}, as_bytes("who"), as_bytes(text)};
  return wire::encode(out);
}
inline bytes a_commit(std::uint64_t epoch, std::string_view text) {
  return a_message(mls::content_type::commit, epoch, text);
}
inline bytes a_proposal(std::uint64_t epoch, std::string_view text) {
  return a_message(mls::content_type::proposal, epoch, text);
}
inline bytes some_words(std::uint64_t epoch, std::string_view text) {
  return a_message(mls::content_type::application, epoch, text);
}
inline bytes an_entrance(std::uint64_t epoch, std::string_view tag) {
  mls::group_info info;
  info.context.group_id = meeting_id;
  info.context.epoch = epoch;
  info.confirmation_tag = as_bytes(tag);
  bytes out;
  writer w{out};
  wire::write(w, mls::protocol_version::mls10);
  wire::write(w, mls::wire_format::group_info);
  wire::write(w, info);
  return out;
}

inline redis at(environment& env, const redis_options& options, const delivery::redis_keeping& keeping = {}) {
  return *redis::open(env, meeting_id, options, keeping);
}

/// whole_log(at): every message, in order.
inline std::vector<redis::entry> whole_log(redis& from) {
  std::vector<redis::entry> out;
  for (redis::place after;;) {
    auto some = from.read(after);
    REQUIRE(some);
    if (some->empty()) return out;
    after = some->back().at;
    for (auto& each : *some) out.push_back(std::move(each));
  }
}

}  // namespace redis_test
