// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// redis_link: a way to one Redis server, or to the node of a cluster that has the keys, which is found again when it is
/// lost. hiredis follows no redirections; this does.
#pragma once

#include <conclave/crypto/provider.hpp>
#include <conclave/delivery/redis_connection.hpp>

#include <charconv>
#include <thread>

namespace conclave::inline CONCLAVE_ABI::delivery {

namespace rules {
inline constexpr rule redis_redirects{"the nodes of a cluster send each other's way in a circle",
                                      "Redis cluster specification, redirection"};
inline constexpr rule redis_allows{"the server does not let this user do that", "delivery/redis_link.hpp"};
inline constexpr rule redis_can{"the server cannot do that", "delivery/redis_link.hpp"};
}  // namespace rules

/// redis_options: where the servers are, and how long to wait for them.
struct redis_options {
  /// Any of these: in a cluster, the one that has the keys is found from there.
  std::vector<redis_address> nodes{redis_address{}};
  std::string user{};      ///< for AUTH; without one, the default user
  std::string password{};  ///< where there is none, no AUTH
  steady_time connect{2000};
  steady_time answer{5000};      ///< for the answer to one command, beyond what the command itself waits
  steady_time patience{10'000};  ///< for one call altogether, with what is repeated of it
};

namespace detail {

/// redis_hex(bytes): two digits for each.
[[nodiscard]] inline std::string redis_hex(byte_view from) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const unsigned byte : from) out += {digits[byte >> 4U], digits[byte & 15U]};
  return out;
}

/// redis_redirection: "MOVED 3999 127.0.0.1:6381", and ASK likewise: where to; at `from` where the host is left out.
[[nodiscard]] inline std::optional<redis_address> redis_redirection(std::string_view error, const redis_address& from) {
  const auto space = error.rfind(' '), colon = error.rfind(':');
  if (space == error.npos || colon == error.npos || colon < space || error.size() > limits::name_bytes)
    return std::nullopt;
  redis_address out{std::string{error.substr(space + 1, colon - space - 1)}, 0};
  const char* end = error.data() + error.size();
  const auto [last, bad] = std::from_chars(error.data() + colon + 1, end, out.port);
  if (bad != std::errc{} || last != end || out.port <= 0 || out.port > 65535 || out.host.starts_with('/'))
    return std::nullopt;
  if (out.host.empty()) out.host = from.host;
  return out;
}

/// redis_later(error): an error that passes: a server that starts or fails over, a slot that moves.
[[nodiscard]] inline bool redis_later(std::string_view error) noexcept {
  for (const std::string_view word :
       {"LOADING ", "TRYAGAIN ", "CLUSTERDOWN ", "MASTERDOWN ", "READONLY ", "BUSY ", "UNBLOCKED "})
    if (error.starts_with(word)) return true;
  return false;
}

}  // namespace detail

/// redis_script: a Lua script, and the name under which a server knows it once it has run it.
class redis_script {
 public:
  explicit redis_script(std::string_view text) : text_{text} {
    if (!default_provider::supports(hash_id::sha1)) return;
    std::array<std::uint8_t, 20> digest;
    default_provider::hash(hash_id::sha1, std::array{as_bytes(text)}, digest);
    name_ = detail::redis_hex(digest);
  }
  [[nodiscard]] std::string_view text() const noexcept { return text_; }
  /// name(): empty where nobody here serves SHA-1, which is all that Redis knows scripts by.
  [[nodiscard]] std::string_view name() const noexcept { return name_; }

 private:
  std::string_view text_;
  std::string name_;
};

/// redis_link: Move-only. It connects when it is first used. A command whose answer was lost is sent again, so every
/// command is one that may be carried out twice. Threads: one at a time. Lifetime: the environment outlives it.
class redis_link {
 public:
  redis_link(environment& env, redis_options options) : env_{&env}, options_{std::move(options)} {}

  /// call(words, wait): the answer, no error of the server's among them; `wait` is how long the command itself takes at
  /// most. Errors: storage (no server in all the patience there is; or it cannot do that, with the rule), malformed,
  /// over_limit (its answer), refused (the user is not allowed to), misuse (no address).
  [[nodiscard]] result<redis_reply> call(std::span<const byte_view> words, steady_time wait = {}) {
    CONCLAVE_TRY(auto answer, send(words, wait));
    if (const auto error = (*answer).error()) return meaning(*error);
    return answer;
  }

  /// run(script, keys, arguments): by the script's name, and by its text where the server does not know it yet.
  [[nodiscard]] result<redis_reply> run(const redis_script& script, std::span<const std::string> keys,
                                        std::span<const byte_view> arguments) {
    const std::string count = std::to_string(keys.size());
    std::vector<byte_view> words{as_bytes("EVALSHA"), as_bytes(script.name()), as_bytes(count)};
    for (const std::string& key : keys) words.push_back(as_bytes(key));
    words.insert(words.end(), arguments.begin(), arguments.end());
    if (!script.name().empty()) {
      CONCLAVE_TRY(auto answer, send(words, {}));
      const auto error = (*answer).error();
      if (!error) return answer;
      if (!error->starts_with("NOSCRIPT ")) return meaning(*error);
    }
    words[0] = as_bytes("EVAL");
    words[1] = as_bytes(script.text());
    return call(words);
  }

 private:
  [[nodiscard]] static failure meaning(std::string_view error) noexcept {
    for (const std::string_view word : {"NOAUTH ", "WRONGPASS ", "NOPERM "})
      if (error.starts_with(word)) return {errc::refused, rules::redis_allows};
    return {errc::storage, rules::redis_can};
  }

  /// The answer of the server that is responsible, be it an error.
  [[nodiscard]] result<redis_reply> send(std::span<const byte_view> words, steady_time wait) {
    if (options_.nodes.empty()) return errc::misuse;
    const steady_time deadline = env_->steady() + options_.patience + wait;
    steady_time pause{5};
    for (unsigned redirected = 0;;) {
      auto answer = once(words, wait, deadline);
      if (!answer) {
        connection_.reset();
        if (answer.error() != errc::storage) return answer.error();
        forget_home();
      } else if (const auto error = (**answer).error(); !error) {
        return answer;
      } else if (error->starts_with("MOVED ") || error->starts_with("ASK ")) {
        const auto to = detail::redis_redirection(*error, at_);
        if (!to) return failure{errc::malformed, rules::redis_answers};
        if (++redirected > limits::redis_redirections) return failure{errc::storage, rules::redis_redirects};
        connection_.reset();
        (error->starts_with("ASK ") ? asked_ : home_) = *to;
        continue;
      } else if (!detail::redis_later(*error)) {
        return answer;
      } else if (error->starts_with("READONLY ")) {
        connection_.reset();
        forget_home();
      }
      if (env_->steady() + pause >= deadline) return failure{errc::storage, rules::redis_is_there};
      redirected = 0;
      std::this_thread::sleep_for(pause);
      pause = std::min(pause * 2, steady_time{200});
    }
  }

  [[nodiscard]] result<redis_reply> once(std::span<const byte_view> words, steady_time wait, steady_time deadline) {
    const auto until = [&](steady_time most) { return std::min(env_->steady() + most, deadline); };
    const bool asking = asked_.has_value();
    if (!connection_) {
      at_ = asking ? *asked_ : home_ ? *home_ : options_.nodes[node_ % options_.nodes.size()];
      asked_.reset();
      CONCLAVE_TRY(auto opened, redis_connection::open(*env_, at_, until(options_.connect)));
      connection_.emplace(std::move(opened));
      CONCLAVE_CHECK(sign_in(until(options_.answer)));
      if (asking) {
        const std::array ask{as_bytes("ASKING")};
        CONCLAVE_TRY(const auto may, connection_->call(ask, until(options_.answer)));
        if ((*may).error()) return failure{errc::storage, rules::redis_can};
      }
    }
    auto answer = connection_->call(words, until(options_.answer + wait));
    if (asking) connection_.reset();  // for this once: the keys are still at home
    return answer;
  }

  [[nodiscard]] status sign_in(steady_time deadline) {
    if (options_.password.empty()) return {};
    std::vector<byte_view> words{as_bytes("AUTH")};
    if (!options_.user.empty()) words.push_back(as_bytes(options_.user));
    words.push_back(as_bytes(options_.password));
    CONCLAVE_TRY(const auto answer, connection_->call(words, deadline));
    const auto error = (*answer).error();
    if (error && !detail::redis_later(*error)) return failure{errc::refused, rules::redis_allows};
    return error ? failure{errc::storage, rules::redis_is_there} : status{};
  }

  /// Who sent us there may know better by now; another node may be there where one is not.
  void forget_home() noexcept {
    if (!std::exchange(home_, std::nullopt)) ++node_;
    asked_.reset();
  }

  environment* env_;
  redis_options options_;
  std::optional<redis_connection> connection_;
  redis_address at_;  // of the connection
  std::optional<redis_address> home_, asked_;
  std::size_t node_ = 0;
};

}  // namespace conclave::delivery
