// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One thread for signalling, many for media, and what may be shared by any: used as docs/threads.md says, for
// ThreadSanitizer to watch. The scenes shared-sender and shared-meeting break its rules, which has to be noticed.
#include <conclave/meeting/meeting.hpp>
#include <conclave/otp/botan_hotp.hpp>
#include <conclave/store/memory.hpp>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>

using namespace conclave;

namespace {

void check(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "failed: %s\n", what);
  std::_Exit(1);
}
template <class T>
T must(result<T>&& r, const char* what) {
  check(r.has_value(), what);
  return *std::move(r);
}

/// wire: sealed frames on their way, from any thread to any.
class wire_between {
 public:
  void send(byte_view frame) {
    const std::scoped_lock lock(mutex_);
    if (frames_.size() < 64) frames_.push_back(to_bytes(frame));
  }
  [[nodiscard]] std::optional<bytes> receive() {
    const std::scoped_lock lock(mutex_);
    if (frames_.empty()) return std::nullopt;
    bytes out = std::move(frames_.front());
    frames_.pop_front();
    return out;
  }

 private:
  std::mutex mutex_;
  std::deque<bytes> frames_;
};

/// two people in one meeting
struct pair {
  system_environment env;
  identity alice = must(identity::generate(env, "alice"), "alice"), bob = must(identity::generate(env, "bob"), "bob");
  meeting here = must(meeting::create(env, alice, "threads"), "a meeting"), there = enter();

  meeting enter() {
    auto wish = must(knock::create(env, bob), "a knock");
    auto add = must(here.admit(wish.key_package()), "admission");
    auto joined = must(meeting::join(std::move(wish), add.welcome()), "joining");
    check(here.apply(std::move(add)).has_value(), "a commit");
    return joined;
  }
  void rekey(int round) {
    meeting& maker = round % 2 == 0 ? here : there;
    meeting& other = round % 2 == 0 ? there : here;
    auto change = must(maker.refresh(), "a refresh");
    check(other.receive(change.commit()).has_value(), "a commit");
    check(maker.apply(std::move(change)).has_value(), "one's own commit");
  }
};

constexpr std::size_t streams = 3;
constexpr int rekeys = 40;

/// Media both ways on several threads while another one rekeys, reopens a stream and at last ends a meeting.
void meet() {
  pair people;
  std::array<wire_between, streams> wires;
  std::atomic<bool> over{false};
  std::atomic<std::uint64_t> opened{0};
  std::vector<std::thread> media;
  for (std::size_t s = 0; s < streams; ++s) {
    meeting& from = s % 2 == 0 ? people.here : people.there;
    meeting& to = s % 2 == 0 ? people.there : people.here;
    media.emplace_back([&, s, mic = must(from.open_sender(static_cast<std::uint32_t>(s)), "a sender")]() mutable {
      const bytes frame(200, 7);
      std::array<std::uint8_t, sealed_size(200)> packet{};
      while (!over) {
        const auto sealed = mic.seal(frame, {}, packet);
        if (!sealed) break;  // the meeting has ended
        wires[s].send(*sealed);
        std::this_thread::yield();
      }
    });
    media.emplace_back([&, s, ear = must(to.open_receiver(), "a receiver")]() mutable {
      std::array<std::uint8_t, sealed_size(200)> heard{};
      while (!over) {
        const auto frame = wires[s].receive();
        if (!frame)
          std::this_thread::yield();
        else if (ear.open(*frame, {}, heard))
          ++opened;
      }
    });
  }
  for (int round = 0; round < rekeys; ++round) {
    const std::uint64_t before = opened;
    people.rekey(round);
    { const auto more = must(people.here.open_sender(streams), "a stream that was closed"); }
    (void)people.here.state();
    (void)people.there.roster();
    for (int i = 0; i < 200 && opened < before + streams; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  check(opened > rekeys * streams / 2, "frames during rekeys");
  { const meeting ended = std::move(people.there); }  // senders and receivers outlive the meeting
  over = true;
  for (std::thread& t : media) t.join();
  std::printf("%d rekeys, %llu frames\n", rekeys, static_cast<unsigned long long>(opened.load()));
}

/// One second factor, on one store, for all threads of a server: a code is accepted once.
void sign_in() {
  class standing_environment final : public environment {
   public:
    [[nodiscard]] status random(byte_span out) noexcept override { return system_environment{}.random(out); }
    [[nodiscard]] unix_time wall() noexcept override { return unix_time{std::chrono::seconds{1'750'000'000}}; }
    [[nodiscard]] steady_time steady() noexcept override { return steady_time{0}; }
  } env;
  store::memory records;
  at_rest_key key(32);
  check(env.random(key.writable()).has_value(), "a key");
  const auto factor =
      must(otp::second_factor::make(records, std::move(key), otp::policy{otp::organisation_mode::everybody}),
           "a second factor");
  const auto offer = must(factor.begin(env, {"somebody", {}}), "enrolment");
  const auto code =
      must(otp::botan_hotp::hotp(offer.parameters.algorithm, offer.secret.reveal(), 6, 1'750'000'000 / 30), "a code");
  std::string typed = std::to_string(code);
  typed.insert(0, 6 - typed.size(), '0');
  std::atomic<int> accepted{0};
  std::vector<std::thread> doors;
  for (int i = 0; i < 4; ++i)
    doors.emplace_back([&] { accepted += factor.confirm(env, "somebody", typed).has_value() ? 1 : 0; });
  for (std::thread& t : doors) t.join();
  check(accepted == 1, "one code, accepted once");
}

/// The first use of libraries, kernels and tables, by all threads at once; and then meetings of their own.
void first_use() {
  std::vector<std::thread> all;
  for (int i = 0; i < 4; ++i)
    all.emplace_back([] {
      check(default_provider::ready().has_value(), "ready");
      pair people;
      people.rekey(0);
    });
  for (std::thread& t : all) t.join();
}

void share_a_sender() {
  pair people;
  auto mic = must(people.here.open_sender(0), "a sender");
  const auto speak = [&] {
    const bytes frame(200, 7);
    std::array<std::uint8_t, sealed_size(200)> packet{};
    for (int i = 0; i < 1000; ++i) (void)mic.seal(frame, {}, packet).has_value();
  };
  std::thread other(speak);
  speak();
  other.join();
}

void share_a_meeting() {
  pair people;
  std::atomic<bool> over{false};
  std::atomic<std::uint64_t> seen{0};  // else nobody would look
  std::thread other([&] {
    while (!over) seen.store(people.here.epoch(), std::memory_order_relaxed);
  });
  for (int i = 0; i < 20; ++i) people.rekey(i);
  over = true;
  other.join();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view scene = argc > 1 ? argv[1] : "";
  if (scene == "meeting")
    meet();
  else if (scene == "sign-in")
    sign_in();
  else if (scene == "first-use")
    first_use();
  else if (scene == "shared-sender")
    share_a_sender();
  else if (scene == "shared-meeting")
    share_a_meeting();
  else
    return 2;
  return 0;
}
