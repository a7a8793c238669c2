// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Plays a sealed recording: shows its chat and notes, and makes files again of the sound and the pictures of each speaker.
// With --give it makes the recording out to a further person instead.
#include "demo/record.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <map>

namespace cv = conclave;
namespace rec = conclave::recording;

namespace {

struct options {
  std::string file, key, slip, out, give, new_key;
  double from = 0;
};

/// speaker: one sender, as long as it is the same clip.
struct speaker {
  std::string name;
  demo::clip_writer clip;
  std::size_t sound = 0, pictures = 0;
};

[[nodiscard]] std::string clock(std::uint64_t microseconds) {
  char text[32];
  const unsigned long long ms = microseconds / 1000;
  std::snprintf(text, sizeof text, "%02llu:%02llu:%02llu.%03llu", ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60,
                ms % 1000);
  return text;
}

class program {
 public:
  explicit program(const options& chosen) : options_{chosen} {}

  [[nodiscard]] std::string run() {
    if (!options_.new_key.empty()) return make_key();
    if (const auto opened = file_.open(options_.file); !opened) return demo::explain(options_.file, opened.error());
    auto raw = demo::read_file(options_.key, 64);
    if (!raw) return demo::explain(options_.key, raw.error());
    const auto me = rec::import_person<cv::default_provider>(*raw);
    cv::detail::secure_wipe(*raw);
    if (!me) return demo::explain(options_.key, me.error());
    auto opened = open(*me);
    if (!opened) return demo::explain(options_.file, opened.error());
    rec::player player = *std::move(opened);
    return options_.give.empty() ? play(player) : give(player);
  }

 private:
  [[nodiscard]] cv::result<rec::player> open(const cv::hpke::key_pair& me) {
    if (options_.slip.empty()) return rec::player::open(file_, me);
    CONCLAVE_TRY(const auto slip, demo::read_file(options_.slip, 1024));
    return rec::player::open(file_, me, slip);
  }

  /// make_key(): a person: a private key that nobody else reads, and its public key to give to others.
  [[nodiscard]] std::string make_key() {
    cv::system_environment env;
    const auto made = rec::generate_person<cv::default_provider>(env);
    if (!made) return demo::explain("no key", made.error());
    cv::store::recording_sink secret, open;
    for (const auto& [to, path, content] : {std::tuple{&secret, options_.new_key, made->secret.reveal()},
                                            std::tuple{&open, options_.new_key + ".pub", made->pub.view()}}) {
      if (const auto created = to->create(path); !created) return demo::explain(path, created.error());
      if (const auto written = to->write(0, content); !written) return demo::explain(path, written.error());
    }
    std::printf("%s, and %s.pub to give to others\n", options_.new_key.c_str(), options_.new_key.c_str());
    return {};
  }

  [[nodiscard]] std::string give(const rec::player& player) {
    const auto recipient = demo::read_file(options_.give, 64);
    if (!recipient) return demo::explain(options_.give, recipient.error());
    cv::system_environment env;
    const auto slip = rec::make_key_slip(env, player.key(), *recipient);
    if (!slip) return demo::explain(options_.give, slip.error());
    if (options_.out.empty()) return "--give needs --out, the key slip to write";
    if (const auto written = demo::write_file(options_.out, *slip); !written)
      return demo::explain(options_.out, written.error());
    std::printf("%s opens this recording for the holder of %s\n", options_.out.c_str(), options_.give.c_str());
    return {};
  }

  [[nodiscard]] std::string play(rec::player& player) {
    if (options_.from > 0)
      if (auto bad = go_to(player, static_cast<std::uint64_t>(options_.from * 1e6)); !bad.empty()) return bad;
    std::string damage;
    for (;;) {
      const auto e = player.next();
      if (!e) {
        damage = demo::explain(options_.file, e.error());
        break;
      }
      if (!*e) break;
      if (auto bad = take(**e); !bad.empty()) return bad;
      last_ = std::max(last_, (*e)->time);
      ++entries_;
    }
    if (auto bad = save(); !bad.empty()) return bad;
    const char* const end = !damage.empty() ? "altered from here on" : player.truncated() ? "truncated" : "whole";
    std::printf("%zu entries, %s, %s\n", entries_, clock(last_).c_str(), end);
    if (player.truncated() && damage.empty())
      std::printf("the recorder was stopped, or the file was cut: more may have been said\n");
    return damage;
  }

  /// go_to(player, time): there, knowing who had begun to speak before.
  [[nodiscard]] std::string go_to(rec::player& player, std::uint64_t time) {
    for (;;) {
      const auto e = player.next();
      if (!e || !*e || (*e)->time >= time) break;
      if ((*e)->kind != rec::entry_kind::event) continue;
      if (auto bad = take(**e); !bad.empty()) return bad;
    }
    const auto went = player.seek(time);
    return went ? std::string() : demo::explain(options_.file, went.error());
  }

  [[nodiscard]] std::string take(const rec::entry& e) {
    switch (e.kind) {
      case rec::entry_kind::chat:
      case rec::entry_kind::note:
        std::printf("[%s] %s%s: %s\n", clock(e.time).c_str(), e.kind == rec::entry_kind::note ? "note of " : "",
                    rec::printable(e.name).c_str(), rec::printable(e.data).c_str());
        return {};
      case rec::entry_kind::event: {
        auto format = demo::clip_event::decode(e.data);
        if (!format) return demo::explain("an event", format.error());
        if (!*format) return {};
        speakers_.push_back({rec::printable(e.name), demo::clip_writer(**std::move(format))});
        on_air_[e.sender] = speakers_.size() - 1;
        return {};
      }
      case rec::entry_kind::audio:
      case rec::entry_kind::video: break;
      default: return {};
    }
    const auto found = on_air_.find(e.sender);
    if (found == on_air_.end()) {  // its event was lost
      ++unknown_;
      return {};
    }
    speaker& by = speakers_[found->second];
    const bool sound = e.kind == rec::entry_kind::audio;
    const auto added = by.clip.add({sound ? demo::media_kind::audio : demo::media_kind::video, e.time, e.data});
    if (!added) return demo::explain("a frame of " + by.name, added.error());
    ++(sound ? by.sound : by.pictures);
    return {};
  }

  [[nodiscard]] std::string save() {
    for (std::size_t i = 0; i < speakers_.size(); ++i) {
      const speaker& s = speakers_[i];
      std::printf("%s: %zu packets of sound, %zu pictures\n", s.name.c_str(), s.sound, s.pictures);
      if (options_.out.empty()) continue;
      std::error_code failed;
      std::filesystem::create_directories(options_.out, failed);
      if (failed) return options_.out + ": " + failed.message();
      const std::string path = options_.out + "/speaker" + std::to_string(i + 1);
      const auto write = [](const std::string& to, const cv::result<cv::bytes>& content) -> std::string {
        if (!content) return demo::explain(to, content.error());
        if (const auto written = demo::write_file(to, *content); !written) return demo::explain(to, written.error());
        return {};
      };
      if (s.pictures > 0)
        if (auto bad = write(path + ".ivf", s.clip.video_file()); !bad.empty()) return bad;
      if (s.sound > 0)
        if (auto bad = write(path + ".opus", s.clip.audio_file()); !bad.empty()) return bad;
    }
    if (unknown_ > 0) std::printf("%zu frames of speakers whose format is not known\n", unknown_);
    return {};
  }

  options options_;
  cv::store::recording_source file_;
  std::vector<speaker> speakers_;
  std::map<std::uint32_t, std::size_t> on_air_;
  std::size_t entries_ = 0, unknown_ = 0;
  std::uint64_t last_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  options chosen;
  CLI::App app{"conclave: plays a sealed recording"};
  app.add_option("--new-key", chosen.new_key, "instead: make a key pair, FILE and FILE.pub");
  app.add_option("file", chosen.file, "the recording");
  app.add_option("key", chosen.key, "the private key of somebody it is made out to, 32 bytes");
  app.add_option("--slip", chosen.slip, "a key slip, where the recording itself is not made out to the key");
  app.add_option("--from", chosen.from, "seconds after its start")->check(CLI::Range(0.0, 1e9));
  app.add_option("--out", chosen.out, "folder for sound and pictures; with --give, the key slip");
  app.add_option("--give", chosen.give, "instead: make it out to the holder of this public key");
  CLI11_PARSE(app, argc, argv);
  if (chosen.new_key.empty() && chosen.key.empty()) {
    std::fprintf(stderr, "play: which recording, and which key? (--help)\n");
    return 1;
  }
  if (const std::string bad = program(chosen).run(); !bad.empty()) {
    std::fflush(stdout);
    std::fprintf(stderr, "play: %s\n", bad.c_str());
    return 1;
  }
  return 0;
}
