// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// person: one participant of the demo, with a complete state of its own. All it ever gets from the others is bytes.
#pragma once

#include "../explain.hpp"

#include <conclave/conclave.hpp>
#include <conclave/delivery/in_process.hpp>

#include <memory>
#include <optional>
#include <string>

namespace demo {

namespace cv = conclave;

/// heard: what one person's receiver made of the frames it was given.
struct heard {
  std::size_t opened = 0;
  std::size_t late = 0;  ///< of those, sealed in an epoch that was over
  std::size_t refused = 0;
  std::size_t bytes = 0;
  std::uint64_t epoch = 0;   ///< of the last one opened
  std::uint32_t sender = 0;  ///< its claim
};

class person {
 public:
  person(std::string name, cv::environment& env, cv::delivery::in_process& net)
      : name_{std::move(name)}, env_{&env}, net_{&net} {}

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] cv::meeting& room() { return *room_; }
  [[nodiscard]] bool in_meeting() const { return room_ && room_->active(); }
  [[nodiscard]] const heard& ears() const { return heard_; }

  /// host(title): opens the meeting.
  [[nodiscard]] std::string host(const std::string& title) {
    if (auto bad = be_somebody(); !bad.empty()) return bad;
    auto room = cv::meeting::create(*env_, *self_, title);
    if (!room) return explain(name_ + " cannot open a meeting", room.error());
    room_.emplace(*std::move(room));
    return listen();
  }

  /// knock(): publishes a key package.
  [[nodiscard]] std::string knock() {
    if (auto bad = be_somebody(); !bad.empty()) return bad;
    auto wish = cv::knock::create(*env_, *self_);
    if (!wish) return explain(name_ + " cannot make a key package", wish.error());
    net_->publish_key_package(name_, wish->key_package());
    wish_.emplace(*std::move(wish));
    return {};
  }

  /// enter(position): joins with the Welcome that is waiting; reads on from `position`.
  [[nodiscard]] std::string enter(std::size_t position) {
    const auto welcome = net_->fetch_welcome(name_);
    if (!welcome) return explain(name_ + " got no Welcome", welcome.error());
    auto room = cv::meeting::join(std::move(*wish_), **welcome);
    wish_.reset();
    if (!room) return explain(name_ + " cannot join", room.error());
    room_.emplace(*std::move(room));
    position_ = position;
    return listen();
  }

  /// publish(change): sends a change and applies it. False where somebody else was faster: nothing has changed then.
  [[nodiscard]] cv::result<bool> publish(cv::meeting::change&& change) {
    const auto position = net_->send(change.commit());
    if (!position && position.error() == cv::errc::stale_epoch) return false;
    if (!position) return position.error();
    CONCLAVE_CHECK(room_->apply(std::move(change)));
    position_ = *position + 1;
    return true;
  }

  /// catch_up(): processes what the delivery service has.
  [[nodiscard]] std::string catch_up() {
    while (in_meeting()) {
      const auto message = net_->read(position_);
      if (!message) break;
      ++position_;
      if (auto event = room_->receive(*message); !event) return explain(name_ + " cannot follow", event.error());
    }
    return {};
  }

  /// propose_to_leave(): asks to be removed, and has read its own wish.
  [[nodiscard]] std::string propose_to_leave() {
    const auto wish = room_->leave();
    if (!wish) return explain(name_ + " cannot leave", wish.error());
    const auto position = net_->send(*wish);
    if (!position) return explain(name_ + " cannot leave", position.error());
    position_ = *position + 1;
    return {};
  }

  /// open(packet, buffer): the plaintext, or nothing where this person cannot open it.
  [[nodiscard]] std::optional<cv::byte_view> open(cv::byte_view packet, cv::bytes& buffer) {
    buffer.resize(packet.size());
    const auto got = ear_->open(packet, {}, buffer);
    if (!got) {
      ++heard_.refused;
      return std::nullopt;
    }
    ++heard_.opened;
    heard_.late += got->late ? 1 : 0;
    heard_.bytes += got->bytes.size();
    heard_.epoch = got->epoch;
    heard_.sender = got->sender;
    return got->bytes;
  }

 private:
  [[nodiscard]] std::string be_somebody() {
    auto self = cv::identity::generate(*env_, name_);
    if (!self) return explain(name_ + " has no key", self.error());
    self_.emplace(*std::move(self));
    return {};
  }
  [[nodiscard]] std::string listen() {
    auto ear = room_->open_receiver();
    if (!ear) return explain(name_ + " cannot listen", ear.error());
    ear_.emplace(*std::move(ear));
    return {};
  }

  std::string name_;
  cv::environment* env_;
  cv::delivery::in_process* net_;
  std::optional<cv::identity> self_;
  std::optional<cv::knock> wish_;
  std::optional<cv::meeting> room_;
  std::optional<cv::meeting::receiver> ear_;
  std::size_t position_ = 0;
  heard heard_;
};

}  // namespace demo
