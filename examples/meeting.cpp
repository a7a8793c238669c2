// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A real meeting in one process: people join and leave, speak with real audio and video, keys and security code change;
// a relay in the middle carries ciphertext only, and everything that is opened is compared with what was said.
#include "demo/breakout.hpp"
#include "demo/certificates.hpp"
#include "demo/churn.hpp"
#include "demo/intercept.hpp"
#include "demo/preset.hpp"
#include "demo/record.hpp"
#include "demo/report.hpp"
#include "demo/story.hpp"
#include "demo/town_hall.hpp"
#include "demo/verify.hpp"
#include "media/clip.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <functional>

namespace cv = conclave;

namespace {

struct options {
  std::size_t people = 200;
  std::string video = CONCLAVE_MEDIA "/standup.ivf";
  std::string audio = CONCLAVE_MEDIA "/standup.opus";
  std::string out;
  std::string record;
  bool json = false;
  bool verify = false;
  bool intercept = false;
  bool certificates = false;
  bool breakout = false;
  std::string preset;
  bool churn = false;
  std::size_t town_hall = 0;
};

constexpr std::size_t min_people = 5, max_people = 5000, min_listeners = 200, max_listeners = 200'000;

/// The people with a part to play; everybody else listens.
struct cast {
  std::size_t host = 0, co_host = 1, listener, leaver, latecomer;
  std::vector<std::size_t> speakers;
};

class program {
 public:
  explicit program(const options& chosen) : options_{chosen}, story_{env_, chosen.people} {
    const std::size_t n = chosen.people;
    cast_.latecomer = n - 1;
    cast_.leaver = n - 2;
    cast_.listener = n - 3;
    cast_.speakers = {0, 1};
    if (n >= 8) cast_.speakers.push_back(n / 2);
  }

  [[nodiscard]] std::string run() {
    const auto start = demo::clock::now();
    for (const auto scene : {&program::prepare, &program::everybody_comes, &program::speak})
      if (auto bad = (this->*scene)(); !bad.empty()) return bad;
    story_.add_up();
    story_.told().total_seconds = demo::seconds_since(start);
    if (options_.json)
      demo::print_json(story_.told());
    else
      demo::print_summary(story_.told(), options_.out);
    return {};
  }

 private:
  void say(const std::string& what) const { std::fprintf(stderr, "  %s\n", what.c_str()); }

  [[nodiscard]] std::string prepare() {
    if (auto bad = clip_.load(options_.video, options_.audio); !bad.empty()) return bad;
    if (!options_.record.empty())
      if (auto bad = tape_.emplace(env_).open(options_.record); !bad.empty()) return bad;
    for (const auto& f : clip_.frames())
      frames_.push_back({f.kind == demo::media_kind::audio ? 0U : 1U, f.microseconds, f.data});
    say(std::to_string(frames_.size()) + " frames of audio and video, " + std::to_string(options_.people) + " people");
    return {};
  }

  /// Everybody but the latecomer is admitted in several commits.
  [[nodiscard]] std::string everybody_comes() {
    if (auto bad = story_.open_meeting("standup"); !bad.empty()) return bad;
    const std::size_t all = cast_.latecomer;
    for (std::size_t from = 1, batch = 1; from < all; from += batch, batch *= 6) {
      const std::size_t to = std::min(all, from + batch);
      const std::size_t host = from == 1 ? cast_.host : cast_.co_host;
      if (auto bad = story_.admit(host, from, to); !bad.empty()) return bad;
      say(std::to_string(to - from) + " admitted in one commit: " + std::to_string(to) + " people, all screens show " +
          story_.told().last_code);
      if (from == 1) {
        if (auto bad = story_.make_co_host(cast_.co_host); !bad.empty()) return bad;
      }
    }
    for (const std::size_t s : cast_.speakers)
      if (auto bad = story_.take_the_floor(s, 2); !bad.empty()) return bad;
    return {};
  }

  /// The clip, in slices; between two slices something happens to the meeting.
  [[nodiscard]] std::string speak() {
    static constexpr std::size_t slices = 8;
    for (std::size_t slice = 0; slice < slices; ++slice) {
      const std::size_t from = frames_.size() * slice / slices, to = frames_.size() * (slice + 1) / slices;
      std::vector<demo::packet> relay;
      for (std::size_t i = from; i < to; ++i)
        for (const std::size_t s : cast_.speakers)
          if (auto bad = story_.seal(s, frames_[i], i, relay); !bad.empty()) return bad;
      if (slice == 1) {
        if (auto bad = two_hosts_at_once(relay); !bad.empty()) return bad;
      } else if (auto bad = deliver(relay); !bad.empty()) {
        return bad;
      }
      if (slice == 3) {
        if (auto bad = somebody_leaves(); !bad.empty()) return bad;
      }
      if (slice == 5) {
        if (auto bad = somebody_is_late(); !bad.empty()) return bad;
      }
    }
    return write_files();
  }

  /// Two hosts commit at once; what was sealed before arrives after it, while everybody still follows.
  [[nodiscard]] std::string two_hosts_at_once(const std::vector<demo::packet>& in_flight) {
    if (auto bad = story_.two_at_once(cast_.host, cast_.co_host); !bad.empty()) return bad;
    if (auto bad = deliver(in_flight); !bad.empty()) return bad;
    if (auto bad = story_.compare_codes(); !bad.empty()) return bad;
    say("two hosts committed at once: one won, one retried; " + std::to_string(in_flight.size()) +
        " frames in flight arrived in an epoch that was over");
    return {};
  }

  [[nodiscard]] std::string somebody_leaves() {
    if (auto bad = story_.leave(cast_.leaver, cast_.co_host); !bad.empty()) return bad;
    gone_.push_back(cast_.leaver);
    say(story_.at(cast_.leaver).name() + " left; the code is now " + story_.told().last_code);
    return {};
  }

  [[nodiscard]] std::string somebody_is_late() {
    if (auto bad = story_.admit(cast_.co_host, cast_.latecomer, cast_.latecomer + 1); !bad.empty()) return bad;
    say(story_.at(cast_.latecomer).name() + " came late; the code is now " + story_.told().last_code);
    return {};
  }

  [[nodiscard]] std::string deliver(const std::vector<demo::packet>& relay) {
    auto bad = story_.deliver(relay, frames_, gone_, [&](std::size_t who, const demo::packet& p, cv::byte_view data) {
      // what one listener opened of one speaker goes back into files
      if (who == cast_.listener && p.speaker == cast_.speakers.front()) recorded_.emplace(p.frame, cv::to_bytes(data));
      if (who == cast_.listener && tape_ && tape_failed_.empty()) tape_failed_ = record(p, data);
    });
    if (!bad.empty() || !tape_) return bad;
    if (!tape_failed_.empty()) return tape_failed_;
    demo::person& listener = story_.at(cast_.listener);
    return tape_->note("security code " + listener.room().code().digits(), listener.room().epoch(),
                       number(listener.room().own_leaf()), listener.name());
  }

  /// record(p, data): what the listener has just opened.
  [[nodiscard]] std::string record(const demo::packet& p, cv::byte_view data) {
    const demo::heard& ears = story_.at(cast_.listener).ears();
    demo::media_frame heard = clip_.frames()[p.frame];
    heard.data = data;
    return tape_->frame(heard, clip_.frames()[p.frame], ears.sender, story_.at(p.speaker).name(), ears.epoch,
                        clip_.format());
  }

  [[nodiscard]] std::string write_files() {
    if (tape_) {
      if (auto bad = tape_->close(); !bad.empty()) return bad;
      say(std::to_string(tape_->frames()) + " frames recorded, sealed, read back and compared: " + options_.record +
          ", opened by " + options_.record + ".key");
    }
    if (options_.out.empty()) return {};
    demo::clip_writer writer(clip_.format());
    for (const auto& [frame, data] : recorded_) {
      const demo::media_frame& said = clip_.frames()[frame];
      if (const auto added = writer.add({said.kind, said.microseconds, data}); !added)
        return demo::explain("what was opened makes no clip", added.error());
    }
    std::error_code failed;
    std::filesystem::create_directories(options_.out, failed);
    if (failed) return options_.out + ": " + failed.message();
    return writer.save(options_.out + "/heard.ivf", options_.out + "/heard.opus");
  }

  options options_;
  cv::system_environment env_;
  demo::story story_;
  cast cast_{};
  demo::clip clip_;
  std::vector<demo::spoken_frame> frames_;
  std::vector<std::size_t> gone_;
  std::map<std::size_t, cv::bytes> recorded_;
  std::optional<demo::tape> tape_;
  std::string tape_failed_;
};

/// with_clip(chosen, scene): a scene that needs frames.
template <class Scene>
[[nodiscard]] std::string with_clip(const options& chosen, Scene&& scene) {
  demo::clip clip;
  if (auto bad = clip.load(chosen.video, chosen.audio); !bad.empty()) return bad;
  std::vector<cv::byte_view> frames;
  for (const auto& f : clip.frames()) frames.push_back(f.data);
  return scene(frames);
}

/// play(chosen): the scenes that were asked for, or the whole meeting.
[[nodiscard]] std::string play(const options& chosen) {
  using frames = std::vector<cv::byte_view>;
  cv::system_environment env;
  const std::vector<std::pair<bool, std::function<std::string()>>> scenes{
      {chosen.verify, [&] { return demo::verify(env); }},
      {chosen.intercept, [&] { return demo::intercept(env); }},
      {chosen.intercept, [&] { return demo::intercept_by_relaying(env); }},
      {chosen.certificates, [] { return demo::certificates(); }},
      {!chosen.preset.empty(), [&] { return demo::at_the_door(env, *cv::from_name<cv::preset>(chosen.preset)); }},
      {chosen.breakout,
       [&] { return with_clip(chosen, [&](const frames& f) { return demo::breakout(env, f).run(); }); }},
      {chosen.churn, [&] { return with_clip(chosen, [&](const frames& f) { return demo::show_churn(env, f); }); }},
      {chosen.town_hall != 0, [&] {
         demo::town_hall_options size;
         size.listeners = chosen.town_hall;
         return with_clip(chosen, [&](const frames& f) { return demo::town_hall(env, size).run(f); });
       }}};
  bool any = false;
  for (const auto& [wanted, scene] : scenes) {
    if (!wanted) continue;
    any = true;
    if (auto bad = scene(); !bad.empty()) return bad;
  }
  return any ? std::string{} : program(chosen).run();
}

}  // namespace

int main(int argc, char** argv) {
  options chosen;
  CLI::App app{"conclave: a meeting of many people in one process"};
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--people", chosen.people, "how many, 5 to 5000")->check(CLI::Range(min_people, max_people));
  app.add_option("--video", chosen.video, "an IVF file with VP8, VP9 or AV1");
  app.add_option("--audio", chosen.audio, "an Ogg Opus file");
  app.add_option("--out", chosen.out, "folder for what one listener opened");
  app.add_option("--record", chosen.record, "a sealed recording of what one listener opens, and FILE.key to play it");
  app.add_flag("--json", chosen.json, "the summary as JSON");
  app.add_flag("--verify", chosen.verify, "instead: five people verify their meeting aloud");
  app.add_flag("--intercept", chosen.intercept, "instead: the same with somebody in between");
  app.add_flag("--churn", chosen.churn, "instead: people come and go all the time, in simulated time");
  app.add_option("--town-hall", chosen.town_hall, "instead: so many listeners, 10000 if no number is given")
      ->expected(0, 1)
      ->default_str("10000")
      ->check(CLI::Range(min_listeners, max_listeners));
  app.add_flag("--ca", chosen.certificates, "instead: who is in, by their certificates");
  app.add_flag("--breakout", chosen.breakout, "instead: three rooms beside a meeting");
  app.add_option("--preset", chosen.preset, "instead: who gets in, and what there is, under webex, teams or open")
      ->check(CLI::IsMember({"webex", "teams", "open"}));
  CLI11_PARSE(app, argc, argv);

  if (const std::string bad = play(chosen); !bad.empty()) {
    std::fprintf(stderr, "meeting: %s\n", bad.c_str());
    return 1;
  }
  return 0;
}
