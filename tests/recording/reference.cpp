// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What reader.py, written from docs/recording.md in another language and without our code or libraries, makes of our
/// recordings; and a recording that was kept, which every later version has to read.
#include "support.hpp"
#include "support/folder.hpp"
#include "support/hex.hpp"

#include <conclave/store/recording_file.hpp>

#include <array>
#include <fstream>
#include <iterator>
#include <sstream>

using namespace conclave_test;

namespace {

void write_file(const std::string& path, byte_view content) {
  std::ofstream out(path, std::ios::binary);
  out << as_text(content);
  REQUIRE(out.flush());
}

/// told(lines, end): what reader.py prints of this.
std::string told(const std::vector<line>& lines, const char* end) {
  std::ostringstream out;
  const auto hex = [](byte_view data) { return data.empty() ? std::string("-") : to_hex(data); };
  for (const line& l : lines)
    out << unsigned{static_cast<std::uint8_t>(l.kind)} << ' ' << l.time << ' ' << l.epoch << ' ' << l.sender << ' '
        << l.stream << ' ' << hex(as_bytes(l.name)) << ' ' << hex(l.data) << '\n';
  out << end << '\n';
  return out.str();
}

/// other_reader: what it prints of recordings in a folder.
class other_reader {
 public:
  [[nodiscard]] std::string print(byte_view file, std::uint8_t who, byte_view key_slip = {}) {
    write_file(here_ / "file", file);
    const auto pair = person(who);
    write_file(here_ / "key", pair.secret.reveal());
    std::string command = CONCLAVE_PYTHON " " CONCLAVE_RECORDING_READER " " + (here_ / "file") + ' ' + (here_ / "key");
    if (!key_slip.empty()) {
      write_file(here_ / "slip", key_slip);
      command += ' ' + (here_ / "slip");
    }
    std::FILE* const pipe = ::popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::string out;
    std::array<char, 4096> part;
    while (const std::size_t n = std::fread(part.data(), 1, part.size(), pipe)) out.append(part.data(), n);
    REQUIRE(::pclose(pipe) == 0);
    return out;
  }

 private:
  folder here_;
};

std::vector<line> lines(std::size_t count) {
  std::vector<line> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(nth(i));
  return out;
}

}  // namespace

TEST_CASE("M12: another implementation reads our recordings, and finds the same faults") {
  other_reader other;
  const taped tape = conclave_test::tape(100, 30, {1, 2});
  CHECK(other.print(tape.file, 1) == told(lines(100), "complete"));
  CHECK(other.print(tape.file, 2) == told(lines(100), "complete"));
  CHECK(other.print(tape.file, 3) == "refused: not made out to this key\n");
  CHECK(other.print(byte_view{tape.file}.first(tape.chunks[2]), 1) == told(lines(60), "truncated"));
  CHECK(other.print(byte_view{tape.file}.first(tape.chunks[1] + 100), 1) == told(lines(30), "truncated"));
  bytes bad = tape.file;
  bad[tape.chunks[1] + 30] ^= 1;
  CHECK(other.print(bad, 1) == told(lines(30), "altered"));
  bad = tape.file;
  bad[54 + 100] ^= 1;  // the slip of the other person
  CHECK(other.print(bad, 1) == "refused: the header was altered\n");
}

TEST_CASE("M21: another implementation opens a recording by a key slip") {
  other_reader other;
  const taped tape = conclave_test::tape(20, 10, {1});
  memory_source from(tape.file);
  const auto player = rec::player::open(from, person(1));
  REQUIRE(player);
  system_environment env;
  const auto slip = rec::make_key_slip(env, player->key(), pub(5));
  REQUIRE(slip);
  CHECK(other.print(tape.file, 5, *slip) == told(lines(20), "complete"));
  CHECK(other.print(tape.file, 6, *slip) == "refused: not made out to this key\n");
}

TEST_CASE("M12: a recording of version 1 that was kept is read as it was then") {
  const std::string kept = CONCLAVE_VECTORS "/recording/version-1";
  const auto text = [&](const char* name) {
    std::ifstream in(kept + name, std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(in), {}};
  };
  store::recording_source from;
  REQUIRE(from.open(kept + ".rec"));
  const auto who = rec::import_person<default_provider>(as_bytes(text(".key")));
  REQUIRE(who);
  auto player = rec::player::open(from, *who);
  REQUIRE(player);
  const found got = play(*player);
  REQUIRE(got.lines.size() == 15);
  CHECK(told(got.lines, got.end == how::complete ? "complete" : "-") == text(".txt"));
}
