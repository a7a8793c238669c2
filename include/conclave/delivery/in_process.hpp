// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// in_process: a delivery service inside one process: it orders commits, keeps key packages and Welcomes, and relays
/// frames. It handles bytes only and can read none of them.
#pragma once

#include <conclave/mls/message.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace conclave::inline CONCLAVE_ABI::delivery {

/// packet: bytes on their way to many.
using packet = std::shared_ptr<const bytes>;

/// in_process: the delivery service of one meeting. For each epoch the first commit wins, the others learn stale_epoch.
/// Threads: every function from any thread.
class in_process {
 public:
  /// publish_key_package(owner, message), fetch_key_package(owner): each package is handed out once; unknown_key for
  /// none.
  void publish_key_package(const std::string& owner, byte_view message) {
    const std::scoped_lock lock(mutex_);
    key_packages_.emplace(owner, to_bytes(message));
  }
  [[nodiscard]] result<bytes> fetch_key_package(const std::string& owner) {
    const std::scoped_lock lock(mutex_);
    return take(key_packages_, owner);
  }

  /// send_welcome(owner, message), fetch_welcome(owner): likewise.
  void send_welcome(const std::string& owner, const packet& message) {
    const std::scoped_lock lock(mutex_);
    welcomes_.emplace(owner, message);
  }
  [[nodiscard]] result<packet> fetch_welcome(const std::string& owner) {
    const std::scoped_lock lock(mutex_);
    return take(welcomes_, owner);
  }

  /// send(message): to every participant, in one order for all; returns its position there. Errors: stale_epoch for a
  /// commit or proposal that is not of the present epoch: it has had its commit, or nobody has come so far; misuse for
  /// messages that are not for a whole group; what decoding says.
  [[nodiscard]] result<std::size_t> send(byte_view message) {
    CONCLAVE_TRY(const auto seen, mls::message::decode(message));
    const bool is_public = seen.format == mls::wire_format::public_message;
    if (!is_public && seen.format != mls::wire_format::private_message) return errc::misuse;
    const auto type = is_public ? seen.public_message.content->body.type : seen.private_message.type;
    const std::uint64_t epoch = is_public ? seen.public_message.content->epoch : seen.private_message.epoch;
    const std::scoped_lock lock(mutex_);
    if (type != mls::content_type::application && epoch != epoch_) return errc::stale_epoch;
    log_.push_back(std::make_shared<const bytes>(to_bytes(message)));
    if (type == mls::content_type::commit) ++epoch_;
    bytes_carried_ += message.size();
    return log_.size() - 1;
  }

  /// position(): the end of the log; a participant who joins by the commit before it starts reading there.
  [[nodiscard]] std::size_t position() const {
    const std::scoped_lock lock(mutex_);
    return log_.size();
  }
  /// read(position): the message at a position, or nullptr at the end.
  [[nodiscard]] packet read(std::size_t position) const {
    const std::scoped_lock lock(mutex_);
    return position < log_.size() ? log_[position] : nullptr;
  }
  [[nodiscard]] std::size_t bytes_carried() const {
    const std::scoped_lock lock(mutex_);
    return bytes_carried_;
  }

 private:
  template <class Map>
  [[nodiscard]] static result<typename Map::mapped_type> take(Map& from, const std::string& owner) {
    const auto at = from.find(owner);
    if (at == from.end()) return errc::unknown_key;
    auto out = std::move(at->second);
    from.erase(at);
    return out;
  }

  mutable std::mutex mutex_;
  std::multimap<std::string, bytes> key_packages_;
  std::multimap<std::string, packet> welcomes_;
  std::vector<packet> log_;
  std::uint64_t epoch_ = 0;
  std::size_t bytes_carried_ = 0;
};

}  // namespace conclave::delivery
