// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Recordings in memory, and all that a player finds in one.
#pragma once

#include "support/deterministic_environment.hpp"

#include <conclave/meeting/recording.hpp>

#include <catch2/catch.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace conclave_test {

using namespace conclave;
namespace rec = conclave::recording;

/// memory_sink: a disk of so many bytes; what does not fit is written in part, and fails.
class memory_sink final : public rec::sink {
 public:
  std::size_t room = SIZE_MAX;
  bool sync_fails = false;
  int syncs = 0;
  bytes content;

  [[nodiscard]] status write(std::uint64_t offset, byte_view data) override {
    const std::size_t fits = std::min(data.size(), room - std::min<std::size_t>(room, offset));
    content.resize(std::max<std::size_t>(content.size(), offset + fits));
    std::copy_n(data.begin(), fits, content.begin() + static_cast<std::ptrdiff_t>(offset));
    return fits == data.size() ? status{} : errc::storage;
  }
  [[nodiscard]] status sync() override {
    ++syncs;
    return sync_fails ? status{errc::storage} : status{};
  }
};

class memory_source final : public rec::source {
 public:
  explicit memory_source(byte_view content) : content_{content} {}
  [[nodiscard]] result<std::uint64_t> size() override { return std::uint64_t{content_.size()}; }
  [[nodiscard]] status read(std::uint64_t offset, byte_span out) override {
    if (offset > content_.size() || out.size() > content_.size() - offset) return errc::storage;
    std::ranges::copy(content_.subspan(offset, out.size()), out.begin());
    return {};
  }

 private:
  byte_view content_;
};

/// line: an entry with bytes of its own.
struct line {
  rec::entry_kind kind{};
  std::uint64_t time = 0, epoch = 0;
  std::uint32_t sender = 0, stream = 0;
  std::string name;
  bytes data;

  line() = default;
  explicit line(const rec::entry& e)
      : kind{e.kind},
        time{e.time},
        epoch{e.epoch},
        sender{e.sender},
        stream{e.stream},
        name{as_text(e.name)},
        data{to_bytes(e.data)} {}
  [[nodiscard]] rec::entry view() const { return {kind, time, epoch, sender, stream, as_bytes(name), data}; }
  friend bool operator==(const line&, const line&) = default;
};

/// nth(i): the i-th thing that every test records.
[[nodiscard]] inline line nth(std::size_t i) {
  line out;
  out.kind = static_cast<rec::entry_kind>(i % 5 + 1);
  out.time = i * 1000;
  out.epoch = i / 7;
  out.sender = static_cast<std::uint32_t>(i % 3);
  out.stream = static_cast<std::uint32_t>(i % 2);
  out.name = i % 4 == 0 ? "Ada" : "";
  out.data.resize(i * 37 % 64);
  for (std::size_t k = 0; k < out.data.size(); ++k) out.data[k] = static_cast<std::uint8_t>(i + 3 * k);
  return out;
}

[[nodiscard]] inline hpke::key_pair person(std::uint8_t seed) {
  return *hpke::derive_key_pair<default_provider>(kem_id::dhkem_x25519_sha256, bytes(32, seed));
}

/// pub(seed): that person's public key.
[[nodiscard]] inline bytes pub(std::uint8_t seed) {
  const auto pair = person(seed);
  return to_bytes(pair.pub.view());
}

/// taped: a recording of nth(0) to nth(count - 1) with so many entries in each chunk, and where its chunks begin.
struct taped {
  bytes file;
  std::vector<std::size_t> chunks;   ///< offsets, in the end the size of the file
  std::vector<std::size_t> entries;  ///< how many stand before each of these places
};

[[nodiscard]] inline taped tape(std::size_t count, std::size_t per_chunk, std::vector<std::uint8_t> persons = {1},
                                std::uint64_t seed = 1) {
  deterministic_environment env(seed);
  std::vector<hpke::key_pair> pairs;
  for (const std::uint8_t p : persons) pairs.push_back(person(p));
  std::vector<byte_view> recipients;
  for (const auto& p : pairs) recipients.push_back(p.pub.view());
  memory_sink to;
  taped out;
  auto tape = rec::recorder::create(env, to, recipients);
  REQUIRE(tape);
  for (std::size_t i = 0; i < count; ++i) {
    if (i % per_chunk == 0) {
      REQUIRE(tape->flush());
      out.chunks.push_back(to.content.size());
      out.entries.push_back(i);
    }
    REQUIRE(tape->add(nth(i).view()));
  }
  REQUIRE(tape->flush());
  const std::size_t index = to.content.size();
  REQUIRE(tape->close());
  out.file = to.content;
  out.chunks.insert(out.chunks.end(), {index, out.file.size() - 68, out.file.size()});
  out.entries.insert(out.entries.end(), 3, count);
  return out;
}

/// how: how reading came to its end.
enum class how { complete, truncated, damaged, refused };

struct found {
  std::vector<line> lines;
  how end = how::refused;
  errc why{};
};

inline found play(rec::player& tape) {
  found out;
  for (;;) {
    const auto e = tape.next();
    if (!e) {
      out.end = how::damaged;
      out.why = e.error().code();
      return out;
    }
    if (!*e) break;
    out.lines.emplace_back(**e);
  }
  out.end = tape.truncated() ? how::truncated : how::complete;
  return out;
}

[[nodiscard]] inline found play(byte_view file, std::uint8_t who = 1) {
  memory_source from(file);
  auto tape = rec::player::open(from, person(who));
  if (!tape) return {{}, how::refused, tape.error().code()};
  return play(*tape);
}

/// is_prefix(lines): they are nth(0), nth(1) and so on.
[[nodiscard]] inline bool is_prefix(const std::vector<line>& lines) {
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (!(lines[i] == nth(i))) return false;
  return true;
}

/// whole_before(tape, size): how many entries stand in chunks that end within the first `size` bytes.
[[nodiscard]] inline std::size_t whole_before(const taped& tape, std::size_t size) {
  std::size_t entries = 0;
  for (std::size_t i = 0; i < tape.chunks.size(); ++i)
    if (tape.chunks[i] <= size) entries = tape.entries[i];
  return entries;
}

}  // namespace conclave_test
