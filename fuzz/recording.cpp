// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Recordings in the hands of somebody who has the file and not the key. An input is a script that cuts, flips, moves and
/// splices the bytes of a real recording, with another one of the same person at hand; or it is a whole file, or all of it
/// behind a real header; or a key slip. The oracle: what is read is what was recorded, from the start or from where a seek
/// went, without a gap; only the recording itself is whole; nothing outside the file is read, nor more at once than a chunk
/// may have.
#include <conclave/meeting/recording.hpp>

#include "support/deterministic_environment.hpp"
#include "support/oracle.hpp"

#include <array>

namespace {

using namespace conclave;
namespace rec = conclave::recording;
using conclave_fuzz::require, conclave_fuzz::script;

constexpr std::size_t lines = 24, lines_per_chunk = 4;

class memory final : public rec::sink, public rec::source {
 public:
  bytes content;
  [[nodiscard]] status write(std::uint64_t offset, byte_view data) override {
    require(offset == content.size(), "written elsewhere than at the end");
    append(content, data);
    return {};
  }
  [[nodiscard]] status sync() override { return {}; }
  [[nodiscard]] result<std::uint64_t> size() override { return std::uint64_t{content.size()}; }
  [[nodiscard]] status read(std::uint64_t offset, byte_span out) override {
    require(offset <= content.size() && out.size() <= content.size() - offset, "read outside the file");
    require(out.size() <= limits::recording_chunk_bytes + rec::chunk_framing,
            "more read at once than a chunk may have");
    std::ranges::copy(byte_view{content}.subspan(static_cast<std::size_t>(offset), out.size()), out.begin());
    return {};
  }
};

bytes data_of(std::size_t i, std::uint8_t which) { return bytes(i * 5 % 40, static_cast<std::uint8_t>(which + i)); }

bytes make(std::uint8_t which, byte_view recipient) {
  conclave_test::deterministic_environment env(which);
  memory to;
  auto tape = rec::recorder::create(env, to, std::array{recipient});
  require(tape.has_value(), "no recorder");
  for (std::size_t i = 0; i < lines; ++i) {
    const bytes data = data_of(i, which);
    require(tape->add({rec::entry_kind::audio, 10 * i, 0, 0, which, as_bytes("Ada"), data}).has_value(), "not added");
    if (i % lines_per_chunk == lines_per_chunk - 1) require(tape->flush().has_value(), "not flushed");
  }
  require(tape->close().has_value(), "not closed");
  return to.content;
}

struct stage {
  hpke::key_pair me = *hpke::derive_key_pair<default_provider>(kem_id::dhkem_x25519_sha256, bytes(32, 1));
  std::array<bytes, 2> tapes{make(0, me.pub.view()), make(1, me.pub.view())};
};

const stage& scenery() {
  static const stage all;
  return all;
}

/// is_line(e, i, which): it is the i-th one of a recording.
bool is_line(const rec::entry& e, std::size_t i, std::uint8_t which) {
  return i < lines && e.stream == which && e.time == 10 * i && e.kind == rec::entry_kind::audio &&
         as_text(e.name) == "Ada" && equal(e.data, data_of(i, which));
}

/// play(tape, at, which, whole): reads on; what comes must be line `at`, and all the following ones.
void play(rec::player& tape, std::size_t at, std::uint8_t which, bool whole) {
  const bool from_start = at == 0;
  for (;; ++at) {
    const auto e = tape.next();
    if (!e) {
      require(!tape.next().has_value(), "damage that goes away by itself");
      require(!whole, "a recording that nobody touched is damaged");
      return;
    }
    if (!*e) break;
    require(is_line(**e, at, which), "an entry that was not recorded there");
  }
  require(!*tape.next(), "an entry behind the end");
  require(tape.truncated() || at == lines, "a whole recording ends early");
  require(tape.truncated() || whole || !from_start, "a recording that was touched is whole");
}

void check(bytes content, script& more) {
  memory from;
  from.content = std::move(content);
  auto tape = rec::player::open(from, scenery().me);
  if (!tape) return;
  // it opens, so its header is one of the two
  const bool first = equal(byte_view{scenery().tapes[0]}.subspan(20, 32), tape->key().id());
  const std::uint8_t which = first ? 0 : 1;
  const bytes& original = scenery().tapes[which];
  const std::size_t header = rec::header_size(1);
  require(equal(byte_view{from.content}.first(header), byte_view{original}.first(header)),
          "another header was believed");
  const bool whole = from.content == original;
  play(*tape, 0, which, whole);
  for (int seeks = 0; seeks < 4; ++seeks) {
    const std::size_t line = more.byte() % (lines + 2);
    const auto went = tape->seek(10 * line);
    require(went.has_value() || !whole, "a seek failed in a recording that nobody touched");
    if (went) play(*tape, std::min(line, lines), which, whole);
  }
  tape->rewind();
  play(*tape, 0, which, whole);
}

bytes mutated(script& s) {
  const auto& tapes = scenery().tapes;
  bytes out = tapes[s.byte() % 2];
  const auto place = [&](std::size_t size) {
    const unsigned high = s.byte(), low = s.byte();
    return size == 0 ? 0 : (high << 8U | low) % size;
  };
  while (!s.empty() && out.size() < 1U << 16U) {
    const std::uint8_t what = s.byte() % 8;
    const std::size_t at = place(out.size() + 1), n = s.byte();
    const auto from = out.begin() + static_cast<std::ptrdiff_t>(at);
    const std::size_t rest = std::min(n, out.size() - at);
    switch (what) {
      case 0:
        if (at < out.size()) out[at] ^= s.byte();
        break;
      case 1: out.resize(at); break;
      case 2: out.erase(from, from + static_cast<std::ptrdiff_t>(rest)); break;
      case 3: out.insert(from, n, s.byte()); break;
      case 4: {  // bytes of one of the recordings, over what stands here
        const bytes& other = tapes[s.byte() % 2];
        const std::size_t there = place(other.size());
        std::copy_n(other.begin() + static_cast<std::ptrdiff_t>(there), std::min(rest, other.size() - there), from);
        break;
      }
      case 5: {  // or between what stands here
        const bytes& other = tapes[s.byte() % 2];
        const std::size_t there = place(other.size());
        const bytes piece = to_bytes(byte_view{other}.subspan(there, std::min(n, other.size() - there)));
        out.insert(from, piece.begin(), piece.end());
        break;
      }
      case 6: {  // all from here on is that of a recording
        const bytes& other = tapes[s.byte() % 2];
        out.resize(at);
        append(out, byte_view{other}.subspan(place(other.size())));
        break;
      }
      default:
        if (at + 8 <= out.size()) store_be(s.number(), byte_span{out}.subspan(at));
        break;
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  script s{{data, size}};
  script seeks{byte_view{data, size}.last(std::min<std::size_t>(size, 4))};
  switch (s.byte() % 8) {
    case 0: check(to_bytes(s.take(size)), seeks); break;
    case 1: {
      bytes file = to_bytes(byte_view{scenery().tapes[0]}.first(rec::header_size(1)));
      append(file, s.take(size));
      check(std::move(file), seeks);
      break;
    }
    case 2: {
      const byte_view slip = s.take(size);
      const auto read = rec::read_key_slip(slip);
      require(!read || slip.size() == rec::key_slip_size, "a key slip of another size");
      memory from;
      from.content = scenery().tapes[0];
      require(!rec::player::open(from, scenery().me, slip).has_value(), "a key slip that nobody made");
      break;
    }
    default: check(mutated(s), seeks); break;
  }
  return 0;
}
