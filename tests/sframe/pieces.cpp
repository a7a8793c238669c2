// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Frames in place with room around them, and frames whose parts stand apart.
#include <sframe/fake.hpp>
#include <sframe/support.hpp>

using namespace sframe_test;
using namespace std::chrono_literals;

namespace {

/// Room for a frame in three places.
struct pieces {
  bytes header, body, tag;

  explicit pieces(std::size_t size)
      : header(sframe::max_header_size, 0xaa), body(size + 5, 0xaa), tag(sframe::max_Nt + 5, 0xaa) {}
  [[nodiscard]] sframe::frame_span span() { return {header, body, tag}; }
  [[nodiscard]] bool untouched() const {
    return header == bytes(header.size(), 0xaa) && body == bytes(body.size(), 0xaa) && tag == bytes(tag.size(), 0xaa);
  }
};

bytes joined(const sframe::frame_view& frame) {
  bytes out = to_bytes(frame.header);
  append(out, frame.body);
  append(out, frame.tag);
  return out;
}

}  // namespace

TEST_CASE("a frame in pieces is the frame in one piece") {
  for_each_served([]<class P>(cipher_suite suite) {
    auto whole = sealer_for<P>(300, tree_size, 5, 0, suite);
    auto apart = sealer_for<P>(300, tree_size, 5, 0, suite);
    auto ear = opener_for<P>(300, tree_size, 0, suite);
    for (const std::size_t size : {0U, 1U, 16U, 160U, 1200U}) {
      const bytes plaintext = noise(size);
      pieces room(size);
      const auto frame = apart.seal_scattered(plaintext, as_bytes("m"), room.span());
      REQUIRE(frame);
      REQUIRE(joined(*frame) == sealed(whole, plaintext, as_bytes("m")));
      CHECK(frame->tag.size() == apart.tag_size());
      CHECK(room.body[size] == 0xaa);
      CHECK(room.tag[frame->tag.size()] == 0xaa);
      bytes out(size);
      const auto got = ear.open_scattered(*frame, as_bytes("m"), out, 0ms);
      REQUIRE(got);
      CHECK(out == plaintext);
      CHECK(got->sender == 5);
      CHECK(outcome(ear.open_scattered(*frame, as_bytes("m"), out, 0ms)) == errc::replayed);
    }
  });
}

TEST_CASE("a frame in pieces is sealed and opened where it stands") {
  auto mic = sealer_for(300, tree_size, 5);
  auto ear = opener_for(300, tree_size, 0);
  const bytes plaintext = noise(100);
  bytes body = plaintext;
  bytes header(sframe::max_header_size), tag(16);
  const auto frame = mic.seal_scattered(body, {}, {header, body, tag});
  REQUIRE(frame);
  CHECK(body != plaintext);
  const auto got = ear.open_scattered(*frame, {}, body, 0ms);
  REQUIRE(got);
  CHECK(body == plaintext);
}

TEST_CASE("pieces that are too small, or overlap, cost nothing") {
  auto mic = sealer_for(300, tree_size, 5, 0, suite4, 0x1234);
  const bytes plaintext = noise(40);
  const std::size_t head = mic.header_size();
  pieces room(40);
  const auto refused = [&](errc code, const sframe::frame_span& out, byte_view metadata = {}) {
    CHECK(outcome(mic.seal_scattered(plaintext, metadata, out)) == code);
    CHECK(room.untouched());
  };
  const byte_span h{room.header}, b{room.body}, t{room.tag};
  refused(errc::no_space, {h.first(head - 1), b, t});
  refused(errc::no_space, {h, b.first(39), t});
  refused(errc::no_space, {h, b, t.first(15)});
  refused(errc::misuse, {h, b, b.subspan(29)});
  refused(errc::no_space, {b, h, t});
  refused(errc::misuse, {b.first(45), b, t});
  refused(errc::misuse, {h, b, t}, byte_view{room.tag}.subspan(15, 1));
  refused(errc::misuse, {h, b, t}, byte_view{room.header}.first(1));
  refused(errc::misuse, {h, b, t}, byte_view{room.body}.first(1));
  refused(errc::over_limit, {h, b, t}, bytes(limits::frame_metadata_bytes + 1));
  CHECK(outcome(mic.seal_scattered(b.subspan(1, 40), {}, {h, b, t})) == errc::misuse);
  CHECK(outcome(mic.seal_scattered(t.first(10), {}, {h, b, t})) == errc::misuse);
  CHECK(outcome(mic.seal_scattered(h.first(10), {}, {h, b, t})) == errc::misuse);
  CHECK(room.untouched());
  CHECK(mic.counter() == 0x1234);
  CHECK(mic.seal_scattered(plaintext, byte_view{room.tag}.subspan(16, 5), room.span()));
}

TEST_CASE("a failure of the AEAD leaves zeros in every piece") {
  auto mic = sframe::sealer<fake_provider>::make(suite4, 9, numbered_base(1), 0);
  REQUIRE(mic);
  pieces room(20);
  fake_provider::seal_fails = true;
  const auto failed = mic->seal_scattered(noise(20), {}, room.span());
  fake_provider::seal_fails = false;
  CHECK(outcome(failed) == errc::misuse);
  CHECK(equal(byte_view{room.header}.first(2), bytes(2)));
  CHECK(equal(byte_view{room.body}.first(20), bytes(20)));
  CHECK(equal(byte_view{room.tag}.first(16), bytes(16)));
  CHECK(room.header[2] == 0xaa);
}

TEST_CASE("pieces that make no frame do not open") {
  auto mic = sealer_for(300, tree_size, 5, 0, suite4, 0x1234);
  auto ear = opener_for(300, tree_size, 0);
  const bytes frame = sealed(mic, noise(40));
  const std::size_t head = sframe::header::decode(frame)->size();
  const byte_view whole{frame};
  const auto refused = [&](errc code, std::size_t header, std::size_t body, std::size_t tag) {
    bytes out(100, 0xaa);
    const sframe::frame_view cut{whole.first(header), whole.subspan(head, body), whole.last(tag)};
    CHECK(outcome(ear.open_scattered(cut, {}, out, 0ms)) == code);
    CHECK(equal(byte_view{out}.first(body), bytes(body)));
    CHECK(out[body] == 0xaa);
  };
  for (std::size_t n = 0; n < head; ++n) refused(errc::malformed, n, 40, 16);
  refused(errc::malformed, head + 1, 40, 16);
  for (const std::size_t n : {0U, 15U, 17U}) refused(errc::malformed, head, 40, n);
  for (const std::size_t n : {0U, 39U, 41U}) refused(errc::unauthentic, head, n, 16);
  bytes small(39);
  const sframe::frame_view good{whole.first(head), whole.subspan(head, 40), whole.last(16)};
  CHECK(outcome(ear.open_scattered(good, {}, small, 0ms)) == errc::no_space);
  bytes buffer = frame;
  const byte_span b{buffer};
  const sframe::frame_view within{b.first(head), b.subspan(head, 40), b.last(16)};
  CHECK(outcome(ear.open_scattered(within, {}, b.first(40), 0ms)) == errc::misuse);
  CHECK(outcome(ear.open_scattered(within, {}, b.subspan(head + 1, 40), 0ms)) == errc::misuse);
  CHECK(buffer == frame);
  CHECK(ear.open_scattered(good, {}, buffer, 0ms));
}

TEST_CASE("with head and tail room a frame is sealed around its plaintext") {
  for (const cipher_suite suite : all_suites) {
    auto apart = sealer_for(300, tree_size, 5, 0, suite, 200);
    auto within = sealer_for(300, tree_size, 5, 0, suite, 200);
    auto ear = opener_for(300, tree_size, 0, suite);
    for (int i = 0; i < 100; ++i) {  // the header grows on the way
      const bytes plaintext = noise(100);
      bytes buffer(sframe::max_header_size + 100 + sframe::max_Nt, 0xaa);
      std::ranges::copy(plaintext, buffer.begin() + sframe::max_header_size);
      const auto frame = within.seal_in_place(buffer, sframe::max_header_size, 100, as_bytes("m"));
      REQUIRE(frame);
      REQUIRE(equal(*frame, sealed(apart, plaintext, as_bytes("m"))));
      REQUIRE(buffer[0] == 0xaa);
      const auto got = ear.open_in_place(*frame, as_bytes("m"), 0ms);
      REQUIRE(got);
      REQUIRE(equal(got->bytes, plaintext));
      REQUIRE(got->bytes.data() == buffer.data() + sframe::max_header_size);
    }
  }
}

TEST_CASE("too little room around a plaintext costs nothing") {
  auto mic = sealer_for(300, tree_size, 5);
  const std::size_t head = mic.header_size();
  bytes buffer(head + 100 + 16, 0xaa);
  const bytes before = buffer;
  CHECK(outcome(mic.seal_in_place(buffer, head - 1, 100, {})) == errc::no_space);
  CHECK(outcome(mic.seal_in_place(buffer, head, 101, {})) == errc::no_space);
  CHECK(outcome(mic.seal_in_place(buffer, head, buffer.size(), {})) == errc::no_space);
  CHECK(outcome(mic.seal_in_place(buffer, buffer.size() + 1, 0, {})) == errc::no_space);
  CHECK(outcome(mic.seal_in_place(buffer, ~std::size_t{0}, ~std::size_t{0}, {})) == errc::no_space);
  CHECK(outcome(mic.seal_in_place(buffer, head, 100, byte_view{buffer}.first(1))) == errc::misuse);
  CHECK(buffer == before);
  CHECK(mic.counter() == 0);
  CHECK(mic.seal_in_place(buffer, head, 100, {}));
  bytes cut(3);
  auto ear = opener_for(300, tree_size, 0);
  CHECK(outcome(ear.open_in_place(cut, {}, 0ms)) == errc::unknown_key);
  CHECK(outcome(ear.open_in_place({}, {}, 0ms)) == errc::malformed);
}
