// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Application messages: order, epochs, padding, tampering.
#include "support.hpp"

namespace mls_test {

namespace {

bytes say(party& p, std::size_t from, std::string_view what) {
  return must(p[from].protect(p.env, as_bytes(what), {}));
}

application_message hear(party& p, std::size_t to, byte_view message) {
  return as<application_message>(must(p[to].process(message)));
}

}  // namespace

TEST_CASE("an application message carries its text, its sender, its epoch and its authenticated data") {
  party p(3);
  const bytes message = must(p[2].protect(p.env, as_bytes("good morning"), as_bytes("to all")));
  const application_message heard = hear(p, 0, message);
  CHECK(text_of(heard) == "good morning");
  CHECK(heard.sender == leaf_index{2});
  CHECK(heard.epoch == 1);
  CHECK(as_text(heard.authenticated_data) == "to all");
  check_fails(p[2].process(message), errc::refused, rules::own_message);
}

TEST_CASE("application messages open in any order, each once") {
  party p(2);
  std::vector<bytes> sent;
  for (int i = 0; i < 20; ++i) sent.push_back(say(p, 0, std::to_string(i)));
  std::vector<std::size_t> order{19, 0, 18, 3, 5, 4, 1, 2, 10, 9, 8, 7, 6, 17, 16, 11, 12, 13, 14, 15};
  for (const std::size_t i : order) {
    CHECK(text_of(hear(p, 1, sent[i])) == std::to_string(i));
    const bytes before = whole_state(p[1]);
    check_fails(p[1].process(sent[i]), errc::replayed, rules::generation_used);
    CHECK((whole_state(p[1]) == before));
  }
  for (const bytes& message : sent) check_fails(p[1].process(message), errc::replayed, rules::generation_used);
}

TEST_CASE("a message too far ahead is refused and harms nothing") {
  party p(2);
  const bytes first = say(p, 0, "first");
  std::vector<bytes> sent;
  for (std::uint32_t i = 0; i < limits::ratchet_forward; ++i) sent.push_back(say(p, 0, "x"));  // generations 1 to 1024
  const bytes too_far = say(p, 0, "too far");                                                  // generation 1025
  check_fails(p[1].process(too_far), errc::over_limit, rules::generation_window);
  CHECK(text_of(hear(p, 1, sent.back())) == "x");
  CHECK(text_of(hear(p, 1, too_far)) == "too far");
  // of those that were skipped, the newest are kept: 768 to 1023
  check_fails(p[1].process(first), errc::replayed, rules::generation_used);
  const std::size_t oldest = limits::ratchet_forward - limits::ratchet_kept_keys;
  check_fails(p[1].process(sent[oldest - 2]), errc::replayed, rules::generation_used);
  CHECK(text_of(hear(p, 1, sent[oldest - 1])) == "x");
}

TEST_CASE("late messages open for as many epochs as are kept") {
  const auto kept = static_cast<std::size_t>(GENERATE(0, 1, 3, 9));
  party_options options;
  options.policy.past_epochs = kept;
  party p(3, options);
  std::vector<bytes> sent;
  for (int i = 0; i < 5; ++i) {
    sent.push_back(say(p, 1, "epoch " + std::to_string(p[1].epoch_number())));
    p.commit(0);
  }
  const std::size_t opens = std::min(kept, limits::past_epochs);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    CAPTURE(kept, i);
    if (sent.size() - i <= opens) {
      const application_message heard = hear(p, 2, sent[i]);
      CHECK(text_of(heard) == "epoch " + std::to_string(heard.epoch));
      CHECK(heard.epoch == i + 1);
      check_fails(p[2].process(sent[i]), errc::replayed, rules::generation_used);
    } else {
      check_fails(p[2].process(sent[i]), errc::stale_epoch, rules::current_epoch);
    }
  }
}

TEST_CASE("a late message belongs to who held the leaf then, not to who holds it now") {
  party p(3);
  const bytes late = say(p, 2, "from the old one");
  const epoch_change change = p.commit(0, {{p.arrive()}, {2}});
  REQUIRE(change.added == change.removed);  // the same leaf
  const application_message heard = hear(p, 1, late);
  CHECK(text_of(heard) == "from the old one");
  CHECK(heard.sender == change.added[0]);
  CHECK(heard.epoch < change.epoch);  // before the newcomer was there
  const bytes fresh = say(p, 3, "from the new one");
  const application_message now = hear(p, 1, fresh);
  CHECK(now.sender == heard.sender);
  CHECK(now.epoch == change.epoch);
  // the newcomer knows nothing of the time before
  check_fails(p[3].process(late), errc::stale_epoch, rules::current_epoch);
}

TEST_CASE("a message that overtakes its commit is early, and opens after it") {
  party p(3);
  auto pending = p.prepare(0);
  const bytes commit = to_bytes(pending.message());
  must(p[0].apply(std::move(pending)));
  const bytes message = say(p, 0, "quick");
  const bytes before = whole_state(p[1]);
  check_fails(p[1].process(message), errc::early, rules::current_epoch);
  CHECK((whole_state(p[1]) == before));
  must(p[1].process(commit));
  CHECK(text_of(hear(p, 1, message)) == "quick");
}

TEST_CASE("padding hides the length and is taken off again") {
  for (const std::size_t block : {std::size_t{1}, std::size_t{16}, std::size_t{64}, std::size_t{1000}}) {
    party_options options;
    options.policy.padding.block = block;
    party p(2, options);
    std::vector<std::size_t> sizes;
    for (std::size_t n = 0; n < 130; ++n) {
      const std::string what(n, 'x');
      const bytes message = say(p, 0, what);
      const auto decoded = must(message::decode(message));
      const std::size_t content = decoded.private_message.ciphertext.size() - aead_tag_size;
      CAPTURE(block, n);
      CHECK(content % block == 0);
      // text with its length header, signature with its own, and less than a block of padding
      const std::size_t needed = n + varint_size(n) + 64 + 2;
      CHECK(content >= needed);
      CHECK(content - needed < block);
      CHECK(text_of(hear(p, 1, message)) == what);
    }
  }
}

TEST_CASE("no application data while proposals wait, but receiving goes on") {
  party p(3);
  const bytes on_the_way = say(p, 2, "sent before");
  p.deliver(1, must(p[1].propose_update(p.env)));
  for (std::size_t i = 0; i < 3; ++i)
    check_fails(p[i].protect(p.env, as_bytes("x"), {}), errc::refused, rules::commit_before_application);
  CHECK(text_of(hear(p, 0, on_the_way)) == "sent before");
  p.commit(0);
  CHECK(text_of(hear(p, 1, say(p, 0, "after"))) == "after");
}

TEST_CASE("two groups of the same people do not mix") {
  party p(2);
  party_options other;
  other.seed = 2;
  other.group_id = "another party";
  party q(2, other);
  check_fails(p[1].process(say(q, 0, "x")), errc::unknown_key, rules::known_group);
  auto pending = q.prepare(0);
  check_fails(p[1].process(pending.message()), errc::unknown_key, rules::known_group);
}

TEST_CASE("no octet of a message can be changed, and trying spoils nothing") {
  const auto format = GENERATE(wire_format::public_message, wire_format::private_message);
  party_options options;
  options.policy.handshakes = format;
  options.policy.padding.how = padding::kind::none;
  party p(3, options);
  const auto attack = [&](std::string_view what, byte_view honest) {
    const bytes before = whole_state(p[1]);
    bytes forged = to_bytes(honest);
    for (std::size_t i = 0; i < forged.size(); ++i) {
      const auto flip = static_cast<std::uint8_t>(1U << (i % 8));
      forged[i] ^= flip;
      if (p[1].process(forged)) FAIL_CHECK(what << " was accepted with octet " << i << " changed");
      forged[i] ^= flip;
    }
    for (std::size_t n = 0; n < honest.size(); n += 7)
      if (p[1].process(honest.first(n))) FAIL_CHECK(what << " was accepted cut to " << n);
    forged.push_back(0);
    CHECK_FALSE(p[1].process(forged).has_value());
    CHECK((whole_state(p[1]) == before));
  };
  const bytes application = say(p, 0, "text");
  attack("an application message", application);
  CHECK(text_of(hear(p, 1, application)) == "text");
  const bytes proposal = must(p[0].propose_update(p.env));
  attack("a proposal", proposal);
  p.deliver(0, proposal);
  auto pending = p.prepare(2, {{p.arrive()}, {}});
  attack("a commit", pending.message());
  p.publish(2, std::move(pending));
  CHECK(p.disagreement() == "");
}

TEST_CASE("no octet of a Welcome can be changed") {
  party p(2);
  const std::size_t joiner = p.arrive();
  auto pending = p.prepare(0, {{joiner}, {}});
  bytes welcome = to_bytes(pending.welcome());
  const auto join = [&] {
    return group::join(p.env, p.who(joiner).who.clone(), *std::move(p.who(joiner).package), welcome, {}, {});
  };
  for (std::size_t i = 0; i < welcome.size(); ++i) {
    const auto flip = static_cast<std::uint8_t>(1U << (i % 8));
    welcome[i] ^= flip;
    if (join()) FAIL("accepted with octet " << i << " changed");
    welcome[i] ^= flip;
  }
  CHECK(join().has_value());
}

}  // namespace mls_test
