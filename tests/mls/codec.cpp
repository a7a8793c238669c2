// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// One encoding for each message: in real ones, every length header and every presence octet is written wrong, one at a time.
#include "scene.hpp"

#include <support/mls_rewriter.hpp>

namespace mls_test {

namespace {

enum class fault { none, longer_header, prefix_11, presence };

/// faulty_writer: a writer that does one thing wrong: at the `at`th length header or presence octet.
class faulty_writer {
 public:
  faulty_writer(bytes& out, fault what, std::size_t at, std::uint8_t octet = 0)
      : out_{&out}, what_{what}, at_{at}, octet_{octet} {}

  void raw(byte_view data) { writer{*out_}.raw(data); }
  template <std::unsigned_integral T>
  void number(T value) {
    writer{*out_}.number(value);
  }
  void opaque(byte_view content) {
    raw(header(content.size()));
    raw(content);
  }
  template <class Body>
  void vector(Body&& body) {
    const std::size_t start = out_->size();
    body();
    const bytes h = header(out_->size() - start);
    out_->insert(out_->begin() + static_cast<std::ptrdiff_t>(start), h.begin(), h.end());
  }
  void presence(bool is) {
    const bool wrong = what_ == fault::presence && octets_ == at_;
    ++octets_;
    number(wrong ? octet_ : static_cast<std::uint8_t>(is));
  }

  [[nodiscard]] std::size_t headers() const noexcept { return headers_; }
  [[nodiscard]] std::size_t octets() const noexcept { return octets_; }
  [[nodiscard]] bool done() const noexcept { return done_; }

 private:
  bytes header(std::size_t n) {
    const bool wrong = headers_++ == at_;
    bytes out(4);
    out.resize(store_varint(static_cast<std::uint32_t>(n), out));
    if (wrong && what_ == fault::prefix_11) {
      out[0] |= 0xc0;
      done_ = true;
    }
    if (wrong && what_ == fault::longer_header && out.size() < 4) {
      const bool two = out.size() == 1;
      out.assign(two ? 2 : 4, 0);
      if (two)
        store_be(static_cast<std::uint16_t>(n | 0x4000U), out);
      else
        store_be(static_cast<std::uint32_t>(n | 0x8000'0000U), out);
      done_ = true;
    }
    return out;
  }

  bytes* out_;
  fault what_;
  std::size_t at_;
  std::uint8_t octet_;
  std::size_t headers_ = 0, octets_ = 0;
  bool done_ = false;
};

/// Real messages of every kind.
std::vector<std::pair<std::string, bytes>> real_messages() {
  party_options options;
  options.policy.handshakes = wire_format::public_message;
  party p(4, options);
  for (std::size_t i = 0; i < 4; ++i) p.commit(i);
  std::vector<std::pair<std::string, bytes>> out;
  const std::size_t newcomer = p.arrive();
  out.emplace_back("key package", to_bytes(p.package(newcomer)));
  out.emplace_back("add", must(p[0].propose_add(p.env, p.package(newcomer))));
  out.emplace_back("remove", must(p[0].propose_remove(p.env, leaf_index{2})));
  out.emplace_back("update", must(p[1].propose_update(p.env)));
  const bytes nonce(32);
  const std::array list{extension{extension_type{0x0a0a}, as_bytes("x")}};
  const bytes items = wire::encode_items(list);
  proposal psk, reinit, extensions;
  psk.type = proposal_type::psk;
  psk.psk = {psk_type::resumption, {}, resumption_psk_usage::application, as_bytes("g"), 1, nonce};
  reinit.type = proposal_type::reinit;
  reinit.reinit = {as_bytes("next"), protocol_version::mls10, suite_1, extension_list::of(items, 1)};
  extensions.type = proposal_type::group_context_extensions;
  extensions.group_context_extensions = extension_list::of(items, 1);
  for (const auto& [name, what] : {std::pair{"psk", psk}, {"reinit", reinit}, {"extensions", extensions}})
    out.emplace_back(name, must(p[3].propose(p.env, what)));
  const std::size_t another = p.arrive();
  p.deliver(1, must(p[1].propose_update(p.env)));
  auto pending = p.prepare(2, {{another}, {0}});
  out.emplace_back("commit", to_bytes(pending.message()));
  out.emplace_back("welcome", to_bytes(pending.welcome()));
  p.publish(2, std::move(pending));
  out.emplace_back("group info", must(p[2].group_info(p.env, {true, true})));
  out.emplace_back("application message", must(p[2].protect(p.env, as_bytes("hello"), as_bytes("data"))));
  return out;
}

bytes rewritten(const message& m, fault what, std::size_t at, std::uint8_t octet = 0) {
  bytes out;
  conclave_test::basic_rewriter<faulty_writer>{{out, what, at, octet}}(m);
  return out;
}

}  // namespace

TEST_CASE("every length header of every message has to be the shortest, and none has the prefix 11") {
  std::size_t headers = 0;
  for (const auto& [name, honest] : real_messages()) {
    CAPTURE(name);
    const auto decoded = must(message::decode(honest));
    REQUIRE((rewritten(decoded, fault::none, 0) == honest));
    for (std::size_t at = 0;; ++at) {
      CAPTURE(at);
      bytes wrong;
      conclave_test::basic_rewriter<faulty_writer> w{{wrong, fault::prefix_11, at}};
      w(decoded);
      if (!w.out.done()) break;
      ++headers;
      check_fails(message::decode(wrong), errc::malformed, conclave::rules::known_length_prefix);
      bytes longer;
      conclave_test::basic_rewriter<faulty_writer> l{{longer, fault::longer_header, at}};
      l(decoded);
      if (l.out.done()) check_fails(message::decode(longer), errc::malformed, conclave::rules::minimal_length_header);
    }
  }
  CHECK(headers > 100);
}

TEST_CASE("every presence octet is 0 or 1") {
  std::size_t octets = 0;
  for (const auto& [name, honest] : real_messages()) {
    CAPTURE(name);
    const auto decoded = must(message::decode(honest));
    bytes same;
    conclave_test::basic_rewriter<faulty_writer> count{{same, fault::none, 0}};
    count(decoded);
    for (std::size_t at = 0; at < count.out.octets(); ++at)
      for (const std::uint8_t octet : bytes{2, 0x80, 0xff}) {
        ++octets;
        check_fails(message::decode(rewritten(decoded, fault::presence, at, octet)), errc::malformed,
                    conclave::rules::presence_octet);
      }
  }
  CHECK(octets >= 3);  // that of the path of a Commit; the others are inside ciphertexts and extensions
}

TEST_CASE("no message has a byte too many or too few") {
  for (const auto& [name, honest] : real_messages()) {
    CAPTURE(name);
    bytes longer = honest;
    longer.push_back(0);
    check_fails(message::decode(longer), errc::malformed, conclave::rules::no_trailing_bytes);
    for (std::size_t n = 0; n < honest.size(); ++n)
      if (const auto cut = message::decode(byte_view{honest}.first(n)); cut || cut.error().code() != errc::malformed)
        FAIL_CHECK(name << " cut to " << n << " of " << honest.size());
  }
}

TEST_CASE("bytes left over inside are no better than bytes behind") {
  scene s;
  // behind the proposal, inside the frame that is signed and MACed: the signature takes them for its header
  bytes body = wire::encode(remove_of(leaf_index{1}));
  body.push_back(0);
  const auto outcome = s.p[0].process(s.mallory.in_public(s.mallory.content(content_type::proposal, body)));
  REQUIRE_FALSE(outcome.has_value());
  CHECK(outcome.error().code() == errc::malformed);
  // in the extensions that we read
  const bytes needed{0, 0, 0, 0};
  const std::array list{extension{extension_type::required_capabilities, needed}};
  const bytes items = wire::encode_items(list);
  proposal p;
  p.type = proposal_type::group_context_extensions;
  p.group_context_extensions = extension_list::of(items, 1);
  commit_draft draft;
  draft.proposals = {p};
  s.refused(s.mallory.commit(draft), errc::malformed, conclave::rules::no_trailing_bytes);
  s.go_on();
}

TEST_CASE("a message longer than the limit is not even looked at") {
  const bytes nothing(limits::message_bytes + 1);
  check_fails(message::decode(nothing), errc::over_limit);
}

}  // namespace mls_test
