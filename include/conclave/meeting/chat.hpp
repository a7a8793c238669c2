// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Chat and notes: text that travels as MLS application messages, so that it is encrypted end to end, signed by its sender
/// and bound to its epoch.
#pragma once

#include <conclave/codec/wire.hpp>
#include <conclave/detail/utf8.hpp>
#include <conclave/limits.hpp>
#include <conclave/mls/types.hpp>

#include <deque>
#include <map>
#include <string>

namespace conclave::inline CONCLAVE_ABI {

namespace rules {
inline constexpr rule known_text{"text of an unknown version or kind", "meeting/chat.hpp"};
inline constexpr rule text_is_utf8{"text is not UTF-8", "meeting/chat.hpp"};
inline constexpr rule text_length{"a message of the chat is longer than the limit", "limits.hpp"};
}  // namespace rules

/// text_kind: what is said in passing, and what is meant to be kept with the meeting.
enum class text_kind : std::uint8_t { chat = 1, note = 2 };

/// chat_content: as it travels; a view of its encoding. `number` counts what its sender has said in this meeting, from 1.
struct chat_content {
  static constexpr std::array<std::uint8_t, 4> mark{'c', 't', 'x', 't'};
  static constexpr std::uint8_t version = 1;

  text_kind kind{};
  std::uint64_t number = 0;
  byte_view text;

  /// is(application_data): true where these are meant as one.
  [[nodiscard]] static bool is(byte_view application_data) noexcept {
    return application_data.size() >= mark.size() && equal(application_data.first(mark.size()), mark);
  }
  /// read: Errors: malformed, unsupported (version, kind), over_limit.
  [[nodiscard]] static result<chat_content> read(reader& in) {
    chat_content out;
    CONCLAVE_TRY(const auto head, in.take(mark.size()));
    if (!equal(head, mark)) return failure{errc::malformed, rules::known_text};
    CONCLAVE_TRY(const auto seen, in.number<std::uint8_t>());
    CONCLAVE_TRY(out.kind, wire::read<text_kind>(in));
    if (seen != version || (out.kind != text_kind::chat && out.kind != text_kind::note))
      return failure{errc::unsupported, rules::known_text};
    CONCLAVE_TRY(out.number, in.number<std::uint64_t>());
    CONCLAVE_TRY(out.text, in.opaque());
    CONCLAVE_CHECK(valid(out.text));
    return out;
  }
  void write(auto& out) const {
    out.raw(mark);
    out.number(version);
    wire::write(out, kind);
    out.number(number);
    out.opaque(text);
  }
  [[nodiscard]] static status valid(byte_view text) {
    if (text.size() > limits::chat_bytes) return failure{errc::over_limit, rules::text_length};
    if (!detail::is_utf8(text)) return failure{errc::malformed, rules::text_is_utf8};
    return {};
  }
};

/// chat_message: one line of the chat. Its place in the history is the delivery service's order.
struct chat_message {
  text_kind kind{};
  mls::leaf_index sender{};  ///< at the time of `epoch`: the leaf may belong to somebody else by now
  std::string name;          ///< of the sender then, as the roster shows it
  std::uint64_t epoch = 0;
  std::uint64_t number = 0;  ///< the sender's own count
  std::uint64_t missing =
      0;  ///< of the sender's messages since the last one here: a relay, or the limit, kept them back
  std::string text;
};

/// chat_history: what was said while this participant was in; the oldest gives way from limits::chat_messages and
/// limits::chat_history_bytes on.
class chat_history {
 public:
  [[nodiscard]] const std::deque<chat_message>& messages() const noexcept { return messages_; }

  /// add(sender, name, epoch, content): authentic content, in the order of the delivery service.
  const chat_message& add(mls::leaf_index sender, std::string name, std::uint64_t epoch, const chat_content& content) {
    std::uint64_t& last = last_[sender];
    const std::uint64_t missing = last != 0 && content.number > last ? content.number - last - 1 : 0;
    last = std::max(last, content.number);
    messages_.push_back(
        {content.kind, sender, std::move(name), epoch, content.number, missing, std::string{as_text(content.text)}});
    bytes_ += size_of(messages_.back());
    while (messages_.size() > limits::chat_messages || bytes_ > limits::chat_history_bytes) {
      bytes_ -= size_of(messages_.front());
      messages_.pop_front();
    }
    return messages_.back();
  }
  /// forget(leaf): who sits there next counts from 1.
  void forget(mls::leaf_index leaf) { last_.erase(leaf); }

 private:
  [[nodiscard]] static std::size_t size_of(const chat_message& m) noexcept {
    return sizeof(chat_message) + m.name.size() + m.text.size();
  }

  std::deque<chat_message> messages_;
  std::size_t bytes_ = 0;
  std::map<mls::leaf_index, std::uint64_t> last_;
};

}  // namespace conclave
