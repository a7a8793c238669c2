// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// churn: a meeting that people enter and leave all the time, over a network with delays, in simulated time. Everything
/// is checked: which frames had to open, that they did, and what somebody who was removed could still do.
#pragma once

#include "../explain.hpp"
#include "churn_figures.hpp"
#include "simulation.hpp"

#include <conclave/conclave.hpp>
#include <conclave/delivery/in_process.hpp>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace demo {

namespace cv = conclave;
using cv::steady_time;

/// churn: one run.
class churn {
 public:
  churn(cv::environment& chance, const churn_options& options)
      : options_{options}, time_{chance}, dice_{options.seed} {}

  /// run(frames): `frames` are what the speakers say, over and over. Returns an error text, empty where everything that
  /// has to hold did; figures() then.
  [[nodiscard]] std::string run(const std::vector<cv::byte_view>& frames) {
    said_ = &frames;
    gather();
    for (steady_time at{0}; at < options_.duration; at += steady_time{1}) plan_.at(at, [this] { hosts_commit(); });
    for (std::size_t s = 0; s < options_.speakers; ++s)
      for (steady_time at{static_cast<steady_time::rep>(s)}; at < options_.duration; at += options_.frame_every)
        plan_.at(at, [this, s] { talk(s); });
    const steady_time between{1000 / std::max<std::size_t>(1, options_.changes_per_second)};
    bool coming = false;
    for (steady_time at{50}; at + steady_time{1000} < options_.duration; at += between, coming = !coming)
      plan_.at(at, [this, coming] { coming || !options_.leaves ? somebody_knocks() : somebody_goes(); });
    for (steady_time at{333}; at < options_.duration; at += options_.refresh_every)
      plan_.at(at, [this] { refresh(people_[dice_.below(options_.stay)].get()); });
    plan_.run_until(options_.duration + steady_time{5000}, time_);
    const auto there = static_cast<std::size_t>(std::ranges::count_if(people_, [](const auto& p) { return p->in(); }));
    if (error_.empty() && people_[0]->room->size() != there) fail("somebody is in the meeting who is not there");
    if (error_.empty() && figures_.lost != 0) fail(std::to_string(figures_.lost) + " frames were lost");
    if (error_.empty() && figures_.ghost_longest >= cv::limits::sframe_overlap_after_remove)
      fail("a removed person was heard for too long");
    return error_;
  }

  [[nodiscard]] const churn_figures& figures() const { return figures_; }

 private:
  static constexpr std::size_t no_position = static_cast<std::size_t>(-1);

  /// What a participant knows of an epoch: when it came to it, and how long older ones stay open from then on.
  struct began {
    steady_time at;
    steady_time overlap;
  };

  struct person {
    std::string name;
    steady_time distance{0};
    std::optional<cv::identity> self;
    std::optional<cv::knock> wish;
    std::optional<cv::meeting> room;
    std::optional<cv::meeting::receiver> ear;
    std::vector<cv::meeting::sender> mics;
    cv::early_frames waiting;
    std::map<std::uint64_t, began> epochs;
    std::size_t position = 0;      // in the log of the delivery service
    steady_time last_delivery{0};  // commits stay in order
    std::optional<cv::meeting::change> under_way;
    std::size_t under_way_position = no_position;
    std::size_t sent = 0;
    std::size_t next_frame = 0;
    bool connected = false;                   // the relay sends it frames
    bool goes = false;                        // its time has come
    bool leaving = false;                     // by itself
    bool ghost = false;                       // will ignore that it was removed
    std::size_t ignores = no_position;        // the commit that removed it
    std::optional<std::uint64_t> last_epoch;  // the one it was removed from

    [[nodiscard]] bool in() const { return room && room->active() && !last_epoch; }
    [[nodiscard]] std::uint64_t epoch() const { return epochs.empty() ? 0 : epochs.rbegin()->first; }
  };

  /// A frame on its way, with the demo's own notes.
  struct packet {
    std::shared_ptr<const cv::bytes> bytes;
    const cv::byte_view* plain;
    person* from;
    std::uint64_t epoch;
    bool ghost;  // its speaker was removed, and goes on
  };

  // ---- setting up ------------------------------------------------------------------------------------------------

  void gather() {
    for (std::size_t i = 0; i < options_.stay + options_.visitors; ++i) {
      person& p = somebody();
      if (i == 0) {
        auto room = cv::meeting::create(time_, *p.self, "churn");
        if (!room) return fail(explain("no meeting", room.error()));
        p.room.emplace(*std::move(room));
        settle_in(p);
      } else {
        knock(p);
      }
    }
    if (!error_.empty()) return;
    // everybody in one commit, before the clock starts; the second one becomes a co-host
    person& host = *people_[0];
    std::vector<cv::byte_view> packages;
    for (std::size_t i = 1; i < people_.size(); ++i) packages.push_back(people_[i]->wish->key_package());
    auto add = host.room->admit(packages);
    if (!add) return fail(explain("nobody was admitted", add.error()));
    const cv::bytes welcome = cv::to_bytes(add->welcome());
    publish_at_once(host, *std::move(add));
    for (std::size_t i = 1; i < people_.size(); ++i) {
      people_[i]->position = net_.position();
      enter(*people_[i], welcome);
    }
    auto helper = host.room->set_role(*host.room->find(people_[1]->name), cv::role::co_host);
    if (!helper) return fail(explain("no co-host", helper.error()));
    publish_at_once(host, *std::move(helper));
    for (auto& p : people_) read(*p);
    for (std::size_t s = 0; s < options_.speakers && error_.empty(); ++s) open_mic(*people_[s]);
    gatherings_[1] = cv::gathering({.turn = 1});
    figures_.largest = people_.size();
  }

  person& somebody() {
    auto p = std::make_unique<person>();
    p->name = "person " + std::to_string(people_.size() + 1);
    p->distance = steady_time{5} + dice_.within(options_.distance - steady_time{5});
    auto self = cv::identity::generate(time_, p->name);
    if (self)
      p->self.emplace(*std::move(self));
    else
      fail(explain("no key", self.error()));
    people_.push_back(std::move(p));
    return *people_.back();
  }
  void knock(person& p) {
    auto wish = cv::knock::create(time_, *p.self);
    if (!wish) return fail(explain("no key package", wish.error()));
    p.wish.emplace(*std::move(wish));
  }
  void enter(person& p, cv::byte_view welcome) {
    auto room = cv::meeting::join(std::move(*p.wish), welcome);
    if (!room) return fail(explain(p.name + " cannot join", room.error()));
    p.wish.reset();
    p.room.emplace(*std::move(room));
    settle_in(p);
  }
  void settle_in(person& p) {
    auto ear = p.room->open_receiver();
    if (!ear) return fail(explain(p.name + " cannot listen", ear.error()));
    p.ear.emplace(*std::move(ear));
    p.connected = true;
    note_epoch(p, false);
  }
  void open_mic(person& p) {
    auto mic = p.room->open_sender(0);
    if (!mic) return fail(explain(p.name + " cannot speak", mic.error()));
    p.mics.push_back(*std::move(mic));
  }
  void publish_at_once(person& p, cv::meeting::change&& change) {
    if (!net_.send(change.commit())) return fail("the delivery service refused");
    if (const auto done = p.room->apply(std::move(change)); !done) return fail(explain("no change", done.error()));
    p.position = net_.position();
    note_epoch(p, false);
  }

  // ---- commits ---------------------------------------------------------------------------------------------------

  /// Both hosts gather the same wishes; the second waits a turn longer.
  void hosts_commit() {
    if (!error_.empty()) return;
    for (std::size_t h = 0; h < 2; ++h) {
      person& host = *people_[h];
      if (host.under_way) continue;
      const auto todo = gatherings_[h].take(now(), host.room->tree());
      if (!todo) continue;
      auto change = host.room->commit(todo->request());
      if (!change) return fail(explain("the host cannot commit", change.error()));
      std::vector<person*> guests;
      for (auto& p : people_)
        if (p->wish && std::ranges::any_of(todo->joins, [&](cv::byte_view package) {
              return cv::equal(package, p->wish->key_package());
            }))
          guests.push_back(p.get());
      send(host, *std::move(change), std::move(guests), h);
    }
  }

  void refresh(person* p) {
    if (!error_.empty() || p->under_way || p == people_[0].get() || p == people_[1].get()) return;
    auto change = p->room->refresh();
    if (!change) return fail(explain("no refresh", change.error()));
    ++figures_.refreshes;
    send(*p, *std::move(change), {}, no_position);
  }

  /// A commit goes to the delivery service, which orders it, or has had another one before. `h`: which host's gathering
  /// is to know.
  void send(person& p, cv::meeting::change&& change, std::vector<person*> guests, std::size_t h) {
    p.under_way.emplace(std::move(change));
    p.under_way_position = no_position;
    const std::size_t number = ++p.sent;
    const auto message = std::make_shared<const cv::bytes>(cv::to_bytes(p.under_way->commit()));
    const auto welcome = std::make_shared<const cv::bytes>(cv::to_bytes(p.under_way->welcome()));
    const auto gone = names_of(p, p.under_way->facts().removed);
    plan_.at(now() + p.distance, [this, &p, message, welcome, gone, guests = std::move(guests), h, number] {
      const auto position = net_.send(*message);
      if (!position) {
        ++figures_.races_lost;
        if (h == no_position) return;
        plan_.at(now() + p.distance, [this, &p, h, number] {
          if (p.under_way && p.sent == number) gatherings_[h].overtaken();
        });
        return;
      }
      p.under_way_position = *position;
      ++figures_.commits;
      figures_.commit_bytes += message->size();
      figures_.largest_commit = std::max(figures_.largest_commit, message->size());
      for (const std::string& name : gone) let_go(name, *position);
      for (person* guest : guests) invite(*guest, welcome, *position + 1);
      spread();
    });
  }

  [[nodiscard]] static std::vector<std::string> names_of(const person& p, const std::vector<cv::mls::leaf_index>& at) {
    std::vector<std::string> out;
    for (const auto leaf : at) out.emplace_back(cv::as_text(p.room->tree().leaf(leaf)->credential.data));
    return out;
  }

  void let_go(const std::string& name, std::size_t position) {
    const auto who = std::ranges::find(people_, name, [](const auto& p) { return p->name; });
    if ((*who)->ghost) (*who)->ignores = position;
    const auto wished = wishes_to_go_.find(name);
    if (wished == wishes_to_go_.end()) return;
    figures_.longest_wait = std::max(figures_.longest_wait, now() - wished->second);
    wishes_to_go_.erase(wished);
    ++figures_.leaves;
  }

  /// Everybody is told that the delivery service has something new.
  void spread() {
    for (auto& each : people_) {
      person& p = *each;
      if (!p.room || p.last_epoch) continue;
      const steady_time stall = dice_.one_in(20) ? options_.commit_stall : steady_time{0};
      p.last_delivery = std::max(p.last_delivery, now() + p.distance + dice_.within(options_.commit_jitter) + stall);
      const std::size_t end = net_.position();
      plan_.at(p.last_delivery, [this, &p, end] { read(p, end); });
    }
  }

  void invite(person& p, const std::shared_ptr<const cv::bytes>& welcome, std::size_t position) {
    p.position = position;
    p.connected = true;  // frames come as soon as the commit is accepted, perhaps before the Welcome
    plan_.at(now() + p.distance + dice_.within(options_.commit_jitter), [this, &p, welcome] {
      enter(p, *welcome);
      if (!error_.empty()) return;
      ++figures_.joins;
      retry(p);
      read(p);
    });
  }

  void read(person& p, std::size_t end = no_position) {
    while (error_.empty() && p.in() && p.position < std::min(end, net_.position())) {
      if (p.position == p.ignores) {
        p.last_epoch = p.epoch();
        return;
      }
      const std::size_t here = p.position++;
      if (p.under_way && p.under_way_position == here) {
        const auto facts = p.under_way->facts();
        if (const auto done = p.room->apply(std::move(*p.under_way)); !done)
          return fail(explain(p.name + " cannot apply", done.error()));
        p.under_way.reset();
        follow(p, facts, true);
        continue;
      }
      const auto message = net_.read(here);
      const auto event = p.room->receive(*message);
      if (!event) {
        if (event.error().broken_rule() == &cv::mls::rules::own_message) continue;  // its own proposal
        return fail(explain(p.name + " cannot follow", event.error()));
      }
      if (const auto* change = std::get_if<cv::mls::epoch_change>(&*event)) {
        if (change->removed_me) {
          p.last_epoch = change->epoch - 1;
          return;
        }
        p.under_way.reset();
        follow(p, *change, false);
      } else if (const auto* wish = std::get_if<cv::mls::received_proposal>(&*event)) {
        for (std::size_t h = 0; h < 2; ++h)
          if (people_[h].get() == &p) gatherings_[h].proposed(wish->type, now());
      }
    }
  }

  void follow(person& p, const cv::mls::epoch_change& change, bool own) {
    (void)p.room->take_events();
    for (std::size_t h = 0; h < 2; ++h)
      if (people_[h].get() == &p)
        own ? gatherings_[h].accepted(change, p.room->tree(), now())
            : gatherings_[h].follow(change, p.room->tree(), now());
    note_epoch(p, !change.removed.empty());
    figures_.largest = std::max(figures_.largest, p.room->size());
    if (p.leaving && p.in() && !own) propose_to_leave(p);  // its proposal was for an epoch that is over
    retry(p);
  }

  void note_epoch(person& p, bool removal) {
    p.epochs[p.room->epoch()] = {now(), removal ? cv::limits::sframe_overlap_after_remove : cv::limits::sframe_overlap};
  }

  // ---- coming and going ------------------------------------------------------------------------------------------

  void somebody_knocks() {
    if (!error_.empty()) return;
    person& p = somebody();
    knock(p);
    if (!error_.empty()) return;
    for (std::size_t h = 0; h < 2; ++h) {
      plan_.at(now() + p.distance + people_[h]->distance, [this, &p, h] {
        if (!p.wish) return;  // in already
        if (const auto done = gatherings_[h].join(p.wish->key_package(), now()); !done)
          fail(explain("no room to wait", done.error()));
      });
    }
  }

  /// One goes by itself, the next is removed by a host, and of those who are removed some do not accept it.
  void somebody_goes() {
    if (!error_.empty()) return;
    std::vector<person*> visitors;
    for (std::size_t i = options_.stay; i < people_.size(); ++i)
      if (people_[i]->in() && !people_[i]->goes) visitors.push_back(people_[i].get());
    if (visitors.size() < 2) return;
    person& p = *visitors[dice_.below(visitors.size())];
    p.goes = true;
    ++goers_;
    wishes_to_go_[p.name] = now();
    if (goers_ % 2 == 0) {
      p.leaving = true;
      return propose_to_leave(p);
    }
    p.ghost = goers_ % 4 == 1;
    if (p.ghost) open_mic(p);
    for (std::size_t h = 0; h < 2; ++h) {
      plan_.at(now() + people_[h]->distance, [this, &p, h] {
        const auto leaf = people_[h]->room->find(p.name);
        if (!leaf) return;
        if (const auto done = gatherings_[h].remove(*leaf, now()); !done) fail(explain("no wish", done.error()));
      });
    }
    if (p.ghost)
      for (steady_time after{0}; after < steady_time{2500}; after += options_.frame_every)
        plan_.at(now() + after, [this, &p] { seal(p); });
  }

  void propose_to_leave(person& p) {
    const auto wish = p.room->leave();
    if (!wish) return fail(explain(p.name + " cannot leave", wish.error()));
    const auto message = std::make_shared<const cv::bytes>(*wish);
    plan_.at(now() + p.distance, [this, message] {
      if (net_.send(*message)) spread();  // else it was too late: again in the next epoch
    });
  }

  // ---- frames ----------------------------------------------------------------------------------------------------

  void talk(std::size_t speaker) {
    if (error_.empty()) seal(*people_[speaker]);
  }

  void seal(person& p) {
    if (!error_.empty() || p.mics.empty()) return;
    const cv::byte_view& plain = (*said_)[p.next_frame++ % said_->size()];
    cv::bytes sealed(cv::sealed_size(plain.size()));
    const auto done = p.mics.front().seal(plain, {}, sealed);
    if (!done) return fail(explain(p.name + " cannot send", done.error()));
    sealed.resize(done->size());
    ++figures_.frames;
    const packet out{std::make_shared<const cv::bytes>(std::move(sealed)), &plain, &p, p.mics.front().epoch(),
                     p.last_epoch.has_value()};
    plan_.at(now() + p.distance + dice_.within(options_.frame_jitter / 2), [this, out] { relay(out); });
  }

  void relay(const packet& frame) {
    for (auto& each : people_) {
      person& p = *each;
      if (&p == frame.from || !p.connected) continue;
      plan_.at(now() + p.distance + dice_.within(options_.frame_jitter / 2), [this, &p, frame] { hear(p, frame); });
    }
  }

  /// True where a frame of this epoch has to open now: its epoch has not closed here.
  [[nodiscard]] bool open_here(const person& p, std::uint64_t epoch) const {
    for (auto later = p.epochs.upper_bound(epoch); later != p.epochs.end(); ++later)
      if (later->second.at + later->second.overlap <= now()) return false;
    return true;
  }

  void hear(person& p, const packet& frame) {
    if (!error_.empty()) return;
    if (!p.room) return wait(p, frame);
    cv::bytes out(frame.bytes->size());
    const auto got = p.ear->open(*frame.bytes, {}, out);
    if (p.last_epoch) {
      if (frame.epoch <= *p.last_epoch) return;
      if (got) return fail(p.name + " has left and could open a frame");
      ++figures_.refused_to_leavers;
      return;
    }
    if (frame.epoch < p.epochs.begin()->first) return;  // from before its time
    if (!got && got.error() == cv::errc::early) return wait(p, frame);
    if (frame.ghost && frame.epoch < p.epoch()) return hear_ghost(p, frame, got);
    if (got) return opened(*got, *frame.plain);
    ++(open_here(p, frame.epoch) ? figures_.lost : figures_.missed);
  }

  /// A frame overtook its commit, or the Welcome.
  void wait(person& p, const packet& frame) {
    const auto kept = p.waiting.keep(reinterpret_cast<std::uintptr_t>(frame.from), *frame.bytes, {}, now());
    if (!kept) return fail("no room for an early frame");
    early_[{&p, frame.epoch}].push_back({now(), cv::sframe::header::decode(*frame.bytes)->ctr, frame});
  }

  /// A frame of somebody who was removed and does not accept it. Since when, for this listener?
  void hear_ghost(person& p, const packet& frame, const cv::result<cv::sframe::opened>& got) {
    ++figures_.ghost_frames;
    if (!got) return;
    if (!got->late) return fail("a frame of an old epoch was not marked late");
    ++figures_.ghost_opened;
    const auto since = p.epochs.upper_bound(frame.epoch)->second.at;
    figures_.ghost_longest = std::max(figures_.ghost_longest, now() - since);
  }

  void opened(const cv::sframe::opened& got, cv::byte_view plain) {
    if (!cv::equal(got.bytes, plain)) return fail("a frame differs from what was said");
    ++figures_.opened;
    figures_.late += got.late ? 1 : 0;
  }

  /// Frames that waited are opened as soon as the commit is there, all that are not too old.
  void retry(person& p) {
    std::map<std::uint64_t, std::size_t> have;
    const auto done = p.waiting.retry(*p.ear, now(), [&](std::uint64_t source, const cv::sframe::opened& got) {
      for (const early_note& note : early_[{&p, got.epoch}])
        if (note.counter == got.counter && reinterpret_cast<std::uintptr_t>(note.frame.from) == source) {
          ++have[got.epoch];
          ++figures_.waited;
          return opened(got, *note.frame.plain);
        }
      fail("a frame opened that nobody sent");
    });
    if (!done) return fail(explain("no retry", done.error()));
    for (auto at = early_.lower_bound({&p, 0}); at != early_.end() && at->first.first == &p;) {
      const std::uint64_t epoch = at->first.second;
      if (epoch > p.epoch()) {
        ++at;
        continue;
      }
      std::size_t expected = 0;
      for (const early_note& note : at->second)
        if (note.since + cv::limits::early_age > now() && epoch >= p.epochs.begin()->first && open_here(p, epoch))
          ++expected;
      if (have[epoch] < expected) figures_.lost += expected - have[epoch];
      at = early_.erase(at);
    }
  }

  [[nodiscard]] steady_time now() const { return time_.now(); }
  void fail(const std::string& why) {
    if (error_.empty()) error_ = why;
  }

  struct early_note {
    steady_time since;
    std::uint64_t counter;
    packet frame;
  };

  churn_options options_;
  simulated_time time_;
  dice dice_;
  schedule plan_;
  cv::delivery::in_process net_;
  std::vector<std::unique_ptr<person>> people_;
  std::array<cv::gathering, 2> gatherings_;
  std::map<std::string, steady_time> wishes_to_go_;
  std::map<std::pair<const person*, std::uint64_t>, std::vector<early_note>> early_;
  std::size_t goers_ = 0;
  const std::vector<cv::byte_view>* said_ = nullptr;
  churn_figures figures_;
  std::string error_;
};

/// show_churn(chance, frames): the runs that `--churn` shows, on standard output. Returns an error text, empty for
/// success.
[[nodiscard]] inline std::string show_churn(cv::environment& chance, const std::vector<cv::byte_view>& frames) {
  for (const bool stalls : {false, true}) {
    churn_options options;
    if (stalls) options.commit_stall = steady_time{1000};
    std::printf(
        "  %zu people stay and %zu visit, %zu speak; %zu joins and leaves a second, for %lld simulated seconds\n",
        options.stay, options.visitors, options.speakers, options.changes_per_second,
        static_cast<long long>(options.duration.count()) / 1000);
    std::printf("  network         one commit in 20 is %lld ms late\n",
                static_cast<long long>(options.commit_stall.count()));
    churn run(chance, options);
    const std::string bad = run.run(frames);
    print_churn(options, run.figures());
    if (!bad.empty()) return bad;
    if (!stalls && run.figures().missed != 0) return "frames came too late on a network that is fast enough";
  }
  return {};
}

}  // namespace demo
