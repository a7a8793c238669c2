// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Buffers that overlap where they must not, frames in pieces that belong to nobody, and frames too short or too long under
/// a sender's own key.
#include <sframe/fake.hpp>
#include <sframe/support.hpp>

#include <conclave/sframe/sender_keys.hpp>

namespace sframe_test {
namespace overlapping {

using namespace std::chrono_literals;

TEST_CASE("a tag is not written over the header") {
  auto mic = sealer_for(300, tree_size, 5);
  const bytes plaintext = noise(20);
  bytes room(sframe::max_header_size + sframe::max_Nt), body(20);
  const byte_span r{room};
  const std::size_t head = mic.header_size();
  CHECK(outcome(mic.seal_scattered(plaintext, {}, {r.first(head), body, r.subspan(head - 1)})) == errc::misuse);
  CHECK(mic.seal_scattered(plaintext, {}, {r.first(head), body, r.subspan(head)}));
}

TEST_CASE("a frame in pieces is opened into its body or elsewhere, and over nothing else") {
  auto mic = sealer_for(300, tree_size, 5);
  auto ear = opener_for(300, tree_size, 0);
  const bytes frame =
      sealed(mic, noise(40), as_bytes("some metadata, longer than the frame's text is, so that it can overlap"));
  const std::size_t head = frame.size() - 40 - 16;
  const auto opened_into = [&](std::size_t from, std::size_t metadata_at) {
    // header, body, tag and metadata each with room behind it
    bytes all(600);
    const byte_span a{all};
    const std::string_view text = "some metadata, longer than the frame's text is, so that it can overlap";
    std::ranges::copy(byte_view{frame}.first(head), all.begin());
    std::ranges::copy(byte_view{frame}.subspan(head, 40), all.begin() + 100);
    std::ranges::copy(byte_view{frame}.last(16), all.begin() + 200);
    std::ranges::copy(text, all.begin() + static_cast<std::ptrdiff_t>(metadata_at));
    const bytes before = all;
    const errc done = outcome(ear.open_scattered({a.first(head), a.subspan(100, 40), a.subspan(200, 16)},
                                                 a.subspan(metadata_at, text.size()), a.subspan(from, 40), 0ms));
    CHECK((all == before) == (done == errc::misuse));  // what the caller has stays, and can be tried again
    return done;
  };
  CHECK(opened_into(1, 300) == errc::misuse);   // the header
  CHECK(opened_into(99, 300) == errc::misuse);  // the body, not from its beginning
  CHECK(opened_into(101, 300) == errc::misuse);
  CHECK(opened_into(199, 300) == errc::misuse);  // the tag
  CHECK(opened_into(310, 300) == errc::misuse);  // the metadata
  CHECK(opened_into(400, 300) == errc{});
}

TEST_CASE("a frame in pieces belongs to a member and to an epoch") {
  auto ear = opener_for(300, tree_size, 0);
  const auto opened = [&](auto&& mic) {
    const bytes frame = sealed(mic, noise(40));
    const byte_view f{frame};
    const std::size_t head = f.size() - 40 - 16;
    bytes out(40);
    return outcome(ear.open_scattered({f.first(head), f.subspan(head, 40), f.last(16)}, {}, out, 0ms));
  };
  CHECK(opened(sealer_for(300, tree_size, 0)) == errc::unknown_key);  // its own
  CHECK(opened(sealer_for(299, tree_size, 5)) != errc{});
  CHECK(opened(sealer_for(300, tree_size, 5)) == errc{});
}

TEST_CASE("under a sender's own key a frame has a tag, a size and a place of its own") {
  auto mic = *sframe::sender_key_sealer<default_provider>::make(suite4, 3, 1, numbered_base(1));
  auto ear = *sframe::sender_key_opener<default_provider>::make(suite4, 3);
  REQUIRE(ear.add_key(mic.kid(), mic.base().clone(), 0ms));
  bytes buffer(200), out(limits::frame_bytes + 1);
  const byte_view frame = *mic.frames().seal(noise(40), {}, buffer);
  const std::size_t head = frame.size() - 40 - 16;
  for (const std::size_t n : {std::size_t{0}, std::size_t{15}})
    CHECK(outcome(ear.open(frame.first(head + n), {}, out, 0ms)) == errc::malformed);
  bytes huge = to_bytes(frame.first(head));
  huge.resize(head + limits::frame_bytes + 1 + 16);
  CHECK(outcome(ear.open(huge, {}, out, 0ms)) == errc::over_limit);
  CHECK(outcome(ear.open(frame, byte_view{out}.subspan(10, 5), byte_span{out}.first(40), 0ms)) == errc::misuse);
  bytes copy = to_bytes(frame);
  CHECK(outcome(ear.open(copy, {}, byte_span{copy}.subspan(head + 1, 45), 0ms)) == errc::misuse);
  CHECK(copy == to_bytes(frame));
  CHECK(ear.open(copy, {}, byte_span{copy}.subspan(head), 0ms));
}

}  // namespace overlapping
}  // namespace sframe_test
