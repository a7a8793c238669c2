// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// participant: one person of the meeting, in a process of its own, with nothing but a Redis server and its own notebook.
#pragma once

#include "notebook.hpp"

#include <conclave/conclave.hpp>

#include <csignal>
#include <thread>

namespace demo {

/// part: who a participant is, and what the meeting is to be.
struct part {
  std::string folder;  ///< of all
  std::vector<cv::delivery::redis_address> nodes;
  std::size_t index = 0;
  std::size_t people = 50;
  std::uint64_t epochs = 60;     ///< then everybody says farewell
  std::size_t contenders = 8;    ///< who want to commit in the same epoch
  std::size_t messages = 5;      ///< that each person sends
  std::uint64_t dies_after = 0;  ///< the first own commit from this epoch on, before it is applied; 0: does not
  int seconds = 120;             ///< it has for all of that
};

/// delivery_of(env, meeting, nodes): everybody's way to the meeting. Messages are for their own epoch only, so that those who read
/// the log are always in the epoch that a message is of.
[[nodiscard]] inline cv::result<cv::delivery::redis> delivery_of(
    cv::environment& env, cv::byte_view meeting, const std::vector<cv::delivery::redis_address>& nodes) {
  cv::delivery::redis_options options;
  options.nodes = nodes;
  options.patience = std::chrono::seconds{30};
  cv::delivery::redis_keeping keeping;
  keeping.late_epochs = 0;
  return cv::delivery::redis::open(env, meeting, options, keeping);
}

class participant {
 public:
  explicit participant(const part& p)
      : part_{p},
        files_{p.folder + "/" + std::to_string(p.index)},
        name_{"person " + std::to_string(p.index)},
        journal_{files_ + ".journal"},
        farewells_(p.people, 0) {}

  /// run(): what went wrong, or nothing.
  [[nodiscard]] std::string run() {
    until_ = env_.steady() + std::chrono::seconds{part_.seconds};
    if (auto bad = be_somebody(); !bad.empty()) return bad;
    const cv::bytes stored = read_whole(files_ + ".seat");
    if (auto bad = stored.empty() ? sit_down() : sit_down_again(stored); !bad.empty()) return bad;
    while (std::ranges::find(farewells_, 0) != farewells_.end()) {
      if (late()) return name_ + " waited too long, in epoch " + std::to_string(room_->epoch());
      if (auto bad = listen(); !bad.empty()) return bad;
      if (auto bad = act(); !bad.empty()) return bad;
    }
    counted_.epoch = room_->epoch();
    cv::bytes out = cv::wire::encode(counted_);
    cv::append(out, cv::as_bytes(room_->code().digits()));
    return replace_file(files_ + ".result", out);
  }

 private:
  [[nodiscard]] bool late() { return env_.steady() > until_; }
  [[nodiscard]] std::string wrong(const std::string& what, const cv::failure& why) const {
    return explain(name_ + ": " + what, why);
  }

  // ---- coming in -------------------------------------------------------------------------------------------------

  /// Its key, and the key of its snapshots: those of the file, which is made where there is none.
  [[nodiscard]] std::string be_somebody() {
    cv::bytes keys = read_whole(files_ + ".keys");
    if (keys.empty()) {
      keys.resize(64);
      if (const auto drawn = env_.random(keys); !drawn) return wrong("no key", drawn.error());
      if (auto bad = replace_file(files_ + ".keys", keys); !bad.empty()) return bad;
    }
    if (keys.size() != 64) return files_ + ".keys: no keys";
    auto key = cv::signature_key::from_private<cv::default_provider>(cv::signature_scheme::ed25519,
                                                                     cv::byte_view{keys}.first(32));
    auto at_rest = cv::mls::snapshot_key::copy_of(cv::byte_view{keys}.subspan(32));
    cv::detail::secure_wipe(keys);
    if (!key || !at_rest) return name_ + ": no key";
    auto self = cv::identity::claimed(name_, *std::move(key));
    if (!self) return wrong("no identity", self.error());
    self_.emplace(*std::move(self));
    snapshot_key_ = *std::move(at_rest);
    return {};
  }

  [[nodiscard]] std::string open_net(cv::byte_view meeting) {
    auto net = delivery_of(env_, meeting, part_.nodes);
    if (!net) return wrong("no way to the meeting", net.error());
    net_.emplace(*std::move(net));
    return {};
  }

  /// The first one opens the meeting; everybody else knocks, and waits for a Welcome.
  [[nodiscard]] std::string sit_down() {
    const std::string invitation = part_.folder + "/meeting";
    if (part_.index == 0) {
      auto room = cv::meeting::create(env_, *self_, "standup");
      if (!room) return wrong("no meeting", room.error());
      room_.emplace(*std::move(room));
      if (auto bad = open_net(room_->group_id()); !bad.empty()) return bad;
      if (auto bad = settle({}); !bad.empty()) return bad;
      return replace_file(invitation, room_->group_id());
    }
    cv::bytes meeting;
    while ((meeting = read_whole(invitation)).empty()) {
      if (late()) return name_ + " was not invited";
      std::this_thread::sleep_for(std::chrono::milliseconds{50});
    }
    if (auto bad = open_net(meeting); !bad.empty()) return bad;
    auto wish = cv::knock::create(env_, *self_);
    if (!wish) return wrong("no key package", wish.error());
    if (const auto sent = net_->publish_key_package("door", wish->key_package()); !sent)
      return wrong("cannot knock", sent.error());
    for (;;) {
      const auto welcome = net_->fetch_welcome(name_);
      if (welcome) {
        auto room = cv::meeting::join(*std::move(wish), *welcome);
        if (!room) return wrong("cannot join", room.error());
        room_.emplace(*std::move(room));
        counted_.first_epoch = room_->epoch();
        return settle({room_->epoch(), 0});
      }
      if (welcome.error() != cv::errc::unknown_key) return wrong("no Welcome", welcome.error());
      if (late()) return name_ + " was not let in";
      std::this_thread::sleep_for(std::chrono::milliseconds{200});
    }
  }

  /// After it was killed.
  [[nodiscard]] std::string sit_down_again(cv::byte_view stored) {
    auto seat = saved_seat::decode(stored);
    if (!seat || seat->farewells.size() != part_.people) return files_ + ".seat: unreadable";
    auto room = cv::meeting::restore(env_, snapshot_key_, seat->sequence, seat->snapshot, *self_, "standup");
    if (!room) return wrong("cannot restore", room.error());
    room_.emplace(*std::move(room));
    if (auto bad = open_net(room_->group_id()); !bad.empty()) return bad;
    counted_ = seat->counted;
    ++counted_.restored;
    farewells_ = seat->farewells;
    read_ = seat->read;
    hushed_ = true;
    saved_epoch_.reset();  // nothing is sent before the next snapshot
    return open_ear();
  }

  [[nodiscard]] std::string open_ear() {
    auto ear = room_->open_receiver();
    if (!ear) return wrong("cannot listen", ear.error());
    ear_.emplace(*std::move(ear));
    return {};
  }
  [[nodiscard]] std::string settle(const redis_place& read) {
    read_ = read;
    if (auto bad = open_ear(); !bad.empty()) return bad;
    return save();
  }

  /// A snapshot, with what has been read and counted up to it.
  [[nodiscard]] std::string save() {
    auto snapshot = room_->snapshot(snapshot_key_);
    if (!snapshot) return wrong("no snapshot", snapshot.error());
    saved_epoch_ = room_->epoch();
    const saved_seat seat{read_, room_->sequence(), counted_, farewells_, *std::move(snapshot)};
    if (auto bad = replace_file(files_ + ".seat", seat.encode()); !bad.empty()) return bad;
    if (const auto done = room_->stored(seat.sequence); !done) return wrong("no such snapshot", done.error());
    return {};
  }

  // ---- what comes ------------------------------------------------------------------------------------------------

  [[nodiscard]] std::string listen() {
    const auto wait = std::chrono::milliseconds{pending_ || waits() ? 20 : 200};
    const auto some = net_->read(read_, wait);
    if (!some) return wrong("cannot read", some.error());
    idle_ = some->empty();
    for (const auto& entry : *some) {
      if (entry.at <= read_) continue;  // it came back beyond this one
      const auto mine = journal_.find(entry.message);
      if (mine == intent::commit && !(pending_ && pending_->commit_at == entry.at)) {
        // it was killed between sending and applying: nobody else can do what this commit does for it
        if (auto bad = come_back(); !bad.empty()) return bad;
        continue;
      }
      if (auto bad = mine ? own(*mine) : others(entry.message); !bad.empty()) return bad;
      read_ = entry.at;
      if (mine == intent::commit)
        if (auto bad = committed(); !bad.empty()) return bad;
    }
    return {};
  }

  [[nodiscard]] std::string own(intent what) {
    if (what == intent::commit) {
      if (const auto done = room_->apply(std::move(pending_->change)); !done)
        return wrong("cannot apply its own commit", done.error());
      hushed_ = false;
      return {};
    }
    ++counted_.own;
    if (what == intent::farewell) farewells_[part_.index] = 1;
    return {};
  }

  /// After an own commit: a snapshot, the Welcomes, and the entrance for those who come back.
  [[nodiscard]] std::string committed() {
    const pending done = *std::exchange(pending_, std::nullopt);
    if (auto bad = save(); !bad.empty()) return bad;
    for (const std::string& who : done.newcomers)
      if (const auto sent = net_->send_welcome(who, done.welcome); !sent)
        return wrong("cannot welcome " + who, sent.error());
    return show_entrance();
  }
  [[nodiscard]] std::string show_entrance() {
    shown_epoch_ = room_->epoch();
    const auto entrance = room_->entrance();
    if (!entrance) return wrong("no entrance", entrance.error());
    const auto shown = net_->publish_entrance(*entrance);
    return shown || shown.error() == cv::errc::stale_epoch ? std::string{} : wrong("no entrance", shown.error());
  }

  [[nodiscard]] std::string others(cv::byte_view message) {
    auto event = room_->receive(message);
    if (!event) {
      ++counted_.lost;
      return wrong("lost what came after " + std::to_string(read_.epoch) + "-" + std::to_string(read_.number),
                   event.error());
    }
    const auto* said = std::get_if<cv::mls::application_message>(&*event);
    if (said == nullptr) return {};
    ++counted_.received;
    cv::reader in{said->plaintext};
    const auto who = in.number<std::uint16_t>();
    const auto what = in.number<std::uint8_t>();
    const auto frame = in.opaque();
    if (!who || *who >= part_.people || !what || !frame) return name_ + ": a message is not what anybody sent";
    if (intent{*what} == intent::farewell) farewells_[*who] = 1;
    return frame->empty() ? std::string{} : open_frame(*who, *frame);
  }
  [[nodiscard]] std::string open_frame(std::size_t who, cv::byte_view frame) {
    cv::bytes plain(frame.size());
    const auto got = ear_->open(frame, {}, plain);
    if (!got) return wrong("a frame does not open", got.error());
    if (cv::as_text(got->bytes) != frame_of(who)) return name_ + ": a frame is another one";
    ++counted_.frames;
    return {};
  }
  [[nodiscard]] static std::string frame_of(std::size_t who) { return "the picture of person " + std::to_string(who); }

  /// Into its place again, by a commit of its own; what was said meanwhile it cannot read.
  [[nodiscard]] std::string come_back() {
    for (;; std::this_thread::sleep_for(std::chrono::milliseconds{50})) {
      if (late()) return name_ + " cannot come back";
      const auto entrance = net_->fetch_entrance();
      if (!entrance && entrance.error() == cv::errc::unknown_key) continue;
      if (!entrance) return wrong("no entrance", entrance.error());
      auto back = room_->come_back(*entrance);
      if (!back && back.error() == cv::errc::stale_epoch) continue;  // the newest one is still to be left
      if (!back) return wrong("cannot come back", back.error());
      if (auto bad = journal_.note(intent::commit, back->commit); !bad.empty()) return bad;
      const auto outcome = net_->offer(back->commit);
      if (!outcome) return wrong("cannot come back", outcome.error());
      if (!outcome->accepted) continue;
      if (auto bad = skip_to(outcome->at); !bad.empty()) return bad;
      if (const auto same = back->room.continue_from(*std::move(room_)); !same)
        return wrong("cannot go on", same.error());
      room_.emplace(std::move(back->room));
      ++counted_.came_back;
      pending_.reset();
      mic_.reset();
      hushed_ = false;
      if (auto bad = settle(outcome->at); !bad.empty()) return bad;
      return show_entrance();
    }
  }
  [[nodiscard]] std::string skip_to(const redis_place& end) {
    while (read_ < end) {
      const auto some = net_->read(read_);
      if (!some || some->empty()) return name_ + ": its own commit is not there";
      for (const auto& entry : *some) {
        if (read_ >= end) break;
        read_ = entry.at;
        const auto mine = journal_.find(entry.message);
        if (mine && *mine != intent::commit)
          if (auto bad = own(*mine); !bad.empty()) return bad;
        if (!mine && entry.at.number != 0) ++counted_.missed;
      }
    }
    return {};
  }

  // ---- what it does ----------------------------------------------------------------------------------------------

  [[nodiscard]] bool complete() const { return room_->size() == part_.people; }
  [[nodiscard]] bool over() const { return room_->epoch() >= part_.epochs; }
  [[nodiscard]] bool contends() const {
    return dies() || hushed_ || (part_.index + room_->epoch() * part_.contenders) % part_.people < part_.contenders;
  }
  /// It is to die as soon as a commit of its own is accepted, so it comes before all others.
  [[nodiscard]] bool dies() const {
    return part_.dies_after != 0 && room_->epoch() >= part_.dies_after && counted_.came_back == 0;
  }
  /// Its messages are spread over all epochs.
  [[nodiscard]] bool has_to_say() const {
    return spoken_ != room_->epoch() && counted_.own * part_.epochs < part_.messages * room_->epoch();
  }
  /// It waits for its moment in this epoch.
  [[nodiscard]] bool waits() const { return complete() && !over() && tried_ != room_->epoch() && contends(); }

  [[nodiscard]] std::string act() {
    if (began_epoch_ != room_->epoch()) {
      began_epoch_ = room_->epoch();
      began_ = env_.steady();
    }
    if (pending_) return {};
    if (part_.index == 0 && !complete()) return let_in();
    if (!complete()) return {};
    if (over()) {
      if (idle_ && farewells_[part_.index] == 0) return speak(intent::farewell);
      // whoever comes back needs one, even where the committer could not leave it
      if (idle_ && shown_epoch_ != room_->epoch() && part_.index < 3) return show_entrance();
      return {};
    }
    if (has_to_say()) {
      spoken_ = room_->epoch();
      if (auto bad = speak(intent::words); !bad.empty()) return bad;
    }
    // all who contend wait for the same moment
    if (!waits() || (!dies() && env_.steady() < began_ + std::chrono::milliseconds{150})) return {};
    tried_ = room_->epoch();
    if (saved_epoch_ != room_->epoch())
      if (auto bad = save(); !bad.empty()) return bad;
    auto change = room_->refresh();
    if (!change) return wrong("cannot commit", change.error());
    return commit(*std::move(change), {});
  }

  [[nodiscard]] std::string let_in() {
    while (knocks_.size() < part_.people - room_->size()) {
      auto package = net_->fetch_key_package("door");
      if (!package && package.error() == cv::errc::unknown_key) break;
      if (!package) return wrong("cannot look at the door", package.error());
      knocks_.push_back(*std::move(package));
    }
    const bool all = knocks_.size() == part_.people - room_->size();
    if (knocks_.empty() || (!all && env_.steady() < began_ + std::chrono::milliseconds{500})) return {};
    std::vector<cv::byte_view> packages;
    std::vector<std::string> names;
    for (const cv::bytes& each : knocks_) {
      const auto who = room_->visitor(each);
      if (!who) return wrong("a knock", who.error());
      packages.push_back(each);
      names.push_back(who->name);
    }
    if (saved_epoch_ != room_->epoch())
      if (auto bad = save(); !bad.empty()) return bad;
    auto change = room_->admit(packages);
    if (!change) return wrong("cannot admit", change.error());
    if (auto bad = commit(*std::move(change), std::move(names)); !bad.empty()) return bad;
    if (pending_) knocks_.clear();
    return {};
  }

  /// Of those who commit in an epoch one is accepted; it applies the commit when the log has come to it.
  [[nodiscard]] std::string commit(cv::meeting::change&& change, std::vector<std::string>&& newcomers) {
    if (auto bad = journal_.note(intent::commit, change.commit()); !bad.empty()) return bad;
    const auto outcome = net_->offer(change.commit());
    if (!outcome) return wrong("cannot send a commit", outcome.error());
    if (!outcome->accepted) return {};
    if (dies()) std::raise(SIGKILL);
    cv::bytes welcome = cv::to_bytes(change.welcome());
    pending_.emplace(pending{std::move(change), outcome->at, std::move(welcome), std::move(newcomers)});
    return {};
  }

  /// A message with a frame in it. One that came too late for its epoch is made again in the next.
  [[nodiscard]] std::string speak(intent what) {
    if (saved_epoch_ != room_->epoch())
      if (auto bad = save(); !bad.empty()) return bad;
    cv::bytes frame;
    if (!mic_ && !hushed_) {
      auto mic = room_->open_sender(0);
      if (!mic) return wrong("cannot speak", mic.error());
      mic_.emplace(*std::move(mic));
    }
    if (mic_) {
      const std::string picture = frame_of(part_.index);
      frame.resize(cv::sealed_size(picture.size()));
      const auto sealed = mic_->seal(cv::as_bytes(picture), {}, frame);
      if (!sealed) return wrong("cannot seal a frame", sealed.error());
      frame.resize(sealed->size());
    }
    cv::bytes content;
    cv::writer w{content};
    w.number(static_cast<std::uint16_t>(part_.index));
    w.number(static_cast<std::uint8_t>(what));
    w.opaque(frame);
    const auto message = room_->say(content);
    if (!message) return wrong("cannot speak", message.error());
    if (auto bad = journal_.note(what, *message); !bad.empty()) return bad;
    const auto outcome = net_->offer(*message);
    if (!outcome) return wrong("cannot send", outcome.error());
    return {};
  }

  struct pending {
    cv::meeting::change change;
    redis_place commit_at;
    cv::bytes welcome;
    std::vector<std::string> newcomers;
  };

  part part_;
  std::string files_, name_;
  cv::system_environment env_;
  cv::steady_time until_{}, began_{};
  std::optional<cv::identity> self_;
  cv::mls::snapshot_key snapshot_key_;
  std::optional<cv::delivery::redis> net_;
  std::optional<cv::meeting> room_;
  std::optional<cv::meeting::receiver> ear_;
  std::optional<cv::meeting::sender> mic_;
  std::optional<pending> pending_;
  journal journal_;
  tally counted_;
  cv::bytes farewells_;
  std::vector<cv::bytes> knocks_;
  redis_place read_;
  bool idle_ = false;
  bool hushed_ = false;  // it was restored, and seals no frame before a commit of its own
  std::optional<std::uint64_t> saved_epoch_, began_epoch_, tried_, spoken_, shown_epoch_;
};

}  // namespace demo
