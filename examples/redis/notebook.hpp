// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// notebook: what a participant keeps in files of its own, so that it may be killed at any moment.
#pragma once

#include "totp/host.hpp"

#include <conclave/delivery/redis.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

namespace demo {

namespace cv = conclave;
using redis_place = cv::delivery::redis::place;
using fingerprint = std::array<std::uint8_t, 32>;

[[nodiscard]] inline fingerprint fingerprint_of(cv::byte_view message) {
  fingerprint out;
  cv::default_provider::hash(cv::hash_id::sha256, std::array{message}, out);
  return out;
}

/// read_whole(path): empty where there is none.
[[nodiscard]] inline cv::bytes read_whole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
/// replace_file(path, content): the old content is there until all of the new one is. Says what went wrong, or nothing.
[[nodiscard]] inline std::string replace_file(const std::string& path, cv::byte_view content) {
  if (auto bad = write_private(path + ".new", content, O_TRUNC); !bad.empty()) return bad;
  std::error_code failed;
  std::filesystem::rename(path + ".new", path, failed);
  return failed ? path + ": " + failed.message() : std::string{};
}

/// intent: what a message in the journal is.
enum class intent : std::uint8_t { commit = 'c', words = 'm', farewell = 'f' };

/// journal: what a participant was about to send, noted before it was sent. Who reads the log knows what became of it.
class journal {
 public:
  using list = std::map<fingerprint, intent>;

  [[nodiscard]] static list read(const std::string& path) {
    list out;
    const cv::bytes all = read_whole(path);
    for (cv::byte_view rest = all; rest.size() >= 33; rest = rest.subspan(33)) {
      fingerprint of;
      std::ranges::copy(rest.subspan(1, 32), of.begin());
      out.emplace(of, intent{rest[0]});
    }
    return out;
  }

  explicit journal(const std::string& path) : path_{path}, noted_{read(path)} {}
  [[nodiscard]] std::string note(intent what, cv::byte_view message) {
    const fingerprint of = fingerprint_of(message);
    noted_.emplace(of, what);
    cv::bytes line{static_cast<std::uint8_t>(what)};
    cv::append(line, of);
    return write_private(path_, line, O_APPEND);
  }
  /// find(message): nothing where it is somebody else's.
  [[nodiscard]] std::optional<intent> find(cv::byte_view message) const {
    const auto at = noted_.find(fingerprint_of(message));
    return at == noted_.end() ? std::nullopt : std::optional{at->second};
  }

 private:
  std::string path_;
  list noted_;
};

/// tally: what a participant has counted. A value that is stored with each snapshot, and reported at the end.
struct tally {
  std::uint64_t received = 0;     ///< messages of others
  std::uint64_t own = 0;          ///< its own ones, as they came back in the log
  std::uint64_t lost = 0;         ///< messages it should have opened and could not
  std::uint64_t missed = 0;       ///< messages of epochs it was not in, until it came back
  std::uint64_t frames = 0;       ///< opened, and what was sealed
  std::uint64_t restored = 0;     ///< from a snapshot
  std::uint64_t came_back = 0;    ///< by the entrance
  std::uint64_t first_epoch = 0;  ///< in which it joined
  std::uint64_t epoch = 0;        ///< the last one

  static constexpr auto fields(auto& self) {
    return std::tie(self.received, self.own, self.lost, self.missed, self.frames, self.restored, self.came_back,
                    self.first_epoch, self.epoch);
  }
};

/// saved_seat: where a participant goes on from.
struct saved_seat {
  redis_place read;
  std::uint64_t sequence = 0;
  tally counted;
  cv::bytes farewells;  ///< whose were seen: a byte for each participant
  cv::bytes snapshot;

  [[nodiscard]] cv::bytes encode() const {
    cv::bytes out;
    cv::writer w{out};
    for (const std::uint64_t n : {read.epoch, read.number, sequence}) w.number(n);
    cv::wire::write(w, counted);
    w.opaque(farewells);
    w.opaque(snapshot);
    return out;
  }
  [[nodiscard]] static cv::result<saved_seat> decode(cv::byte_view from) {
    cv::reader in{from};
    saved_seat out;
    CONCLAVE_TRY(out.read.epoch, in.number<std::uint64_t>());
    CONCLAVE_TRY(out.read.number, in.number<std::uint64_t>());
    CONCLAVE_TRY(out.sequence, in.number<std::uint64_t>());
    CONCLAVE_TRY(out.counted, cv::wire::read<tally>(in));
    CONCLAVE_TRY(const auto farewells, in.opaque());
    CONCLAVE_TRY(const auto snapshot, in.opaque());
    out.farewells = cv::to_bytes(farewells);
    out.snapshot = cv::to_bytes(snapshot);
    CONCLAVE_CHECK(in.finish());
    return out;
  }
};

}  // namespace demo
