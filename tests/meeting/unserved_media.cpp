// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Media where a library fails, the member has left, or a sender has moved elsewhere.
#include <support/deterministic_environment.hpp>
#include <support/lacking_provider.hpp>

#include <conclave/meeting/meeting.hpp>

#include <catch2/catch.hpp>

namespace meeting_test {
namespace unserved_media {

using namespace conclave;
using conclave_test::deterministic_environment;
using conclave_test::lacking_provider;
using conclave_test::without;
using conclave_test::without_libraries;
using sender = basic_media_sender<lacking_provider>;
using receiver = basic_media_receiver<lacking_provider>;

[[nodiscard]] media_epoch epoch_of(std::uint64_t number, std::uint32_t own_leaf) {
  sframe::base_key base(16);
  store_be(number, base.writable());
  return {{number, sframe::cipher_suite::aes_128_gcm_sha256_128, 4, own_leaf},
          std::move(base),
          limits::sframe_overlap,
          steady_time{1}};
}

/// A member who speaks and one who listens, both in epoch 1.
struct pair_of_members {
  deterministic_environment env{1};
  std::shared_ptr<media_keys> speaks = std::make_shared<media_keys>(), listens = std::make_shared<media_keys>();
  bytes frame = bytes(64), out = bytes(64);

  pair_of_members() { enter(1); }
  void enter(std::uint64_t number) {
    speaks->publish(epoch_of(number, 1));
    listens->publish(epoch_of(number, 2));
  }
  [[nodiscard]] result<byte_span> sealed_by(sender& mic) { return mic.seal(as_bytes("abc"), {}, frame); }
};

}  // namespace unserved_media

using namespace unserved_media;

TEST_CASE("a sender that cannot follow its meeting does not speak in the epoch before") {
  pair_of_members of;
  auto mic = *sender::open(of.speaks, 0);
  CHECK(of.sealed_by(mic));
  of.enter(2);
  {
    const without_libraries now;
    CHECK(of.sealed_by(mic).error() == errc::unsupported);
    CHECK(of.sealed_by(mic).error() == errc::unsupported);
  }
  CHECK(of.sealed_by(mic));
  CHECK(mic.epoch() == 2);
  of.speaks->close();
  for (int i = 0; i < 2; ++i) CHECK(of.sealed_by(mic).error() == errc::refused);

  auto moved = std::move(mic);
  CHECK(of.sealed_by(mic).error() == errc::misuse);
  CHECK(of.sealed_by(moved).error() == errc::refused);
}

TEST_CASE("a receiver that cannot follow its meeting says so, and follows later") {
  pair_of_members of;
  {
    const without now(hash_id::sha256);
    CHECK(receiver::open(of.env, of.listens).error() == errc::unsupported);
  }
  auto mic = *sender::open(of.speaks, 0);
  auto ear = *receiver::open(of.env, of.listens);
  of.enter(2);
  const byte_view frame = *of.sealed_by(mic);
  {
    const without now(hash_id::sha256);
    CHECK(ear.follow().error() == errc::unsupported);
    CHECK(ear.open(frame, {}, of.out).error() == errc::unsupported);
    sframe::open_request request{frame, {}, of.out};
    CHECK(ear.open_many({&request, 1}).error() == errc::unsupported);
  }
  CHECK(*ear.follow() == 2);
  CHECK(ear.open(frame, {}, of.out));
}

TEST_CASE("a meeting whose frames nobody here could seal does not begin") {
  using meeting_here = basic_meeting<lacking_provider>;
  deterministic_environment env(1);
  const auto me = *identity::generate(env, "me");
  meeting_options options;
  options.parameters.media = sframe::cipher_suite::aes_256_gcm_sha512_128;
  {
    const without now(aead_id::aes_256_gcm);
    CHECK(meeting_here::create(env, me, "test", options).error() == errc::unsupported);
  }
  CHECK(meeting_here::create(env, me, "test", options));
}

}  // namespace meeting_test
