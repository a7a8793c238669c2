// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Nothing home-made on the wire: what a meeting does is what any MLS client can follow, and any SFrame implementation
// open.
#include "support.hpp"

#include <support/sframe_reference.hpp>

namespace meeting_test {

TEST_CASE("M1: a plain MLS member follows a meeting, and another SFrame opens its frames with the exporter's key") {
  for (const int suite : {1, 4, 5, 8}) {
    meeting_options options;
    options.parameters.media = static_cast<sframe::cipher_suite>(suite);
    table t(3, options);
    const auto mls_suite = *mls::basic_suite<default_provider>::make(options.suite);
    const auto who = *identity::generate(t.env, "plain");
    auto package = *mls::make_key_package(t.env, mls_suite, client_of(who), {std::chrono::hours{24}, false});
    auto add = *t[0].admit(package.message);
    auto plain = *mls::group::join(t.env, client_of(who), std::move(package), add.welcome(), {}, {});
    t.commit(0, std::move(add));
    auto refresh = *t[1].refresh();
    REQUIRE(plain.process(t.env, refresh.commit()));
    t.commit(1, std::move(refresh));
    CHECK(t[0].code() == *sas::security_code::make(plain.authenticator().reveal(), plain.epoch_number()));

    bytes base_key(sframe_reference::Nk(suite));
    REQUIRE(plain.export_secret("SFrame 1.0 Base Key", {}, base_key));
    auto mic = *t[2].open_sender(3);
    const std::string words = "to whom it may concern";
    bytes packet(sealed_size(words.size()));
    packet.resize(mic.seal(as_bytes(words), as_bytes("metadata"), packet)->size());
    const auto opened = sframe_reference::decrypt(suite, base_key, as_bytes("metadata"), packet);
    REQUIRE(opened);
    CHECK(as_text(opened->plaintext) == words);
    // RFC 9605 5.2: context 3, index 2 of a tree of four leaves, the epoch's last 8 bits
    CHECK(opened->kid == (3U << 10U | 2U << 8U | t[2].epoch() % 256U));
    CHECK_FALSE(sframe_reference::decrypt(suite, base_key, as_bytes("Metadata"), packet));
  }
}

TEST_CASE("what the application takes from an epoch, everybody in it has, and nobody takes the media's key") {
  table t(2);
  const auto secret = [&](std::size_t i, std::string_view label, std::string_view context = {}) {
    bytes out(40);
    REQUIRE(t[i].export_secret(label, as_bytes(context), out));
    return out;
  };
  const bytes first = secret(0, "example.org", "whiteboard");
  CHECK(first == secret(1, "example.org", "whiteboard"));
  CHECK(first != secret(0, "example.org", "files"));
  CHECK(first != secret(0, "example.net", "whiteboard"));
  bytes same_label(first.size());
  REQUIRE(group_of(t[0]).export_secret("example.org", as_bytes("whiteboard"), same_label));  // as RFC 9420 has it
  CHECK(first == same_label);

  t.commit(0, *t[0].refresh());
  CHECK(first != secret(1, "example.org", "whiteboard"));

  const bytes untouched(32, 7);
  bytes out = untouched;
  CHECK(t[0].export_secret("SFrame 1.0 Base Key", {}, out).error() == errc::misuse);
  t.commit(0, *t[0].remove(t[1].own_leaf()));
  CHECK(t[1].export_secret("example.org", {}, out).error() == errc::misuse);
  CHECK(out == untouched);
}

}  // namespace meeting_test
