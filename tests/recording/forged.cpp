// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Recordings by somebody who has their key and follows no rule, and files that change while they are read.
#include "support.hpp"

namespace conclave_test {
namespace forged {

using rec::chunk_kind;

/// forger: writes whatever chunks it is told to, all of them authentic.
class forger {
 public:
  forger() {
    deterministic_environment env(1);
    const auto recorder = rec::recorder::create(env, to_, std::array{byte_view{pub(1)}});
    REQUIRE(recorder);
    const byte_view header{to_.content};
    const auto front = rec::read_header_front(header.first(rec::header_front_size));
    key_.emplace(*rec::file_key<default_provider>::unwrap(person(1), front->id,
                                                          header.subspan(rec::header_front_size, rec::slip_size)));
    std::ranges::copy(header.last(mac_.size()), mac_.begin());
  }
  forger& chunk(chunk_kind kind, byte_view plaintext, std::uint64_t until = 0) {
    rec::chunk_header head;
    head.number = number_++;
    head.kind = kind;
    head.until = until;
    head.size = static_cast<std::uint32_t>(plaintext.size());
    bytes out(rec::chunk_framing + plaintext.size());
    head.write(out);
    std::ranges::copy(plaintext, out.begin() + rec::chunk_header_size);
    auto cipher = *key_->cipher();
    REQUIRE(rec::seal_chunk(cipher, mac_, byte_span{out}));
    append(to_.content, out);
    return *this;
  }
  forger& entry(std::size_t i) { return chunk(chunk_kind::entries, wire::encode(nth(i).view()), nth(i).time); }
  forger& index(std::uint64_t offset, std::uint64_t until) {
    index_offset_ = to_.content.size();
    bytes out;
    writer w{out};
    w.number(std::uint64_t{1});
    wire::write(w, rec::index_point{offset, until});
    return chunk(chunk_kind::index, out, until);
  }
  forger& end(std::uint64_t entries, std::uint64_t until = 0) {
    return chunk(chunk_kind::end, wire::encode(rec::end_of_recording{index_offset_, entries}), until);
  }
  [[nodiscard]] std::size_t size() const { return to_.content.size(); }
  [[nodiscard]] const bytes& file() const { return to_.content; }

 private:
  memory_sink to_;
  std::optional<rec::file_key<default_provider>> key_;
  rec::header_mac mac_;
  std::uint64_t number_ = 0, index_offset_ = 0;
};

/// two_faced: says one thing `reads` times, then another.
class two_faced final : public rec::source {
 public:
  two_faced(byte_view first, byte_view then) : first_{first}, then_{then} {}
  int reads = 0;
  [[nodiscard]] result<std::uint64_t> size() override { return first_.size(); }
  [[nodiscard]] status read(std::uint64_t offset, byte_span out) override {
    return reads-- > 0 ? first_.read(offset, out) : then_.read(offset, out);
  }

 private:
  memory_source first_, then_;
};

}  // namespace forged

using namespace forged;

TEST_CASE("M12: chunks in an order that no recorder writes, or of no known kind, are refused where they stand") {
  const auto read = [](const forger& by, std::size_t entries, errc why) {
    const found got = play(by.file());
    CHECK(got.end == how::damaged);
    CHECK(got.why == why);
    CHECK(got.lines.size() == entries);
    CHECK(is_prefix(got.lines));
  };
  const std::uint64_t first = forger().size();
  CHECK(play(forger().entry(0).entry(1).index(first, 0).end(2).file()).end == how::complete);
  read(forger().entry(0).chunk(chunk_kind{3}, {}), 1, errc::unauthentic);
  read(forger().entry(0).index(first, 0).entry(1), 1, errc::malformed);
  read(forger().entry(0).index(first, 0).index(first, 0), 1, errc::malformed);
  read(forger().entry(0).end(1), 1, errc::malformed);
}

TEST_CASE("M12: an index that leads out of the recording leads nowhere") {
  const bytes file = forger().entry(0).entry(1).index(std::uint64_t{1} << 40U, 10).end(2, 1000).file();
  memory_source from(file);
  auto player = rec::player::open(from, person(1));
  REQUIRE(player);
  CHECK(player->seek(500).error() == errc::unauthentic);
  CHECK(line(**player->next()) == nth(0));
}

TEST_CASE("M12: how much there is of a recording that was cut, nobody says") {
  const bytes whole = forger().entry(0).index(forger().size(), 0).end(1, 77).file();
  for (const bool cut : {false, true}) {
    memory_source from(byte_view{whole}.first(whole.size() - (cut ? 1 : 0)));
    const auto player = rec::player::open(from, person(1));
    REQUIRE(player);
    CHECK(player->truncated() == cut);
    CHECK(player->entries() == (cut ? std::nullopt : std::optional<std::uint64_t>{1}));
    CHECK(player->duration() == (cut ? std::nullopt : std::optional<std::uint64_t>{77}));
  }
}

TEST_CASE("M12: a file that changes while a place in it is sought misleads nobody") {
  const taped tape = conclave_test::tape(6, 3);
  const bytes good = to_bytes(byte_view{tape.file}.first(tape.chunks[2]));  // two chunks, no index and no end
  bytes sooner = good, longer = good;
  store_be(std::uint64_t{0}, byte_span{sooner}.subspan(tape.chunks[0] + 24));
  store_be(std::uint32_t{60'000}, byte_span{longer}.subspan(tape.chunks[0] + 32));
  const auto sought = [](byte_view first, byte_view then, std::uint64_t time) {
    two_faced from(first, then);
    from.reads = 1000;
    auto player = rec::player::open(from, person(1));
    REQUIRE(player);
    from.reads = 2;  // the headers of both chunks
    const status out = player->seek(time);
    return out ? errc{} : out.error().code();
  };
  CHECK(sought(good, good, 2500) == errc{});
  CHECK(sought(sooner, good, 1500) == errc::unauthentic);
  CHECK(sought(good, longer, 2500) == errc::unauthentic);
}

}  // namespace conclave_test
