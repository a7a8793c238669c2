// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What a meeting tells its participant: events, which are taken when it suits, and one state for the header.
#pragma once

#include <conclave/meeting/parameters.hpp>
#include <conclave/meeting/roster.hpp>
#include <conclave/sas/code.hpp>

#include <deque>

namespace conclave::inline CONCLAVE_ABI {

/// meeting_event: something happened. Of the fields after `epoch` only those that the kind speaks of are set.
struct meeting_event {
  enum class kind : std::uint8_t {
    joined,              ///< `leaf`, `name`, `identity`
    came_back,           ///< likewise: the same key as somebody who was in, in a new place
    left,                ///< `leaf`, `name`: was removed, or left
    identity_changed,    ///< `leaf`, `name`, `identity`: another credential or key, or another verdict about it
    code_changed,        ///< a new epoch: a new security code, once it has settled
    degraded,            ///< the icon is worse than before
    secured,             ///< the icon is better than before
    door_changed,        ///< `door`
    parameters_changed,  ///< roles, capacity, or anything else that is not the door
    said,                ///< a message of the chat, or a note, came; not told where many events wait
    verification,        ///< the spoken verification moved on: look at it; likewise
    over,                ///< this participant is out
  } what{};
  std::uint64_t epoch = 0;  ///< in which it happened
  mls::leaf_index leaf{};
  std::string name;
  identity_state identity{};
  conclave::door door{};
};

/// event_queue: the newest limits::meeting_events events.
class event_queue {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return events_.size(); }
  void add(meeting_event&& what) {
    if (events_.size() == limits::meeting_events) events_.pop_front();
    events_.push_back(std::move(what));
  }
  void add(std::vector<meeting_event>&& news) {
    events_.insert(events_.end(), std::move_iterator{news.begin()}, std::move_iterator{news.end()});
    if (events_.size() > limits::meeting_events)
      events_.erase(events_.begin(), events_.end() - static_cast<std::ptrdiff_t>(limits::meeting_events));
  }
  /// take(): all of them, in their order.
  [[nodiscard]] std::vector<meeting_event> take() {
    const auto taken = std::exchange(events_, {});
    return {taken.begin(), taken.end()};
  }

 private:
  std::deque<meeting_event> events_;
};

/// news_of_parameters(before, after, epoch, news): adds what is different between two valid lists of extensions.
inline void news_of_parameters(byte_view before, byte_view after, std::uint64_t epoch,
                               std::vector<meeting_event>& news) {
  const auto old_items = *mls::extension_list::check(before);
  const auto p = *meeting_parameters::of(*mls::extension_list::check(after));
  meeting_parameters old = *meeting_parameters::of(old_items);
  if (std::exchange(old.door, p.door) != p.door)
    news.push_back({meeting_event::kind::door_changed, epoch, {}, {}, {}, p.door});
  if (!equal(with_parameters(old_items, old), after))
    news.push_back({meeting_event::kind::parameters_changed, epoch, {}, {}, {}, p.door});
}

/// meeting_state: everything that a header shows. A value.
struct meeting_state {
  security_level level = security_level::not_encrypted;
  std::vector<security_reason> reasons;    ///< why it is no better, the worst first
  std::optional<sas::security_code> code;  ///< nothing while it is updating, and outside a meeting
  std::uint64_t epoch = 0;
  std::size_t people = 0;  ///< devices, as MLS counts
  conclave::door door{};
  role own_role{};
};

}  // namespace conclave
