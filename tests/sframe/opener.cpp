// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <sframe/support.hpp>
#include <support/sframe_reference.hpp>

using namespace sframe_test;
using namespace std::chrono_literals;
using sframe::opener;

TEST_CASE("frames of the vectors open") {
  for_each_served([]<class P>(cipher_suite suite) {
    const auto cases = vectors_of(suite);
    CHECK(has_vectors(suite) == !cases.empty());
    for (const auto& v : cases) {
      REQUIRE(v.at("kid") == 0x123);  // leaf 1 in an epoch that ends in 0x23
      auto ear = opener<P>::make(E);
      REQUIRE(ear);
      REQUIRE(ear->add_epoch({0x9923, suite, 2, 0}, base_from(from_hex(text_of(v, "base_key")))));
      const bytes frame = from_hex(text_of(v, "ct"));
      bytes out(frame.size());
      const auto got = ear->open(frame, from_hex(text_of(v, "metadata")), out, 0ms);
      REQUIRE(got);
      CHECK(to_hex(got->bytes) == text_of(v, "pt"));
      CHECK(got->bytes.data() == out.data());
      CHECK(got->sender == 1);
      CHECK(got->epoch == 0x9923);
      CHECK(got->context == 0);
      CHECK(got->counter == v.at("ctr").get<std::uint64_t>());
      CHECK_FALSE(got->late);
    }
  });
}

TEST_CASE("frames of a slow second implementation open") {
  for_each_served([]<class P>(cipher_suite suite) {
    auto ear = opener_for<P>(300, 40, 0, suite);
    const auto base = numbered_base(300);
    std::uint64_t ran = 0;
    for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 160U, 1200U, 16384U}) {
      for (const std::size_t extra : {0U, 1U, 300U, 1024U}) {
        const std::uint64_t ctr = ran * 1000;
        const std::uint64_t context = ran++ % 3;
        const bytes plaintext = noise(size, ran);
        const bytes metadata = noise(extra, ran + 1);
        const bytes frame = sframe_reference::encrypt(static_cast<int>(suite), base.reveal(),
                                                      kid_of(300, 40, 17, context), ctr, metadata, plaintext);
        bytes out(size);
        const auto got = ear.open(frame, metadata, out, 0ms);
        REQUIRE(got);
        REQUIRE(out == plaintext);
        REQUIRE(got->sender == 17);
        REQUIRE(got->context == context);
        REQUIRE(got->counter == ctr);
      }
    }
    CHECK(ear.keys() == 3);
  });
}

TEST_CASE("additional data is the header and then the metadata, not the other way round") {
  auto ear = opener_for(300, 40, 0);
  const auto base = numbered_base(300);
  const std::uint64_t kid = kid_of(300, 40, 17);
  const bytes metadata = from_hex("0102");
  const auto [key, salt] = sframe_reference::derive_key_salt(4, kid, base.reveal());
  const bytes head = sframe_reference::encode_header(kid, 5);
  const auto frame_with = [&](const bytes& aad) {
    return sframe_reference::concat(
        {head, *sframe_reference::aes_gcm(true, key, sframe_reference::nonce(salt, 5), aad, noise(9))});
  };
  CHECK(open_code(ear, frame_with(sframe_reference::concat({metadata, head})), 0ms, metadata) == errc::unauthentic);
  CHECK(open_code(ear, frame_with(head), 0ms, metadata) == errc::unauthentic);
  CHECK(open_code(ear, frame_with(metadata), 0ms, metadata) == errc::unauthentic);
  CHECK(open_code(ear, frame_with(sframe_reference::concat({head, metadata})), 0ms, metadata) == errc{});
}

TEST_CASE("other metadata than the sender's is unauthentic") {
  auto mic = sealer_for(300, 40, 17);
  auto ear = opener_for(300, 40, 0);
  const bytes frame = sealed(mic, noise(50), as_bytes("stream 7"));
  for (const char* wrong : {"", "stream 8", "stream 7 ", "stream ", "tream 7"})
    CHECK(open_code(ear, frame, 0ms, as_bytes(wrong)) == errc::unauthentic);
  CHECK(open_code(ear, frame, 0ms, as_bytes("stream 7")) == errc{});
}

TEST_CASE("an index outside the tree has no key, not even with the right one") {
  auto ear = opener_for(300, 40, 0);
  for (const std::uint32_t outside : {40U, 41U, 63U}) {
    auto mic = sealer_for(300, 64, outside);  // the same S as 40 leaves
    bytes out(100);
    const auto got = ear.open(sealed(mic, noise(50)), {}, out, 0ms);
    REQUIRE_FALSE(got);
    CHECK(got.error() == errc::unknown_key);
    CHECK(got.error().broken_rule() == &sframe::rules::index_in_tree);
  }
  CHECK(ear.keys() == 0);
}

TEST_CASE("the last leaf of the tree has a key") {
  auto mic = sealer_for(300, 40, 39);
  auto ear = opener_for(300, 40, 0);
  CHECK(open_code(ear, sealed(mic, noise(50))) == errc{});
}

TEST_CASE("a context beyond the limit of streams is refused before any key work") {
  auto ear = opener_for(300, 40, 0);
  auto last = sealer_for(300, 40, 17, limits::streams - 1);
  auto beyond = sealer_for(300, 40, 17, limits::streams);
  CHECK(open_code(ear, sealed(last, noise(50))) == errc{});
  CHECK(open_code(ear, sealed(beyond, noise(50))) == errc::over_limit);
  CHECK(ear.keys() == 1);
}

TEST_CASE("a buffer that is too small leaves the frame to be opened again") {
  auto mic = sealer_for(300, 40, 17);
  auto ear = opener_for(300, 40, 0);
  const bytes plaintext = noise(50);
  const bytes frame = sealed(mic, plaintext);
  for (std::size_t n = 0; n < plaintext.size(); ++n) {
    bytes out(n, 0xaa);
    REQUIRE(outcome(ear.open(frame, {}, out, 0ms)) == errc::no_space);
    REQUIRE(out == bytes(n));
  }
  bytes out(plaintext.size());
  REQUIRE(ear.open(frame, {}, out, 0ms));
  CHECK(out == plaintext);
}

TEST_CASE("opening in place gives the same plaintext") {
  auto mic = sealer_for(300, 40, 17);
  auto ear = opener_for(300, 40, 0);
  for (int round = 0; round < 300; ++round) {
    const bytes plaintext = noise(static_cast<std::size_t>(round), 5);
    bytes frame = sealed(mic, plaintext);
    const auto got = ear.open(frame, {}, byte_span{frame}.subspan(sframe::header::decode(frame)->size()), 0ms);
    REQUIRE(got);
    REQUIRE(equal(got->bytes, plaintext));
  }
}

TEST_CASE("any other overlap is misuse and leaves the frame to be opened again") {
  auto mic = sealer_for(300, 40, 17);
  auto ear = opener_for(300, 40, 0);
  const bytes plaintext = noise(50);
  const bytes frame = sealed(mic, plaintext, as_bytes("m"));
  const std::size_t head = sframe::header::decode(frame)->size();
  bytes buffer(300);
  std::ranges::copy(frame, buffer.begin() + 100);
  const bytes before = buffer;
  const byte_view within = byte_view{buffer}.subspan(100, frame.size());
  for (const std::size_t at :
       {std::size_t{60}, std::size_t{100}, 100 + head - 1, 100 + head + 1, 100 + frame.size() - 1})
    CHECK(outcome(ear.open(within, as_bytes("m"), byte_span{buffer}.subspan(at, 60), 0ms)) == errc::misuse);
  CHECK(outcome(ear.open(frame, byte_view{buffer}.subspan(30, 1), byte_span{buffer}.first(60), 0ms)) == errc::misuse);
  CHECK(std::equal(buffer.begin() + 100, buffer.end(), before.begin() + 100));
  CHECK(open_code(ear, frame, 0ms, as_bytes("m")) == errc{});
}

TEST_CASE("too large a frame or too much metadata is over the limit") {
  auto ear = opener_for(300, 40, 0);
  bytes frame(sframe::sealed_size(limits::frame_bytes) + 1);
  (void)sframe::header{kid_of(300, 40, 17), 1}.encode(frame);
  bytes out(frame.size());
  CHECK(outcome(ear.open(frame, {}, out, 0ms)) == errc::over_limit);
  auto mic = sealer_for(300, 40, 17);
  const bytes good = sealed(mic, noise(50));
  CHECK(open_code(ear, good, 0ms, bytes(limits::frame_metadata_bytes + 1)) == errc::over_limit);
  CHECK(open_code(ear, good) == errc{});
}

TEST_CASE("openers and epochs that cannot be are refused") {
  CHECK(outcome(opener<default_provider>::make(64)) == errc::over_limit);
  auto ear = opener<default_provider>::make(E);
  REQUIRE(ear);
  CHECK(outcome(ear->add_epoch({1, suite4, 0, 0}, numbered_base(1))) == errc::misuse);
  CHECK(outcome(ear->add_epoch({1, suite4, 5, 5}, numbered_base(1))) == errc::misuse);
  CHECK(outcome(ear->add_epoch({1, suite4, limits::leaves + 1, 5}, numbered_base(1))) == errc::over_limit);
  CHECK(outcome(ear->add_epoch({1, suite4, 5, 1}, sframe::base_key{})) == errc::misuse);
  CHECK(outcome(ear->add_epoch({1, cipher_suite{9}, 5, 1}, numbered_base(1))) == errc::unsupported);
  auto mic = sealer_for(1, 5, 0);
  CHECK(open_code(*ear, sealed(mic, noise(5))) == errc::unknown_key);  // none of them was added
  CHECK(ear->add_epoch({1, suite4, 5, 1}, numbered_base(1)));
  CHECK(open_code(*ear, sealed(mic, noise(5))) == errc{});
}
