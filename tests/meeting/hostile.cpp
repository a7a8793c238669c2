// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What one hostile member, or newcomer, might do to all the others.
#include "support.hpp"

namespace meeting_test {
namespace hostile {

errc failure_of(const auto& outcome) { return outcome ? errc{} : outcome.error().code(); }

}  // namespace hostile

using namespace hostile;

TEST_CASE("keys to which nothing can be encrypted are no keys, in any encoding") {
  const auto hex = [](std::string_view digits) {
    bytes out;
    for (std::size_t i = 0; i < digits.size(); i += 2)
      out.push_back(static_cast<std::uint8_t>(std::stoul(std::string{digits.substr(i, 2)}, nullptr, 16)));
    return out;
  };
  // RFC 7748 6.1; https://cr.yp.to/ecdh.html#validate
  std::vector<bytes> small{bytes(32)};
  small.push_back(bytes(32));
  small.back()[0] = 1;
  small.push_back(hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"));
  small.push_back(hex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"));
  for (const int lowest : {0xec, 0xed, 0xee}) {
    small.push_back(bytes(32, 0xff));
    small.back()[0] = static_cast<std::uint8_t>(lowest);
    small.back()[31] = 0x7f;
  }
  const bytes scalar(32, 0x42);
  for (bytes key : small) {
    for (const int top : {0x00, 0x80}) {
      key[31] = static_cast<std::uint8_t>(key[31] | top);
      bytes out(32);
      CHECK(failure_of(default_provider::dh_check_public_key(kem_id::dhkem_x25519_sha256, key)) == errc::malformed);
      CHECK(failure_of(default_provider::dh(kem_id::dhkem_x25519_sha256, scalar, key, out)) == errc::malformed);
    }
  }
  bytes good(32, 9);
  CHECK(default_provider::dh_check_public_key(kem_id::dhkem_x25519_sha256, good));
#if CONCLAVE_WITH_OPENSSL
  for (const int lowest : {0x00, 0x01}) {
    bytes key(56);
    key[0] = static_cast<std::uint8_t>(lowest);
    CHECK(failure_of(openssl::dh_check_public_key(kem_id::dhkem_x448_sha512, key)) == errc::malformed);
  }
  for (const int lowest : {0xfe, 0xff}) {
    bytes key(56, 0xff);
    key[0] = static_cast<std::uint8_t>(lowest);
    key[28] = 0xfe;
    CHECK(failure_of(openssl::dh_check_public_key(kem_id::dhkem_x448_sha512, key)) == errc::malformed);
  }
#endif
}

TEST_CASE("a leaf that would fill everybody's memory is not admitted") {
  table t(2);
  const auto suite = *mls::basic_suite<default_provider>::make(meeting_options{}.suite);
  const auto with_extension = [&](std::size_t size) {
    auto who = client_of(*identity::generate(t.env, "large"));
    const bytes data(size);
    who.leaf_extensions = wire::encode_items(std::array{mls::extension{claims_extension, data}});
    return (*mls::make_key_package(t.env, suite, who, {std::chrono::hours{24}, false})).message;
  };
  CHECK(t[0].visitor(with_extension(4000)));
  CHECK(failure_of(t[0].visitor(with_extension(5000))) == errc::over_limit);
  CHECK(failure_of(t[0].admit(with_extension(5000))) == errc::over_limit);
}

TEST_CASE("large key packages are as many as there is room for, and what is no key package does not wait") {
  deterministic_environment env(1);
  const auto suite = *mls::basic_suite<default_provider>::make(meeting_options{}.suite);
  auto who = client_of(*identity::generate(env, "large"));
  who.credential.resize(limits::credential_bytes - 64, 'x');
  bytes package = (*mls::make_key_package(env, suite, who, {std::chrono::hours{24}, false})).message;
  const auto key = std::ranges::search(package, who.signer.public_view());
  gathering wishes;
  std::size_t waiting = 0;
  for (;; ++waiting) {
    store_be(static_cast<std::uint32_t>(waiting), byte_span{key}.first(4));  // no signature is verified
    const auto got = wishes.join(package, steady_time{0});
    if (!got) {
      CHECK(got.error() == errc::over_limit);
      break;
    }
  }
  CHECK(waiting == limits::waiting_join_bytes / package.size());

  table t(1);
  gathering none;
  CHECK(none.join((*t[0].refresh()).commit(), steady_time{0}).error() == errc::malformed);
  CHECK(none.waiting() == 0);
}

TEST_CASE("the only host does not get out by leaving against the rules, locks nobody in, and is not locked in alone") {
  table t(3), alone(1);
  CHECK(alone[0].leave());
  t.deliver(0, *group_of(t[0]).propose_remove(t.env, t[0].own_leaf()));
  auto without = *t[1].refresh();
  CHECK(without.facts().removed.empty());
  t.commit(1, std::move(without));
  CHECK(t[0].active());
  t.deliver(1, *t[1].leave());
  t.commit(2, *t[2].refresh());
  CHECK_FALSE(t[1].active());
}

TEST_CASE("what no commit may contain does not keep others from speaking") {
  table t(2);
  // a patched client: the group without the rules of meetings
  const auto suite = *mls::basic_suite<default_provider>::make(meeting_options{}.suite);
  auto who = client_of(*identity::generate(t.env, "mallory"));
  who.proposals = {mls::proposal_type::self_remove};
  auto package = *mls::make_key_package(t.env, suite, who, {std::chrono::hours{24}, false});
  auto add = *t[0].admit(package.message);
  auto mallory = *mls::group::join(t.env, who.clone(), std::move(package), add.welcome(), {}, {});
  t.commit(0, std::move(add));
  t.refused_by_all(9, *mallory.propose_update(t.env), rules::refresh_by_commit);
  CHECK(t[0].write("still here"));
  mls::proposal self_remove;
  self_remove.type = mls::proposal_type::self_remove;
  t.refused_by_all(9, *mallory.propose(t.env, self_remove), rules::leave_by_remove);
  mls::proposal psk;
  psk.type = mls::proposal_type::psk;
  psk.psk.type = mls::psk_type::external;
  psk.psk.psk_id = as_bytes("mine alone");
  const bytes nonce(32);
  psk.psk.psk_nonce = nonce;
  CHECK(t[0].write("and here"));
  mls::commit_request with_psk;
  with_psk.psks = {&psk.psk, 1};
  fails_by(t[0].commit(with_psk), rules::no_pre_shared_keys);
  mls::commit_request end;
  end.reinit_as = mls::reinit{as_bytes("another"), mls::protocol_version::mls10, meeting_options{}.suite, {}};
  fails_by(t[0].commit(end), rules::meeting_stands);
}

TEST_CASE("M11: who was removed does not go on talking in the chat") {
  table t(3);
  auto removal = *t[0].remove(t[2].own_leaf());
  REQUIRE(t[1].receive(removal.commit()));
  REQUIRE(t[0].apply(std::move(removal)));  // the third has not heard of it
  auto late = *t[2].write("I am still here");
  (void)t[0].receive(late.message()).has_value();
  CHECK(t[0].chat().messages().empty());
}

TEST_CASE("M18: nobody is in a room under the name of somebody else") {
  table t(4);
  const auto impostor = *identity::generate(t.env, "person 1");
  auto wish = *knock::create(t.env, impostor);
  const byte_view package = wish.key_package();
  fails_by(t[2].open_room({&package, 1}, "corner"), rules::room_members);
}

TEST_CASE("M13: a knock is not used up by a Welcome to something that is no meeting") {
  table t(1);
  auto bob = *identity::generate(t.env, "bob");
  auto wish = *knock::create(t.env, bob);
  auto trap = *mls::group::create(t.env, meeting_options{}.suite, client_of(*identity::generate(t.env, "mallory")),
                                  as_bytes("trap"), {}, {});
  const byte_view package = wish.key_package();
  const auto lure = *trap.commit(t.env, {{&package, 1}});
  fails_by(meeting::join(std::move(wish), lure.welcome()), rules::parameters_present);
  auto add = *t[0].admit(wish.key_package());
  CHECK(meeting::join(std::move(wish), add.welcome()));
}

TEST_CASE("M13: a role ends with a removal by a host, and the last host stays") {
  table t(3);
  t.commit(0, *t[0].set_role(t[1].own_leaf(), role::co_host));
  t.commit(0, *t[0].remove(t[1].own_leaf()));
  CHECK(t[0].parameters().roles.size() == 1);
  auto wish = *knock::create(t.env, t.seats[1].who);
  auto again = *t[0].admit(wish.key_package());
  auto back = *meeting::join(std::move(wish), again.welcome());
  CHECK(back.state().own_role == role::participant);
  t.commit(0, std::move(again));

  fails_by(t[0].leave(), rules::a_host_stays);
  CHECK_FALSE(t[0].leaving());
  auto promotion = *t[0].set_role(t[2].own_leaf(), role::host);
  REQUIRE(back.receive(promotion.commit()));
  t.commit(0, std::move(promotion));
  const auto wish_to_go = t[0].leave();
  REQUIRE(wish_to_go);
  CHECK(t[0].leaving());
}

TEST_CASE("a meeting that is over, or was lost, answers and seals nothing") {
  table t(3);
  auto mic = *t[2].open_sender(0);
  const auto code = t[2].code();
  t.commit(0, *t[0].remove(t[2].own_leaf()));
  CHECK(t[2].code() == code);
  CHECK(failure_of(t[2].long_code()) == errc::misuse);
  CHECK(failure_of(t[2].machine_code()) == errc::misuse);
  CHECK(failure_of(t[2].write("hello")) == errc::misuse);
  CHECK(t[2].state().level == security_level::not_encrypted);
  CHECK(failure_of(t[2].entrance()) == errc::misuse);
  CHECK(failure_of(t[2].refresh()) == errc::misuse);

  auto old_mic = *t[1].open_sender(0);
  auto back = *t[1].come_back(*t[0].entrance());
  REQUIRE(back.room.continue_from(std::move(t[1])));
  bytes out(sealed_size(3));
  CHECK(failure_of(old_mic.seal(as_bytes("hey"), {}, out)) == errc::refused);
}

TEST_CASE("names are cut, and what could deceive the eye is escaped") {
  table t(1);
  REQUIRE(
      t.bring("ada\xe2\x80\xae"
              "bob\n\xff"));
  CHECK(t[0].roster()[1].name ==
        "ada\\E2\\80\\AE"
        "bob\\0A\\FF");
  const auto suite = *mls::basic_suite<default_provider>::make(meeting_options{}.suite);
  auto who = client_of(*identity::generate(t.env, "long"));
  who.credential = bytes(10'000, 'a');
  const auto package = *mls::make_key_package(t.env, suite, who, {std::chrono::hours{24}, false});
  CHECK((*t[0].visitor(package.message)).name.size() == limits::name_bytes);
}

}  // namespace meeting_test
