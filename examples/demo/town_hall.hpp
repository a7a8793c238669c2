// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// town_hall: a meeting of ten thousand. A few speak, the others listen, come and go; one host gathers their wishes
/// into commits. Some listeners, spread over the tree, have a complete state of their own and open every frame; the
/// others are real key packages that were added, and silent.
#pragma once

#include "crowd.hpp"
#include "simulation.hpp"

#include "../explain.hpp"

#include <conclave/conclave.hpp>

#include <sys/resource.h>
#include <time.h>

#include <array>
#include <memory>
#include <optional>

namespace demo {

namespace cv = conclave;
using cv::steady_time;

/// samples: what was measured several times.
struct samples {
  std::vector<double> values;

  void add(double x) { values.push_back(x); }
  [[nodiscard]] double median() const {
    if (values.empty()) return 0;
    auto sorted = values;
    std::ranges::nth_element(sorted, sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2));
    return sorted[sorted.size() / 2];
  }
  [[nodiscard]] double largest() const { return values.empty() ? 0 : *std::ranges::max_element(values); }
  [[nodiscard]] double sum() const {
    double out = 0;
    for (const double x : values) out += x;
    return out;
  }
};

/// processor_time(): what this thread has computed so far, in seconds; other threads and programs do not count.
[[nodiscard]] inline double processor_time() {
  timespec now{};
  (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// commit_costs: of one kind of commit. Seconds of one processor, and bytes.
struct commit_costs {
  samples create, receive, bytes, change;  ///< change: from the commit's arrival to the first frame under the new key
};

/// town_hall_options: `slot` is for coming and going. A commit that removes somebody has an UpdatePath, and where few
/// have ever committed that is a ciphertext for nearly every member: with four of these a second, a listener would get
/// more of commits than of sound.
struct town_hall_options {
  std::size_t listeners = 10'000;
  std::size_t complete = 64;          ///< of them, with a state of their own
  std::size_t speakers = 3;           ///< the first of these
  std::size_t slots = 20;             ///< of coming and going
  std::size_t changes_per_slot = 50;  ///< as many who come, and as many who go
  steady_time slot{5000};
};

class town_hall {
 public:
  town_hall(cv::environment& chance, const town_hall_options& options)
      : options_{options}, time_{chance}, wishes_{{.lean_joins = true}} {
    settings_.group.tree_in_welcome = false;
    options_.changes_per_slot = std::min(options_.changes_per_slot, options_.listeners / 20);
  }

  /// run(frames): Returns an error text, empty for success. What was measured is printed on the way.
  [[nodiscard]] std::string run(const std::vector<cv::byte_view>& frames) {
    frames_ = &frames;
    const auto start = clock::now();
    const scene scenes[] = {&town_hall::open_doors, &town_hall::everybody_comes, &town_hall::refresh_keys,
                            &town_hall::come_and_go, &town_hall::leavers_hear_nothing};
    for (const scene s : scenes)
      if (auto bad = (this->*s)(); !bad.empty()) return bad;
    print(seconds_since(start));
    return {};
  }

 private:
  using scene = std::string (town_hall::*)();

  /// A member with a complete state.
  struct member {
    std::optional<cv::knock> wish;
    std::optional<cv::meeting> room;
    std::optional<cv::meeting::receiver> ear;
    std::optional<cv::meeting::sender> mic;
    double received = 0;  // seconds for the last commit
    std::size_t opened = 0;
  };

  struct packet {
    cv::bytes bytes;
    std::size_t speaker;
    std::size_t frame;
  };

  // ---- scenes ----------------------------------------------------------------------------------------------------

  [[nodiscard]] std::string open_doors() {
    say("%zu people; %zu of them have a complete state and open every frame, the others stay silent", everybody(),
        options_.complete);
    members_.resize(options_.complete);
    auto self = cv::identity::generate(time_, "host");
    if (!self) return explain("no key", self.error());
    auto room = cv::meeting::create(time_, *self, "town hall", settings_);
    if (!room) return explain("no meeting", room.error());
    host().room.emplace(*std::move(room));
    host().ear.emplace(*host().room->open_receiver());
    speak_from(host());

    const auto start = clock::now();
    packages_.resize(options_.listeners);
    auto bad = for_all(options_.listeners, "key packages", [&](std::size_t i) { return knocks(i); });
    package_seconds_ = seconds_since(start);
    return bad;
  }

  [[nodiscard]] std::string everybody_comes() {
    const auto start = clock::now();
    const steady_time opened = time_.now();
    for (std::size_t next = 0; next < packages_.size() || wishes_.waiting() > 0;) {
      for (; next < packages_.size(); ++next)
        if (!wishes_.join(packages_[next], time_.now())) break;  // the place to wait is full
      if (auto bad = commit_what_is_due(rush_, admitted_, {}); !bad.empty()) return bad;
      if (seconds_since(last_said_) > 2) say("  %zu are in", host().room->size());
    }
    rush_seconds_ = seconds_since(start);
    rush_time_ = time_.now() - opened + cv::limits::commit_slot;
    say("all are in, after %zu commits; all %zu screens show %s", rush_.create.values.size(), members_.size(),
        host().room->code().digits().c_str());
    for (std::size_t s = 1; s < options_.speakers; ++s) speak_from(members_[s * members_.size() / options_.speakers]);
    memory_with_members_ = memory();
    return speak_and_listen(frames_->size() / 2);
  }

  /// Those with a complete state renew their keys in turn. Each commit fills the nodes above its leaf, so the next
  /// ones are shorter.
  [[nodiscard]] std::string refresh_keys() {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      // the first half of the tree, then the second, then the quarters: as wide apart as can be
      member& m = members_[spread(i)];
      time_.move_to(time_.now() + cv::limits::refresh_spacing);
      const double start = processor_time();
      auto change = m.room->refresh();
      if (!change) return explain("no refresh", change.error());
      refresh_.create.add(processor_time() - start);
      if (auto bad = publish(m, *std::move(change), refresh_); !bad.empty()) return bad;
      if (seconds_since(last_said_) > 2) say("  %zu have refreshed their keys", i + 1);
    }
    say("%zu have refreshed their keys: a commit of %.0f bytes at first, %.0f at last", members_.size(),
        refresh_.bytes.values.front(), refresh_.bytes.values.back());
    return {};
  }

  [[nodiscard]] std::string come_and_go() {
    wishes_ = cv::gathering({.slot = options_.slot, .lean_joins = true});
    for (std::size_t slot = 0; slot < options_.slots; ++slot) {
      const std::size_t from = packages_.size();
      packages_.resize(from + options_.changes_per_slot);
      auto bad = for_all(options_.changes_per_slot, "key packages",
                         [&](std::size_t i) { return silent(packages_[from + i]); });
      if (!bad.empty()) return bad;
      for (std::size_t i = from; i < packages_.size(); ++i)
        if (const auto done = wishes_.join(packages_[i], time_.now()); !done)
          return explain("no room to wait", done.error());
      for (std::size_t i = 0; i < options_.changes_per_slot; ++i)
        if (const auto done = wishes_.remove(somebody_silent(), time_.now()); !done)
          return explain("no wish", done.error());
      if (slot == options_.slots / 2)
        for (const std::size_t i : {members_.size() / 2 + 1, members_.size() - 1})
          if (const auto done = wishes_.remove(members_[i].room->own_leaf(), time_.now()); !done)
            return explain("no wish", done.error());

      // said before the commit, heard after it
      std::vector<packet> in_flight;
      if (bad = seal(3, in_flight); !bad.empty()) return bad;
      if (bad = commit_what_is_due(churn_, admitted_, in_flight); !bad.empty()) return bad;
      if (bad = speak_and_listen(10); !bad.empty()) return bad;
      if (seconds_since(last_said_) > 2) say("  %zu of %zu slots of coming and going", slot + 1, options_.slots);
    }
    say("%zu came and %zu went in %zu commits", came_ - options_.listeners, went_, churn_.create.values.size());
    return {};
  }

  [[nodiscard]] std::string leavers_hear_nothing() {
    std::vector<packet> said;
    if (auto bad = seal(20, said); !bad.empty()) return bad;
    cv::bytes out;
    for (member& m : members_) {
      if (m.room->active()) continue;
      ++leavers_;
      for (const packet& p : said) {
        out.resize(p.bytes.size());
        if (m.ear->open(p.bytes, {}, out)) return "somebody has left and could open a frame";
        ++refused_;
      }
    }
    return leavers_ == 2 ? std::string{} : "two should have left";
  }

  // ---- people ----------------------------------------------------------------------------------------------------

  [[nodiscard]] member& host() { return members_.front(); }
  [[nodiscard]] std::size_t everybody() const { return options_.listeners + 1; }

  /// Listener i knocks; one in so many keeps what it needs to join.
  [[nodiscard]] std::string knocks(std::size_t i) {
    const std::size_t every = options_.listeners / (options_.complete - 1);
    const std::size_t m = i / every + 1;
    if (i % every != every / 2 || m >= members_.size()) return silent(packages_[i]);
    const auto self = cv::identity::generate(time_, "listener " + std::to_string(i));
    if (!self) return explain("no key", self.error());
    auto wish = cv::knock::create(time_, *self, settings_);
    if (!wish) return explain("no key package", wish.error());
    packages_[i] = cv::to_bytes(wish->key_package());
    members_[m].wish.emplace(*std::move(wish));
    return {};
  }
  [[nodiscard]] std::string silent(cv::bytes& package) {
    const auto self = cv::identity::generate(time_, "silent");
    if (!self) return explain("no key", self.error());
    const auto wish = cv::knock::create(time_, *self, settings_);
    if (!wish) return explain("no key package", wish.error());
    package = cv::to_bytes(wish->key_package());
    return {};
  }

  [[nodiscard]] cv::mls::leaf_index somebody_silent() {
    const auto& tree = host().room->tree();
    for (;;) {
      const cv::mls::leaf_index leaf{static_cast<std::uint32_t>(dice_.below(tree.leaf_count()))};
      if (tree.contains(leaf) &&
          std::ranges::none_of(members_, [&](const member& m) { return m.room && m.room->own_leaf() == leaf; }))
        return leaf;
    }
  }

  /// A permutation of the members in which neighbours are far apart: bits in reverse.
  [[nodiscard]] std::size_t spread(std::size_t i) const {
    std::vector<std::size_t> order;
    const auto bits = static_cast<unsigned>(std::bit_width(members_.size() - 1));
    for (std::size_t k = 0; k < (std::size_t{1} << bits); ++k) {
      std::size_t reversed = 0;
      for (unsigned b = 0; b < bits; ++b) reversed |= ((k >> b) & 1U) << (bits - 1 - b);
      if (reversed < members_.size()) order.push_back(reversed);
    }
    return order[i];
  }

  // ---- commits ---------------------------------------------------------------------------------------------------

  /// One commit of the host, when its slot has come; newcomers with a complete state join.
  [[nodiscard]] std::string commit_what_is_due(commit_costs& costs, commit_costs& welcomes,
                                               const std::vector<packet>& in_flight) {
    time_.move_to(std::max(time_.now(), wishes_.due()));
    const auto todo = wishes_.take(time_.now(), host().room->tree());
    if (!todo) return "nothing to commit when it was due";
    const double start = processor_time();
    auto change = host().room->commit(todo->request());
    if (!change) return explain("the host cannot commit", change.error());
    costs.create.add(processor_time() - start);
    if (!todo->joins.empty()) welcomes.bytes.add(static_cast<double>(change->welcome().size()));
    joiners_ += static_cast<double>(todo->joins.size());

    std::vector<member*> newcomers;
    for (member& m : members_)
      if (m.wish && std::ranges::any_of(
                        todo->joins, [&](cv::byte_view package) { return cv::equal(package, m.wish->key_package()); }))
        newcomers.push_back(&m);
    const cv::bytes welcome = newcomers.empty() ? cv::bytes{} : cv::to_bytes(change->welcome());
    const cv::bytes tree = newcomers.empty() ? cv::bytes{} : change->ratchet_tree();
    if (!tree.empty()) tree_bytes_ = static_cast<double>(tree.size());
    const auto facts = change->facts();
    if (auto bad = publish(host(), *std::move(change), costs, in_flight); !bad.empty()) return bad;
    wishes_.accepted(facts, host().room->tree(), time_.now());
    came_ += facts.added.size();
    went_ += facts.removed.size();

    auto bad = for_all(newcomers.size(), "joining", [&](std::size_t i) -> std::string {
      const double began = processor_time();
      auto room = cv::meeting::join(std::move(*newcomers[i]->wish), welcome, tree);
      if (!room) return explain("somebody cannot join", room.error());
      newcomers[i]->received = processor_time() - began;
      newcomers[i]->wish.reset();
      newcomers[i]->room.emplace(*std::move(room));
      newcomers[i]->ear.emplace(*newcomers[i]->room->open_receiver());
      return {};
    });
    for (const member* m : newcomers) join_.add(m->received);
    return bad.empty() ? same_code() : bad;
  }

  /// Everybody who is in receives a commit, then hears what was in flight, then a first frame under the new key.
  [[nodiscard]] std::string publish(member& from, cv::meeting::change&& change, commit_costs& costs,
                                    const std::vector<packet>& in_flight = {}) {
    const cv::bytes message = cv::to_bytes(change.commit());
    costs.bytes.add(static_cast<double>(message.size()));
    if (const auto done = from.room->apply(std::move(change)); !done) return explain("no change", done.error());
    (void)from.room->take_events();
    std::vector<packet> first;
    if (auto bad = seal(1, first); !bad.empty()) return bad;
    std::vector<double> changed(members_.size(), 0);
    auto bad = for_all(members_.size(), "following", [&](std::size_t i) -> std::string {
      member& m = members_[i];
      if (!m.room || !m.room->active()) return {};
      const double start = processor_time();
      if (&m != &from) {
        if (const auto event = m.room->receive(message); !event)
          return explain("somebody cannot follow", event.error());
        m.received = processor_time() - start;
        (void)m.room->take_events();
        if (!m.room->active()) return {};
        if (auto deaf = hear(m, first); !deaf.empty()) return deaf;
        changed[i] = processor_time() - start;
      }
      return hear(m, in_flight);
    });
    for (std::size_t i = 0; i < members_.size(); ++i)
      if (changed[i] > 0) {
        costs.receive.add(members_[i].received);
        costs.change.add(changed[i]);
      }
    return bad;
  }

  [[nodiscard]] std::string same_code() {
    const auto code = host().room->code();
    for (const member& m : members_)
      if (m.room && m.room->active() && !(m.room->code() == code)) return "two screens show different codes";
    return {};
  }

  // ---- frames ----------------------------------------------------------------------------------------------------

  void speak_from(member& m) { m.mic.emplace(*m.room->open_sender(0)); }

  [[nodiscard]] std::string seal(std::size_t count, std::vector<packet>& out) {
    for (std::size_t i = 0; i < count; ++i, ++next_frame_)
      for (std::size_t s = 0; s < members_.size(); ++s) {
        member& m = members_[s];
        if (!m.mic) continue;
        const cv::byte_view plain = (*frames_)[next_frame_ % frames_->size()];
        packet p{cv::bytes(cv::sealed_size(plain.size())), s, next_frame_ % frames_->size()};
        const auto sealed = m.mic->seal(plain, {}, p.bytes);
        if (!sealed) return explain("somebody cannot speak", sealed.error());
        p.bytes.resize(sealed->size());
        ++sealed_;
        out.push_back(std::move(p));
      }
    return {};
  }

  [[nodiscard]] std::string hear(member& m, const std::vector<packet>& packets) {
    cv::bytes out;
    for (const packet& p : packets) {
      if (&members_[p.speaker] == &m) continue;
      out.resize(p.bytes.size());
      const auto got = m.ear->open(p.bytes, {}, out);
      if (!got) return explain("a listener cannot open a frame", got.error());
      if (!cv::equal(got->bytes, (*frames_)[p.frame])) return "a listener opened something else than was said";
      ++m.opened;
    }
    return {};
  }

  [[nodiscard]] std::string speak_and_listen(std::size_t count) {
    std::vector<packet> said;
    if (auto bad = seal(count, said); !bad.empty()) return bad;
    return for_all(members_.size(), "listening",
                   [&](std::size_t i) { return members_[i].room->active() ? hear(members_[i], said) : std::string{}; });
  }

  // ---- telling ---------------------------------------------------------------------------------------------------

  template <class... Args>
  void say(const char* format, Args... args) {
    last_said_ = clock::now();
    std::fputs("  ", stderr);
    std::fprintf(stderr, format, args...);
    std::fputs("\n", stderr);
  }

  /// Peak memory in MB.
  [[nodiscard]] static double memory() {
    rusage used{};
    return getrusage(RUSAGE_SELF, &used) == 0 ? static_cast<double>(used.ru_maxrss) / 1024 : 0;
  }

  /// What this process has computed so far, in seconds of one processor.
  [[nodiscard]] static double processors_time() {
    rusage used{};
    if (getrusage(RUSAGE_SELF, &used) != 0) return 0;
    const auto seconds = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
  }

  static void print_costs(const char* what, const commit_costs& c) {
    std::printf("  %-15s %zu commits, %.1f KB each (%.1f at most)\n", what, c.create.values.size(),
                c.bytes.median() / 1000, c.bytes.largest() / 1000);
    std::printf("                  %.1f ms to make (%.1f at most), %.2f ms to process (%.2f at most)\n",
                1e3 * c.create.median(), 1e3 * c.create.largest(), 1e3 * c.receive.median(), 1e3 * c.receive.largest());
    std::printf("                  %.2f ms until the first frame under the new key is open (%.2f at most)\n",
                1e3 * c.change.median(), 1e3 * c.change.largest());
  }

  void print(double seconds) const {
    std::size_t opened = 0;
    for (const member& m : members_) opened += m.opened;
    const double listeners = static_cast<double>(options_.listeners);
    std::printf("  people          %zu; %zu have a complete state and opened every frame\n", everybody(),
                options_.complete);
    std::printf("                  the other %zu are real key packages: added, and silent\n",
                everybody() - options_.complete);
    std::printf("  coming in       %.0f people a second on the cadence, %.0f where the host computes without a pause\n",
                1e3 * listeners / static_cast<double>(rush_time_.count()), listeners / rush_.create.sum());
    std::printf("                  %.1f s in this process, with all %zu who follow; key packages %.1f s\n",
                rush_seconds_, options_.complete, package_seconds_);
    print_costs("adding", rush_);
    std::printf("  joining         %.0f ms (%.0f at most)\n", 1e3 * join_.median(), 1e3 * join_.largest());
    print_costs("refreshing keys", refresh_);
    print_costs("coming, going", churn_);
    std::printf("  a newcomer gets %.0f bytes as its share of a Welcome, and the tree, %.0f KB, from a cache\n",
                admitted_.bytes.sum() / joiners_, tree_bytes_ / 1000);
    std::printf(
        "  a listener gets %.1f MB while all others come in; then %.1f MB a minute of commits, with slots of %lld s\n"
        "                  (%.1f MB with slots of 250 ms)\n",
        rush_.bytes.sum() / 1e6, churn_.bytes.median() * 60'000 / static_cast<double>(options_.slot.count()) / 1e6,
        static_cast<long long>(options_.slot.count() / 1000), churn_.bytes.median() * 240 / 1e6);
    std::printf("  frames          %zu sealed, opened %zu times, each as it was sent\n", sealed_, opened);
    std::printf("  after leaving   %zu frames offered to %zu who left, none could be opened\n", refused_, leavers_);
    std::printf("  memory          %.0f MB at most, %.1f MB for each complete state\n", memory(),
                memory_with_members_ / static_cast<double>(options_.complete));
    std::printf("  time            %.1f s in all, %.1f s of processors; the times above are one processor's\n", seconds,
                processors_time());
  }

  town_hall_options options_;
  cv::meeting_options settings_;
  simulated_time time_;
  dice dice_{1};
  std::vector<member> members_;  // the first is the host
  std::vector<cv::bytes> packages_;
  cv::gathering wishes_;
  const std::vector<cv::byte_view>* frames_ = nullptr;
  std::size_t next_frame_ = 0;

  commit_costs rush_, refresh_, churn_, admitted_;
  samples join_;
  double joiners_ = 0, package_seconds_ = 0, rush_seconds_ = 0, tree_bytes_ = 0, memory_with_members_ = 0;
  steady_time rush_time_{0};
  std::size_t came_ = 0, went_ = 0, sealed_ = 0, refused_ = 0, leavers_ = 0;
  clock::time_point last_said_ = clock::now();
};

}  // namespace demo
