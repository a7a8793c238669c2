// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Once everything is deleted, no key is left in the memory of the process: meetings, their media, snapshots, recordings and
// second factors are made and dropped, and every byte that can be written is searched for every key they used.
//
//   memory            nothing is found
//   memory at NUMBER  as the first, but ends where the secret of that number comes up: for a debugger
//   memory alive      while the objects live, keys are found
//   memory heap | freed | stack | data     a key that somebody forgot there is found
//   memory core | core-off FOLDER          a core file shows keys; with PR_SET_DUMPABLE off there is none
#include "spy.hpp"

#include <conclave/meeting/meeting.hpp>
#include <conclave/meeting/recording.hpp>
#include <conclave/otp/botan_hotp.hpp>
#include <conclave/store/memory.hpp>

#include <deque>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

namespace secrets_test {
namespace {

using room = basic_meeting<spy>;

void publish(byte_view message) { ledger::instance().publish(message); }

/// crowd: people in one meeting, all of whose messages are published.
struct crowd {
  explicit crowd(noted_randomness& random, meeting_options chosen) : env{random}, options{std::move(chosen)} {
    who.push_back(must(identity::generate<spy>(env, "0")));
    in.push_back(must(room::create(env, who[0], "", options)));
  }

  void bring() {
    who.push_back(must(identity::generate<spy>(env, std::to_string(who.size()))));
    auto wish = must(basic_knock<spy>::create(env, who.back(), options));
    publish(wish.key_package());
    auto add = must(in[0].admit(wish.key_package()));
    publish(add.welcome());
    auto joined = must(room::join(std::move(wish), add.welcome()));
    commit(0, std::move(add));
    in.push_back(std::move(joined));
  }
  void commit(std::size_t maker, room::change&& change) {
    publish(change.commit());
    for (std::size_t i = 0; i < in.size(); ++i)
      if (i != maker && in[i].active()) check(in[i].receive(change.commit()).has_value(), "a commit");
    check(in[maker].apply(std::move(change)).has_value(), "one's own commit");
  }
  void talk() {
    const bytes frame(300, 7);
    std::array<std::uint8_t, 600> packet{}, heard{};
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (!in[i].active()) continue;
      auto mic = must(in[i].open_sender(3));
      for (std::size_t j = 0; j < in.size(); ++j) {
        if (i == j || !in[j].active()) continue;
        auto ear = must(in[j].open_receiver());
        const byte_view sealed = must(mic.seal(frame, {}, packet));
        publish(sealed);
        check(ear.open(sealed, {}, heard).has_value(), "a frame");
      }
    }
    auto words = must(in[1].write("hello"));
    publish(words.message());
    for (std::size_t j = 0; j < in.size(); ++j)
      if (j != 1 && in[j].active()) check(in[j].receive(words.message()).has_value(), "a message");
    in[1].apply(std::move(words));
  }

  noted_randomness& env;
  meeting_options options;
  std::deque<identity> who;
  std::deque<room> in;
};

template <class Secret>
Secret drawn(environment& env) {
  Secret out(32);
  check(env.random(out.writable()).has_value(), "random bytes");
  return out;
}

void meet(noted_randomness& env, mls::cipher_suite suite, sframe::cipher_suite media) {
  meeting_options options;
  options.suite = suite;
  options.parameters.media = media;
  crowd people(env, options);
  for (int i = 0; i < 4; ++i) people.bring();
  people.talk();
  people.commit(2, must(people.in[2].refresh()));
  people.talk();
  people.commit(0, must(people.in[0].remove(people.in[3].own_leaf())));
  { const auto dropped = must(people.in[1].refresh()); }
  publish(must(people.in[0].entrance()));
  auto back = must(room::come_back(env, people.who[2], must(people.in[0].entrance()), "", options));
  publish(back.commit);
  for (const std::size_t i : {0U, 1U, 4U}) check(people.in[i].receive(back.commit).has_value(), "a way back");
  people.in[2] = std::move(back.room);
  env.advance(std::chrono::seconds{60});
  people.talk();

  const auto key = drawn<mls::snapshot_key>(env);
  const bytes kept = must(people.in[1].snapshot(key));
  publish(kept);
  const auto restored = must(room::restore(env, key, people.in[1].sequence(), kept, people.who[1], "", options));
}

class tape final : public recording::sink, public recording::source {
 public:
  bytes content;
  [[nodiscard]] status write(std::uint64_t offset, byte_view data) override {
    content.resize(std::max<std::size_t>(content.size(), offset + data.size()));
    std::ranges::copy(data, content.begin() + static_cast<std::ptrdiff_t>(offset));
    return {};
  }
  [[nodiscard]] status sync() override { return {}; }
  [[nodiscard]] result<std::uint64_t> size() override { return std::uint64_t{content.size()}; }
  [[nodiscard]] status read(std::uint64_t offset, byte_span out) override {
    std::ranges::copy(byte_view{content}.subspan(offset, out.size()), out.begin());
    return {};
  }
};

void record(noted_randomness& env) {
  const auto me = must(recording::generate_person<spy>(env));
  tape file;
  {
    auto recorder = must(recording::basic_recorder<spy>::create(env, file, std::array{me.pub.view()}));
    const bytes data(5000, 1);
    for (std::uint64_t i = 0; i < 20; ++i)
      check(recorder.add({recording::entry_kind::audio, i, 0, 0, 0, {}, data}).has_value(), "an entry");
    check(recorder.close().has_value(), "the end");
  }
  auto player = must(recording::basic_player<spy>::open(file, me));
  while (must(player.next())) {}
  publish(file.content);
}

void sign_in(noted_randomness& env) {
  store::memory records;
  const auto factor = must(otp::basic_second_factor<otp::botan_hotp, spy>::make(
      records, drawn<at_rest_key>(env), otp::policy{otp::organisation_mode::everybody}));
  const otp::person user{"somebody", {}};
  const auto publish_record = [&] { publish(must(records.load("somebody")).record); };
  const auto offer = must(factor.begin(env, user));
  publish_record();
  const auto shown = must(offer.uri({"Example", "somebody"}));
  const auto now = static_cast<std::uint64_t>(env.wall().time_since_epoch().count());
  const auto code = must(otp::botan_hotp::hotp(offer.parameters.algorithm, offer.secret.reveal(), 6, now / 30));
  std::string typed = std::to_string(code);
  typed.insert(0, 6 - typed.size(), '0');
  check(factor.confirm(env, user.name, typed).has_value(), "the first code");
  publish_record();
  check(!factor.check(env, user.name, typed).has_value(), "a code used twice");
  publish_record();
}

[[gnu::noinline]] void everything(noted_randomness& env) {
  using enum mls::cipher_suite;
  meet(env, mls_128_dhkemx25519_aes128gcm_sha256_ed25519, sframe::cipher_suite::aes_128_gcm_sha256_128);
  meet(env, mls_128_dhkemx25519_chacha20poly1305_sha256_ed25519, sframe::cipher_suite::aes_128_ctr_hmac_sha256_80);
  record(env);
  sign_in(env);
}

/// report: how many are found, and where.
std::size_t report() {
  const auto found = ledger::instance().search();
  for (const finding& f : found)
    std::printf("%s, secret %zu, at %#llx in %s\n", f.kind, f.number, static_cast<unsigned long long>(f.address),
                f.region.c_str());
  std::printf("%zu secrets noted, %zu found\n", ledger::instance().noted(), found.size());
  return found.size();
}

// what nobody erases
std::array<std::uint8_t, 32> forgotten;

[[gnu::noinline]] void forget_on_the_stack(environment& env) {
  std::array<std::uint8_t, 100'000> frame;  // deeper than what is called later
  (void)env.random(byte_span{frame}.first(32)).has_value();
  __asm__ __volatile__("" : : "r"(frame.data()) : "memory");
}

void plant(environment& env, std::string_view where) {
  if (where == "heap") {
    static std::uint8_t* const lost = new std::uint8_t[32];
    (void)env.random({lost, 32}).has_value();
  } else if (where == "freed") {
    bytes block(60'000);  // what is freed gets a header in front
    (void)env.random(byte_span{block}.last(32)).has_value();
  } else if (where == "stack") {
    forget_on_the_stack(env);
  } else {
    (void)env.random(forgotten).has_value();
  }
}

/// How many secrets the core file of a child shows that holds a meeting; none where it left none.
std::size_t die_in(const char* folder, bool dumpable) {
  std::filesystem::create_directories(folder);
  std::filesystem::current_path(folder);
  for (const auto& old : std::filesystem::directory_iterator(".")) std::filesystem::remove(old);
  // the child notes the same secrets as this process does
  const auto hold = [](auto&& while_it_lives) {
    noted_randomness env;
    crowd people(env, {});
    people.bring();
    people.talk();
    while_it_lives();
  };
  const pid_t child = ::fork();
  check(child >= 0, "fork");
  if (child == 0) {
    const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
    if (::setrlimit(RLIMIT_CORE, &all) != 0) std::_Exit(77);
    if (!dumpable) check(::prctl(PR_SET_DUMPABLE, 0) == 0, "prctl");
    hold([] { std::abort(); });
  }
  int how = 0;
  check(::waitpid(child, &how, 0) == child, "waitpid");
  if (WIFEXITED(how) && WEXITSTATUS(how) == 77) return SIZE_MAX;
  hold([] {});
  std::size_t shown = dumpable ? SIZE_MAX : 0;
  for (const auto& file : std::filesystem::directory_iterator(".")) {
    std::ifstream in(file.path(), std::ios::binary);
    const bytes content{std::istreambuf_iterator<char>(in), {}};
    shown = ledger::instance().search(content);
  }
  return shown;
}

int run(std::string_view mode, const char* argument) {
  check(spy::ready().has_value(), "libsodium");
  if (mode == "core" || mode == "core-off") {
    const std::size_t shown = die_in(argument, mode == "core");
    if (shown == SIZE_MAX) return 77;  // this system writes no core file here
    std::printf("%zu secrets in the core file\n", shown);
    return (shown != 0) == (mode == "core") ? 0 : 1;
  }
  noted_randomness env;
  if (mode == "alive") {
    crowd people(env, {});
    people.bring();
    people.talk();
    return report() != 0 ? 0 : 1;
  }
  if (mode == "at") ledger::instance().stop_at = std::strtoull(argument, nullptr, 10);
  if (!mode.empty() && mode != "at")
    plant(env, mode);
  else
    everything(env);
  return report() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace secrets_test

int main(int argc, char** argv) { return secrets_test::run(argc > 1 ? argv[1] : "", argc > 2 ? argv[2] : "."); }
