// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The demo's sealed recordings: what a listener opens, with what a player has to know of each speaker's clip.
#pragma once

#include "../explain.hpp"
#include "../media/clip.hpp"

#include <conclave/meeting/recording.hpp>
#include <conclave/store/recording_file.hpp>

#include <memory>
#include <optional>

namespace demo {

namespace cv = conclave;
namespace rec = conclave::recording;

/// clip_event: the data of an event that says how the frames of a sender, from here on, become files again.
struct clip_event {
  static constexpr std::string_view label = "clip";

  [[nodiscard]] static cv::bytes encode(const clip_format& format) {
    cv::bytes out;
    cv::writer w{out};
    w.opaque(cv::as_bytes(label));
    w.raw(format.video.codec);
    w.number(format.video.width);
    w.number(format.video.height);
    w.number(format.video.rate);
    w.number(format.video.scale);
    w.number(format.serial);
    w.number(format.audio_end);
    w.opaque(format.head);
    w.opaque(format.tags);
    return out;
  }
  /// decode(data): nothing for another event. Errors: malformed.
  [[nodiscard]] static cv::result<std::optional<clip_format>> decode(cv::byte_view data) {
    cv::reader in{data};
    CONCLAVE_TRY(const auto what, in.opaque());
    if (cv::as_text(what) != label) return std::optional<clip_format>{};
    clip_format out;
    CONCLAVE_TRY(out.video.codec, cv::wire::read<decltype(out.video.codec)>(in));
    CONCLAVE_TRY(out.video.width, in.number<std::uint16_t>());
    CONCLAVE_TRY(out.video.height, in.number<std::uint16_t>());
    CONCLAVE_TRY(out.video.rate, in.number<std::uint32_t>());
    CONCLAVE_TRY(out.video.scale, in.number<std::uint32_t>());
    CONCLAVE_TRY(out.serial, in.number<std::uint32_t>());
    CONCLAVE_TRY(out.audio_end, in.number<std::uint64_t>());
    CONCLAVE_TRY(const auto head, in.opaque());
    CONCLAVE_TRY(const auto tags, in.opaque());
    CONCLAVE_CHECK(in.finish());
    CONCLAVE_CHECK(check_ivf(out.video));
    out.head = cv::to_bytes(head);
    out.tags = cv::to_bytes(tags);
    return std::optional<clip_format>{std::move(out)};
  }
};

/// tape: a recording of the demo in the making. It remembers what was said, to compare it with what is read back. All
/// functions give an empty text, or say what went wrong.
class tape {
 public:
  explicit tape(cv::environment& env) : env_{&env} {}

  /// open(path): a new recording there, and beside it, in path.key, the private key that opens it.
  [[nodiscard]] std::string open(const std::string& path) {
    path_ = path;
    auto me = rec::generate_person<cv::default_provider>(*env_);
    if (!me) return explain("no key for the recording", me.error());
    me_.emplace(*std::move(me));
    cv::store::recording_sink key;
    if (const auto made = key.create(path + ".key"); !made) return explain(path + ".key", made.error());
    if (const auto made = key.write(0, me_->secret.reveal()); !made) return explain(path + ".key", made.error());
    if (const auto made = file_.create(path); !made) return explain(path, made.error());
    auto started = rec::recorder::create(*env_, file_, std::array{me_->pub.view()});
    if (!started) return explain(path, started.error());
    recorder_.emplace(*std::move(started));
    return {};
  }

  /// frame(heard, said, by, name, epoch, format): what a listener opened, and who claims to have sent it; `said` is what
  /// was really said, which lives as long as this.
  [[nodiscard]] std::string frame(const media_frame& heard, const media_frame& said, std::uint32_t by,
                                  const std::string& name, std::uint64_t epoch, const clip_format& format) {
    if (std::ranges::find(known_, by) == known_.end()) {
      known_.push_back(by);
      const cv::bytes data = clip_event::encode(format);
      if (auto bad = add({rec::entry_kind::event, heard.microseconds, epoch, by, 0, cv::as_bytes(name), data});
          !bad.empty())
        return bad;
    }
    said_.push_back({&said, by});
    time_ = heard.microseconds;
    const bool sound = heard.kind == media_kind::audio;
    return add({sound ? rec::entry_kind::audio : rec::entry_kind::video,
                heard.microseconds,
                epoch,
                by,
                sound ? 0U : 1U,
                {},
                heard.data});
  }

  /// note(text, epoch, by, name): now. A note is rare, so that it is on the disk when this returns.
  [[nodiscard]] std::string note(const std::string& text, std::uint64_t epoch, std::uint32_t by,
                                 const std::string& name) {
    const auto e = rec::text_entry(rec::entry_kind::note, time_, epoch, by, name, text);
    if (!e) return explain("the note is not recorded", e.error());
    if (auto bad = add(*e); !bad.empty()) return bad;
    if (const auto synced = recorder_->sync(); !synced) return explain(path_, synced.error());
    return {};
  }

  /// close(): ends the recording, reads it back, and compares each frame with what was said.
  [[nodiscard]] std::string close() {
    if (const auto closed = recorder_->close(); !closed) return explain(path_, closed.error());
    cv::store::recording_source file;
    if (const auto opened = file.open(path_); !opened) return explain(path_, opened.error());
    auto player = rec::player::open(file, *me_);
    if (!player) return explain(path_, player.error());
    std::size_t frames = 0;
    for (;;) {
      const auto e = player->next();
      if (!e) return explain(path_, e.error());
      if (!*e) break;
      if ((*e)->kind != rec::entry_kind::audio && (*e)->kind != rec::entry_kind::video) continue;
      if (frames == said_.size() || (*e)->sender != said_[frames].by ||
          (*e)->time != said_[frames].frame->microseconds || !cv::equal((*e)->data, said_[frames].frame->data))
        return path_ + ": a frame was recorded that differs from what was said";
      ++frames;
    }
    if (player->truncated() || frames != said_.size()) return path_ + ": the recording is not whole";
    return {};
  }

  [[nodiscard]] std::size_t frames() const { return said_.size(); }

 private:
  struct spoken {
    const media_frame* frame;
    std::uint32_t by;
  };

  [[nodiscard]] std::string add(const rec::entry& e) {
    if (const auto added = recorder_->add(e); !added) return explain(path_, added.error());
    return {};
  }

  cv::environment* env_;
  std::string path_;
  cv::store::recording_sink file_;
  std::optional<cv::hpke::key_pair> me_;
  std::optional<rec::recorder> recorder_;
  std::vector<std::uint32_t> known_;
  std::vector<spoken> said_;
  std::uint64_t time_ = 0;
};

}  // namespace demo
