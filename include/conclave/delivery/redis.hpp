// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// redis: the delivery service of one meeting across machines, on Redis Streams: it does what in_process does, and
/// survives its users and itself. It handles bytes only and can read none of them. docs/delivery-redis.md says how keys
/// lie on a cluster, and what a server has to be set to. With CMake, link conclave::redis.
#pragma once

#include <conclave/delivery/redis_link.hpp>
#include <conclave/delivery/redis_script.hpp>
#include <conclave/mls/message.hpp>

#include <compare>

namespace conclave::inline CONCLAVE_ABI::delivery {

namespace rules {
inline constexpr rule redis_in_order{"a message is for an epoch that nobody has reached", "delivery/redis_script.hpp"};
inline constexpr rule redis_is_whole{"messages are missing from the log: come back by the entrance",
                                     "delivery/redis_script.hpp"};
inline constexpr rule redis_box_has_room{"too many messages wait for the same person", "delivery/redis.hpp"};
}  // namespace rules

/// redis_keeping: what stays on the server, and for how long.
struct redis_keeping {
  /// After the last message of the meeting, and after the last one for a person.
  steady_time meeting = std::chrono::hours{24};
  std::uint64_t log_entries = std::uint64_t{1} << 20U;
  /// How long a message is known to have been sent, so that the same bytes are not taken twice. More than any patience.
  steady_time sent = std::chrono::minutes{2};
  /// How many epochs late an application message may come: no more than those who are up to date can still open.
  std::uint64_t late_epochs = limits::past_epochs;
};

/// redis: Move-only. The same bytes may be sent again when the outcome is not known: they are taken once. Threads: one at
/// a time; others use an object of their own for the same meeting. Lifetime: the environment outlives it.
class redis {
 public:
  /// place: where a message is in the log: the number `number` of those sent in `epoch`; 0 is the commit that began it.
  /// Who joins in an epoch has read up to {epoch, 0}.
  struct place {
    std::uint64_t epoch = 0;
    std::uint64_t number = 0;
    friend auto operator<=>(const place&, const place&) = default;
  };
  /// entry: a message, and its place.
  struct entry {
    place at;
    bytes message;
  };
  /// verdict: accepted, and where it is; or where the commit is that was faster.
  struct verdict {
    bool accepted;
    place at;
  };

  /// open(env, meeting, options, keeping): `meeting` is the group id. It connects when it is first used. Errors: misuse
  /// (no id), over_limit (one of more than 255 bytes).
  [[nodiscard]] static result<redis> open(environment& env, byte_view meeting, const redis_options& options,
                                          const redis_keeping& keeping = {}) {
    if (meeting.empty()) return errc::misuse;
    if (meeting.size() > 255) return errc::over_limit;
    return redis(env, meeting, options, keeping);
  }

  // Errors of all that follows: storage where no server could be reached, did not answer in time or cannot do this: what
  // was to be written may have been or not, so ask again with the same bytes; malformed or over_limit for an answer that
  // is none; refused where the server does not allow it. Nothing else has changed then.

  /// publish_key_package(owner, message), fetch_key_package(owner): each package is handed out once, in their order.
  /// Errors: unknown_key for none; over_limit (the owner; the package; too many wait), no_entropy.
  [[nodiscard]] status publish_key_package(std::string_view owner, byte_view message) {
    if (message.size() > limits::redis_key_package_bytes) return errc::over_limit;
    return put("key_packages", owner, message, limits::waiting_joins);
  }
  [[nodiscard]] result<bytes> fetch_key_package(std::string_view owner) { return take("key_packages", owner); }

  /// send_welcome(owner, message), fetch_welcome(owner): likewise.
  [[nodiscard]] status send_welcome(std::string_view owner, byte_view message) {
    if (message.size() > limits::redis_message_bytes) return errc::over_limit;
    return put("welcomes", owner, message, limits::redis_welcomes);
  }
  [[nodiscard]] result<bytes> fetch_welcome(std::string_view owner) { return take("welcomes", owner); }

  /// publish_entrance(group_info), fetch_entrance(): for those who enter by themselves or come back. Errors: stale_epoch
  /// (the epoch is over), refused (it has not begun), misuse (no GroupInfo); unknown_key where there is none.
  [[nodiscard]] status publish_entrance(byte_view group_info) {
    CONCLAVE_TRY(const auto seen, decode(group_info));
    if (seen.format != mls::wire_format::group_info || !equal(seen.group_info->context.group_id, meeting_))
      return errc::misuse;
    const std::string epoch = std::to_string(seen.group_info->context.epoch);
    const std::array keys{key("log"), key("entrance")};
    const std::array arguments{as_bytes(epoch), group_info, as_bytes(keep_)};
    CONCLAVE_TRY(const auto answer, link_.run(entrance_, keys, arguments));
    CONCLAVE_TRY(const auto word, text(*answer));
    if (word == "superseded") return errc::stale_epoch;
    if (word == "ahead") return failure{errc::refused, rules::redis_in_order};
    return word == "accepted" ? status{} : broken();
  }
  [[nodiscard]] result<bytes> fetch_entrance() {
    const std::string entrance = key("entrance");
    const std::array words{as_bytes("GET"), as_bytes(entrance)};
    CONCLAVE_TRY(const auto answer, link_.call(words));
    return found(*answer);
  }

  /// offer(message): to every participant, in one order for all. Of the commits of an epoch the first is accepted, and
  /// again when it is offered again; nothing is for an epoch that was superseded, but for application messages that are not
  /// too late. Errors: refused with rules::redis_in_order (an epoch that has not begun), misuse for messages that are not
  /// for the whole of this group, what decoding says.
  [[nodiscard]] result<verdict> offer(byte_view message) {
    CONCLAVE_TRY(const auto seen, decode(message));
    const bool is_public = seen.format == mls::wire_format::public_message;
    if (!is_public && seen.format != mls::wire_format::private_message) return errc::misuse;
    const auto type = is_public ? seen.public_message.content->body.type : seen.private_message.type;
    const std::uint64_t of = is_public ? seen.public_message.content->epoch : seen.private_message.epoch;
    if (!equal(is_public ? seen.public_message.content->group_id : seen.private_message.group_id, meeting_))
      return errc::misuse;
    if (of >= largest_number) return failure{errc::refused, rules::redis_in_order};
    const std::string epoch = std::to_string(of);
    const std::string_view kind = type == mls::content_type::commit     ? "c"
                                  : type == mls::content_type::proposal ? "p"
                                                                        : "a";
    const std::array keys{key("log"), done_key({as_bytes("log"), message})};
    const std::array arguments{as_bytes(kind),     as_bytes(epoch), as_bytes(late_), message,
                               as_bytes(entries_), as_bytes(keep_), as_bytes(sent_)};
    CONCLAVE_TRY(const auto answer, link_.run(send_, keys, arguments));
    if (!(*answer).array(2)) return broken();
    CONCLAVE_TRY(const auto word, text((*answer)[0]));
    CONCLAVE_TRY(const auto at, place_of((*answer)[1]));
    if (word == "ahead") return failure{errc::refused, rules::redis_in_order};
    if (word == "superseded") return verdict{false, at};
    if (word != "accepted") return broken();
    bytes_carried_ += message.size();
    return verdict{true, at};
  }

  /// send(message): the same as in_process has it: its place, or stale_epoch.
  [[nodiscard]] result<place> send(byte_view message) {
    CONCLAVE_TRY(const auto outcome, offer(message));
    return outcome.accepted ? result<place>{outcome.at} : errc::stale_epoch;
  }

  /// position(): the last message in the log.
  [[nodiscard]] result<place> position() {
    const std::string log = key("log");
    const std::array words{as_bytes("XREVRANGE"), as_bytes(log),     as_bytes("+"),
                           as_bytes("-"),         as_bytes("COUNT"), as_bytes("1")};
    CONCLAVE_TRY(const auto answer, link_.call(words));
    if ((*answer).array(0)) return place{};
    if (!(*answer).array(1)) return broken();
    CONCLAVE_TRY(const auto last, entry_of((*answer)[0]));
    return last.at;
  }

  /// read(after, wait, most): what comes after a place, in order and without a gap; nothing where nothing comes in
  /// `wait`, or in a day where that is longer.
  /// Errors: stale_epoch with rules::redis_is_whole where the log does not go back that far.
  [[nodiscard]] result<std::vector<entry>> read(const place& after, steady_time wait = {},
                                                std::size_t most = limits::redis_entries) {
    wait = std::min<steady_time>(wait, std::chrono::hours{24});  // for ever has no deadline, and no server takes it
    auto got = read_some(after, wait, std::clamp<std::size_t>(most, 1, limits::redis_entries));
    // many that are long do not fit into one answer
    if (!got && got.error() == errc::over_limit && most > 1) return read_some(after, wait, 1);
    return got;
  }

  /// bytes_carried(): those of messages to everybody that were accepted here.
  [[nodiscard]] std::size_t bytes_carried() const noexcept { return bytes_carried_; }

 private:
  static constexpr std::uint64_t largest_number = std::uint64_t{1} << 53U;  // Lua counts in doubles

  redis(environment& env, byte_view meeting, const redis_options& options, const redis_keeping& keeping)
      : env_{&env},
        link_{env, options},
        meeting_{to_bytes(meeting)},
        prefix_{"conclave:{" + detail::redis_hex(meeting) +
                "}:"},  // braces: all keys of a meeting are in one slot of a cluster
        late_{std::to_string(keeping.late_epochs)},
        entries_{std::to_string(keeping.log_entries)},
        keep_{std::to_string(keeping.meeting.count())},
        sent_{std::to_string(keeping.sent.count())} {}

  [[nodiscard]] std::string key(std::string_view name) const { return prefix_ + std::string{name}; }
  /// The key that remembers what has become of these bytes.
  [[nodiscard]] std::string done_key(std::initializer_list<byte_view> of) const {
    std::array<std::uint8_t, 32> digest;
    default_provider::hash(hash_id::sha256, std::span{of.begin(), of.size()}, digest);
    return key("done:" + detail::redis_hex(digest));
  }
  [[nodiscard]] static failure broken() noexcept { return {errc::malformed, rules::redis_answers}; }

  [[nodiscard]] static result<mls::message> decode(byte_view message) {
    if (message.size() > limits::redis_message_bytes) return errc::over_limit;
    return mls::message::decode(message);
  }

  [[nodiscard]] status put(std::string_view box, std::string_view owner, byte_view message, std::size_t most) {
    if (owner.size() > limits::name_bytes) return errc::over_limit;
    const std::string name = std::string{box} + ':' + detail::redis_hex(as_bytes(owner)), room = std::to_string(most);
    // a colon ends the name: its digits and those that a message may begin with are told apart
    const std::array keys{key(name), done_key({as_bytes(name), as_bytes(":"), message})};
    const std::array arguments{message, as_bytes(room), as_bytes(keep_), as_bytes(sent_)};
    CONCLAVE_TRY(const auto answer, link_.run(put_, keys, arguments));
    CONCLAVE_TRY(const auto word, text(*answer));
    if (word == "full") return failure{errc::over_limit, rules::redis_box_has_room};
    return word == "accepted" ? status{} : broken();
  }
  [[nodiscard]] result<bytes> take(std::string_view box, std::string_view owner) {
    if (owner.size() > limits::name_bytes) return errc::over_limit;
    std::array<std::uint8_t, 16> wish;
    CONCLAVE_CHECK(env_->random(wish));
    const std::array keys{key(std::string{box} + ':' + detail::redis_hex(as_bytes(owner))),
                          done_key({as_bytes("take"), wish})};
    CONCLAVE_TRY(const auto answer, link_.run(take_, keys, std::array{as_bytes(sent_)}));
    return found(*answer);
  }
  [[nodiscard]] static result<bytes> found(const redis_reply::value& answer) {
    if (answer.is_nil()) return errc::unknown_key;
    const auto message = answer.string();
    return message ? result<bytes>{to_bytes(*message)} : broken();
  }

  [[nodiscard]] result<std::vector<entry>> read_some(const place& after, steady_time wait, std::size_t most) {
    const std::string log = key("log"), count = std::to_string(most), block = std::to_string(wait.count());
    const std::string from = std::to_string(after.epoch) + '-' + std::to_string(after.number);
    std::vector<byte_view> words{as_bytes("XREAD"), as_bytes("COUNT"), as_bytes(count)};
    if (wait > steady_time{0}) words.insert(words.end(), {as_bytes("BLOCK"), as_bytes(block)});
    words.insert(words.end(), {as_bytes("STREAMS"), as_bytes(log), as_bytes(from)});
    CONCLAVE_TRY(const auto answer, link_.call(words, std::max(wait, steady_time{0})));
    std::vector<entry> out;
    if ((*answer).is_nil()) return out;
    if (!(*answer).array(1) || !(*answer)[0].array(2)) return broken();
    CONCLAVE_TRY(const auto name, text((*answer)[0][0]));
    const auto entries = (*answer)[0][1];
    if (name != log || entries.size() == 0 || entries.size() > most) return broken();
    place last = after;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      CONCLAVE_TRY(auto next, entry_of(entries[i]));
      if (next.at <= last) return broken();
      const bool follows = next.at.epoch == last.epoch ? next.at.number == last.number + 1
                                                       : next.at.epoch == last.epoch + 1 && next.at.number == 0;
      if (!follows) return failure{errc::stale_epoch, rules::redis_is_whole};
      last = next.at;
      out.push_back(std::move(next));
    }
    return out;
  }

  [[nodiscard]] static result<std::string_view> text(const redis_reply::value& of) {
    const auto string = of.string();
    return string ? result<std::string_view>{as_text(*string)} : broken();
  }
  /// An id: two numbers and a dash between them, nothing else.
  [[nodiscard]] static result<place> place_of(const redis_reply::value& id) {
    CONCLAVE_TRY(const auto digits, text(id));
    const char* const end = digits.data() + digits.size();
    place out;
    const auto epoch = std::from_chars(digits.data(), end, out.epoch);
    if (epoch.ec != std::errc{} || epoch.ptr == end || *epoch.ptr != '-') return broken();
    const auto number = std::from_chars(epoch.ptr + 1, end, out.number);
    if (number.ec != std::errc{} || number.ptr != end || out.epoch >= largest_number) return broken();
    return out;
  }
  [[nodiscard]] static result<entry> entry_of(const redis_reply::value& of) {
    if (!of.array(2) || !of[1].array(2)) return broken();
    CONCLAVE_TRY(const auto at, place_of(of[0]));
    CONCLAVE_TRY(const auto field, text(of[1][0]));
    const auto message = of[1][1].string();
    if (field != "m" || !message) return broken();
    return entry{at, to_bytes(*message)};
  }

  environment* env_;
  redis_link link_;
  bytes meeting_;
  std::string prefix_;
  std::string late_, entries_, keep_, sent_;  // as the scripts take them
  redis_script send_{detail::redis_send_script}, put_{detail::redis_put_script}, take_{detail::redis_take_script},
      entrance_{detail::redis_entrance_script};
  std::size_t bytes_carried_ = 0;
};

}  // namespace conclave::delivery
