// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// redis_connection: one connection to one Redis server, through hiredis, which parses; what is read, how much of it and
/// for how long, is decided here. With CMake, link conclave::redis.
#pragma once

#include <conclave/environment.hpp>
#include <conclave/limits.hpp>

#include <hiredis/hiredis.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

namespace conclave::inline CONCLAVE_ABI::delivery {

namespace rules {
inline constexpr rule redis_is_there{
    "the server is not there, or did not answer in time: ask again with the same bytes",
    "delivery/redis_connection.hpp"};
inline constexpr rule redis_answers{"what the server answered is none", "delivery/redis_connection.hpp"};
inline constexpr rule redis_answer_fits{"the server's answer is too long", "delivery/redis_connection.hpp"};
}  // namespace rules

/// redis_address: a host and its port, or the path of a Unix socket, which begins with a slash.
struct redis_address {
  std::string host = "127.0.0.1";
  int port = 6379;

  friend bool operator==(const redis_address&, const redis_address&) = default;
};

/// redis_reply: what a server answered. Which of the views has a value is what it is.
class redis_reply {
 public:
  explicit redis_reply(::redisReply* owned) noexcept : owned_{owned} {}

  /// value: one reply, or one element of an array. Lives as long as the redis_reply.
  class value {
   public:
    explicit value(const ::redisReply* of) noexcept : of_{of} {}
    [[nodiscard]] bool is_nil() const noexcept { return of_->type == REDIS_REPLY_NIL; }
    /// error(): the line of an error. string(): of a bulk string, or of a status line.
    [[nodiscard]] std::optional<std::string_view> error() const noexcept {
      if (of_->type != REDIS_REPLY_ERROR) return std::nullopt;
      return std::string_view{of_->str, of_->len};
    }
    [[nodiscard]] std::optional<byte_view> string() const noexcept {
      if (of_->type != REDIS_REPLY_STRING && of_->type != REDIS_REPLY_STATUS) return std::nullopt;
      return as_bytes({of_->str, of_->len});
    }
    /// array(n): true for an array of n. size(): of an array, 0 for anything else. [i]: for i < size().
    [[nodiscard]] bool array(std::size_t n) const noexcept {
      return of_->type == REDIS_REPLY_ARRAY && of_->elements == n;
    }
    [[nodiscard]] std::size_t size() const noexcept { return of_->type == REDIS_REPLY_ARRAY ? of_->elements : 0; }
    [[nodiscard]] value operator[](std::size_t i) const noexcept { return value{of_->element[i]}; }

   private:
    const ::redisReply* of_;
  };
  [[nodiscard]] value operator*() const noexcept { return value{owned_.get()}; }

 private:
  struct closer {
    void operator()(::redisReply* reply) const noexcept { ::freeReplyObject(reply); }
  };
  std::unique_ptr<::redisReply, closer> owned_;
};

/// redis_connection: Move-only. After any failure it is of no more use. Threads: one at a time. Lifetime: the
/// environment outlives it; its steady clock runs.
class redis_connection {
 public:
  /// open(env, to, deadline): the deadline is a time of env.steady(); looking up a name may take longer. Errors: storage.
  [[nodiscard]] static result<redis_connection> open(environment& env, const redis_address& to, steady_time deadline) {
    const auto left = std::max<std::int64_t>((deadline - env.steady()).count(), 1);
    const ::timeval patience{static_cast<::time_t>(left / 1000), static_cast<::suseconds_t>(left % 1000 * 1000)};
    redis_connection out(env, to.host.starts_with('/') ? ::redisConnectUnixWithTimeout(to.host.c_str(), patience)
                                                       : ::redisConnectWithTimeout(to.host.c_str(), to.port, patience));
    if (out.context_ == nullptr || out.context_->err != 0) return failure{errc::storage, rules::redis_is_there};
    out.bound_reader();
    ::fcntl(out.context_->fd, F_SETFD, FD_CLOEXEC);
#if defined(SO_NOSIGPIPE)
    const int on = 1;
    ::setsockopt(out.context_->fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
    return out;
  }

  /// call(words, deadline): a command and the answer to it, which may be an error of the server's. Errors: storage (the
  /// connection is gone, or the deadline passed: whether the command was carried out is open), malformed (no answer of
  /// the protocol), over_limit (an answer of more than limits::redis_reply_bytes or redis_reply_elements).
  [[nodiscard]] result<redis_reply> call(std::span<const byte_view> words, steady_time deadline) {
    if (context_->reader->pos != context_->reader->len) return failure{errc::malformed, rules::redis_answers};
    CONCLAVE_CHECK(write(words, deadline));
    return read(deadline);
  }

 private:
  struct closer {
    void operator()(::redisContext* context) const noexcept { ::redisFree(context); }
  };
  /// What the reader of hiredis makes its arrays with: it allocates as many elements as a server announces.
  struct bounds {
    ::redisReplyObjectFunctions functions;
    decltype(::redisReplyObjectFunctions::createArray) create_array;
    std::size_t elements_left = 0;
    bool exceeded = false;
  };

  redis_connection(environment& env, ::redisContext* context) : env_{&env}, context_{context} {}

  template <class Count>
  static void* create_bounded_array(const ::redisReadTask* task, Count elements) {
    auto& own = *static_cast<bounds*>(task->privdata);
    const auto n = static_cast<std::size_t>(elements);
    own.exceeded = n > own.elements_left;
    if (own.exceeded) return nullptr;
    own.elements_left -= n;
    return own.create_array(task, elements);
  }
  void bound_reader() {
    ::redisReader& reader = *context_->reader;
    bounds_ = std::make_unique<bounds>(bounds{*reader.fn, reader.fn->createArray});
    bounds_->functions.createArray = &create_bounded_array;
    reader.fn = &bounds_->functions;
    reader.privdata = bounds_.get();
  }

  [[nodiscard]] status write(std::span<const byte_view> words, steady_time deadline) {
    std::vector<const char*> starts;
    std::vector<std::size_t> sizes;
    for (const byte_view word : words) {
      starts.push_back(as_text(word).data());
      sizes.push_back(word.size());
    }
    char* formatted = nullptr;
    const int size = ::redisFormatCommandArgv(&formatted, static_cast<int>(words.size()), starts.data(), sizes.data());
    if (size < 0) return errc::misuse;
    const std::unique_ptr<char, void (*)(char*)> owned(formatted, &::redisFreeCommand);
#if defined(MSG_NOSIGNAL)
    constexpr int flags = MSG_NOSIGNAL | MSG_DONTWAIT;  // hiredis's own write would end the program with SIGPIPE
#else
    constexpr int flags = MSG_DONTWAIT;
#endif
    for (std::string_view rest{formatted, static_cast<std::size_t>(size)}; !rest.empty();) {
      const ::ssize_t n = ::send(context_->fd, rest.data(), rest.size(), flags);
      if (n > 0)
        rest.remove_prefix(static_cast<std::size_t>(n));
      else
        CONCLAVE_CHECK(wait(n, POLLOUT, deadline));
    }
    return {};
  }

  [[nodiscard]] result<redis_reply> read(steady_time deadline) {
    *bounds_ = {bounds_->functions, bounds_->create_array, limits::redis_reply_elements};
    std::array<char, 16384> part;
    for (std::size_t got = 0;;) {
      void* reply = nullptr;
      if (::redisReaderGetReply(context_->reader, &reply) != REDIS_OK)
        return bounds_->exceeded ? failure{errc::over_limit, rules::redis_answer_fits}
                                 : failure{errc::malformed, rules::redis_answers};
      if (reply != nullptr) return redis_reply{static_cast<::redisReply*>(reply)};
      const ::ssize_t n = ::recv(context_->fd, part.data(), part.size(), MSG_DONTWAIT);
      if (n <= 0) {
        CONCLAVE_CHECK(wait(n, POLLIN, deadline));
        continue;
      }
      got += static_cast<std::size_t>(n);
      if (got > limits::redis_reply_bytes) return failure{errc::over_limit, rules::redis_answer_fits};
      if (::redisReaderFeed(context_->reader, part.data(), static_cast<std::size_t>(n)) != REDIS_OK)
        return failure{errc::malformed, rules::redis_answers};
    }
  }

  /// Until the socket is ready after a call that returned `n`; storage where it never will be, or the deadline comes first.
  [[nodiscard]] status wait(::ssize_t n, short events, steady_time deadline) {
    if (n < 0 && errno == EINTR) return {};
    if (n == 0 || errno != EAGAIN) return failure{errc::storage, rules::redis_is_there};
    const auto left = (deadline - env_->steady()).count();
    ::pollfd socket{context_->fd, events, 0};
    if (left <= 0 || ::poll(&socket, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000))) < 0)
      return left > 0 && errno == EINTR ? status{} : failure{errc::storage, rules::redis_is_there};
    return {};
  }

  environment* env_;
  std::unique_ptr<bounds> bounds_;  // outlives the context, whose reader points to it
  std::unique_ptr<::redisContext, closer> context_;
};

}  // namespace conclave::delivery
