// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The costliest inputs that a peer can make for everything beside groups.
#include "bounds.hpp"

#include <identity/authority.hpp>

#include <conclave/meeting/early_frames.hpp>
#include <conclave/meeting/recording.hpp>
#include <conclave/otp/uri.hpp>
#include <conclave/sas/verification.hpp>
#include <conclave/sframe/opener.hpp>
#include <conclave/sframe/sender_keys.hpp>
#include <conclave/store/rules_json.hpp>

namespace faults {
namespace other_bounds {

using P = default_provider;
namespace sf = conclave::sframe;
namespace rec = conclave::recording;
namespace id = identity_test;
constexpr auto frame_suite = sf::cipher_suite::aes_128_gcm_sha256_128;
constexpr steady_time then{1000};

[[nodiscard]] sf::base_key a_base(std::size_t size = 16) {
  sf::base_key out(size);
  std::ranges::fill(out.writable(), std::uint8_t{1});
  return out;
}

/// authorities: a root and `depth` of them below it, and a member; each signs the next.
struct authorities {
  std::vector<id::draft> levels;
  std::vector<bytes> chain;  // leaf first, the root left out
  bytes root;

  explicit authorities(std::size_t depth, const std::function<void(id::draft&)>& member = {},
                       const std::function<void(id::draft&)>& authority = {}) {
    levels.push_back(id::an_authority("root", signature_scheme::ecdsa_secp256r1_sha256));
    for (std::size_t i = 0; i < depth; ++i)
      levels.push_back(id::an_authority("authority " + std::to_string(i), signature_scheme::ecdsa_secp256r1_sha256));
    levels.push_back(id::a_member("alice@example.org"));
    if (member) member(levels.back());
    if (authority) authority(levels[levels.size() - 2]);
    for (std::size_t i = 0; i < levels.size(); ++i) {
      levels[i].issuer = levels[i == 0 ? 0 : i - 1].subject;
      levels[i].serial = 100 + i;
      bytes der = levels[i].signed_by(levels[i == 0 ? 0 : i - 1].key);
      if (i == 0)
        root = std::move(der);
      else
        chain.insert(chain.begin(), std::move(der));
    }
  }
  [[nodiscard]] std::size_t size() const {
    std::size_t out = 0;
    for (const bytes& der : chain) out += der.size();
    return out;
  }
  /// judging(state, after): a validator that trusts the root is asked about the member.
  [[nodiscard]] auto judging(identity_state expected, std::vector<bytes> lists = {}) const {
    return [all = *this, expected, lists = std::move(lists)] {
      x509::trust t;
      succeeds(t.add_anchor(all.root, x509::anchor_kind::external));
      for (const bytes& list : lists) succeeds(t.add_revocation_list(list));
      x509_validator v(std::move(t), {x509::name_form::email, x509::revocation_rule::when_known});
      presented_identity who{credential_type::x509, {}, {}, {}, signature_scheme::ed25519};
      for (const bytes& der : all.chain) who.certificates.push_back(der);
      who.signature_key = all.levels.back().key.of_mls->public_view();
      const auto got = v.check(who, id::now);
      if (got.state == expected) return;
      std::fprintf(stderr, "%d: %s\n", static_cast<int>(got.state), got.broken != nullptr ? got.broken->name : "");
      std::abort();
    };
  }
};

}  // namespace other_bounds

using namespace other_bounds;

TEST_CASE("a chain of certificates costs what it weighs", "[bounds]") {
  const bound memory{40, 400'000, 1.3};  // Botan's own, for the first chain
  const auto verified = identity_state::verified_external;
  costs("X.509", "a chain of n", {2, 4, limits::certificates}, memory, [&](std::size_t n) {
    const authorities all(n - 1);
    return std::pair(all.size(), all.judging(verified));
  });
  costs("X.509", "a chain of n, too long", {16, 64, 256}, {8, 8192}, [&](std::size_t n) {
    authorities all(1);
    all.chain.resize(n, all.chain.back());
    return std::pair(all.size(), all.judging(identity_state::untrusted));
  });
  costs("X.509", "authorities that certify each other in a ring", {1}, memory, [&](std::size_t) {
    authorities all(2);
    // the upper authority's certificate is issued by the lower one
    id::draft ring = all.levels[1];
    ring.issuer = all.levels[2].subject;
    all.chain = {all.chain[0], all.chain[1], ring.signed_by(all.levels[2].key)};
    return std::pair(all.size(), all.judging(identity_state::untrusted));
  });
  costs("X.509", "n names under n constraints", {16, 32, limits::certificate_names}, memory, [&](std::size_t n) {
    const authorities all(
        1,
        [&](id::draft& member) {
          for (std::size_t i = 1; i < n; ++i)
            append(member.alternative_names, id::dns("h" + std::to_string(i) + ".example"));
        },
        [&](id::draft& authority) {
          bytes subtrees;
          for (std::size_t i = 0; i < n; ++i) append(subtrees, id::seq({id::dns("h" + std::to_string(i) + ".other")}));
          authority.name_constraints = id::seq({id::tlv(der::nested(1), subtrees)});
        });
    return std::pair(all.size(), all.judging(verified));
  });
  costs("X.509", "a certificate of n bytes, too long", {16'384, 65'536, 262'144}, {2, 16'384}, [&](std::size_t n) {
    const authorities all(1,
                          [&](id::draft& member) { member.more.push_back({id::oid({0x2a, 3, 4}), false, bytes(n)}); });
    return std::pair(all.size(), all.judging(identity_state::untrusted));
  });
  costs("DER", "n nested sequences", up_to(8192), {0, 4096}, [](std::size_t n) {
    bytes der;
    for (std::size_t i = 0; i < n && der.size() < 60'000; ++i) der.insert(der.begin(), {0x30, 0x80});
    return std::pair(der.size(), [der] {
      if (x509::certificate::read(der)) std::abort();
    });
  });
  costs("CRL", "n serial numbers", up_to(1 << 18), {8, 131'072}, [&](std::size_t n) {
    const authorities all(1);
    id::list_draft list;
    for (std::size_t i = 0; i < n; ++i) list.serials.push_back(1'000'000 + i);
    const bytes der = list.signed_by(all.levels[1]);
    return std::pair(der.size(), all.judging(verified, {der}));
  });
  costs("OCSP", "n bytes, too long", up_to(1 << 20), {2, 32'768}, [&](std::size_t n) {
    return std::pair(n, [response = bytes(n + limits::ocsp_response_bytes)] {
      x509::trust t;
      fails(t.add_ocsp_response(response), errc::over_limit);
    });
  });
}

TEST_CASE("frames cost nothing that lasts before they are authentic", "[bounds]") {
  costs("SFrame open", "n forged frames, each of another key id", up_to(1 << 18), {0, 1024}, [](std::size_t n) {
    auto e = std::make_shared<sf::opener<P>>(*sf::opener<P>::make(8));
    REQUIRE(e->add_epoch({1, frame_suite, 1U << 20U, 0}, a_base()));
    const auto layout = *sf::kid_layout::make(8, 1U << 20U);
    return std::pair(n, [e, layout, n] {
      std::array<std::uint8_t, 64> frame{}, out;
      for (std::size_t i = 0; i < n; ++i) {
        const std::uint64_t kid = *layout.encode(1, 1 + static_cast<std::uint32_t>(i % 0xfffff), i % 64);
        const sf::header head{kid, i * 0x1'0001};
        const std::size_t size = head.encode(frame).size() + 32;
        if (e->open(byte_view{frame}.first(size), {}, out, then)) std::abort();
      }
      if (e->keys() != 0) std::abort();
    });
  });
  costs("SFrame open", "the greatest KID and CTR", {1}, {0, 0}, [](std::size_t) {
    auto e = std::make_shared<sf::opener<P>>(*sf::opener<P>::make(8));
    REQUIRE(e->add_epoch({1, frame_suite, 4, 0}, a_base()));
    return std::pair(std::size_t{64}, [e] {
      std::array<std::uint8_t, 64> frame{}, out;
      (void)sf::header{~std::uint64_t{0}, ~std::uint64_t{0}}.encode(frame);
      if (e->open(frame, {}, out, then)) std::abort();
    });
  });
  costs("SFrame open", "n keys of members", up_to(4 * limits::receiving_keys), {0, 8'000'000, 1.1}, [](std::size_t n) {
    constexpr std::uint32_t leaves = 1024;
    auto e = std::make_shared<sf::opener<P>>(*sf::opener<P>::make(8));
    REQUIRE(e->add_epoch({1, frame_suite, leaves, 0}, a_base()));
    auto frames = std::make_shared<std::vector<bytes>>();
    const auto layout = *sf::kid_layout::make(8, leaves);
    for (std::size_t i = 0; i < n; ++i) {
      auto mic = *sf::sealer<P>::make(frame_suite, *layout.encode(1, static_cast<std::uint32_t>(1 + i / 64), i % 64),
                                      a_base(), 0);
      frames->emplace_back(sf::sealed_size(1));
      frames->back().resize(mic.seal(as_bytes("a"), {}, frames->back())->size());
    }
    return std::pair(n, [e, frames] {
      std::array<std::uint8_t, 64> out;
      for (const bytes& f : *frames) succeeds(e->open(f, {}, out, then));
    });
  });
  costs("SFrame open, sender keys", "n steps ahead", {16, 32, 64}, {0, 65'536}, [](std::size_t n) {
    auto mic = *sf::sender_key_sealer<P>::make(frame_suite, 8, 0, a_base());
    auto e = std::make_shared<sf::sender_key_opener<P>>(*sf::sender_key_opener<P>::make(frame_suite, 8));
    REQUIRE(e->add_key(mic.kid(), a_base(), then));
    for (std::size_t i = 0; i < n; ++i) REQUIRE(mic.step_forward());
    bytes frame(64);
    frame.resize(mic.frames().seal(as_bytes("a"), {}, frame)->size());
    return std::pair(n, [e, frame] {
      bytes out(64);
      succeeds(e->open(frame, {}, out, then));
    });
  });
  costs("SFrame open, sender keys", "the greatest step", {1}, {0, 4096}, [](std::size_t) {
    auto e = std::make_shared<sf::sender_key_opener<P>>(*sf::sender_key_opener<P>::make(frame_suite, 63));
    REQUIRE(e->add_key(0, a_base(), then));
    return std::pair(std::size_t{64}, [e] {
      std::array<std::uint8_t, 64> frame{}, out;
      (void)sf::header{(std::uint64_t{1} << 62U) - 1, 0}.encode(frame);
      fails(e->open(frame, {}, out, then), errc::unknown_key);
    });
  });
}

TEST_CASE("frames that wait for their epoch take up no more than their place", "[bounds]") {
  const auto waiting = [](std::size_t n, std::size_t size, std::size_t sources) {
    return std::pair(n, [n, sources, frame = bytes(size)] {
      early_frames place;
      for (std::size_t i = 0; i < n; ++i) (void)place.keep(i % sources, frame, {}, then).has_value();
      if (place.size() > limits::early_frames || place.size() * frame.size() > limits::early_bytes) std::abort();
      if (place.size() + place.dropped() != n) std::abort();
    });
  };
  // what is held, and what a queue, a map and the allocator have beside it
  const bound place{0, double(limits::early_bytes) * 1.5, 1.1};
  costs("early frames", "n small frames of one source", up_to(8 * limits::early_frames), place,
        [&](std::size_t n) { return waiting(n, 40, 1); });
  costs("early frames", "n small frames, each of another source", up_to(8 * limits::early_frames), place,
        [&](std::size_t n) { return waiting(n, 40, n); });
  costs("early frames", "n frames of 64 KiB of 16 sources", up_to(4096), place,
        [&](std::size_t n) { return waiting(n, 1U << 16U, 16); });
}

TEST_CASE("a verification costs two hashes for each contributor", "[bounds]") {
  costs("verification", "a run of n", {256, 512, limits::verification_contributors}, {140, 65'536}, [](std::size_t n) {
    sas::message start;
    start.type = sas::message_type::start;
    bytes leaves;
    writer w{leaves};
    for (std::uint32_t i = 0; i < n; ++i) w.number(i);
    start.start.form = sas::form::digits_8;
    start.start.min_bits = limits::spoken_code_bits;
    start.start.epoch = 7;
    start.start.contributors = wire::list<std::uint32_t>::of(leaves, n);
    const bytes input = wire::encode(start);
    return std::pair(input.size(), [input, n] {
      sas::basic_verification<P> v(limits::spoken_code_bits);
      const bytes hash(32, 1);
      v.enter_epoch({7, hash_id::sha256, 1, *digest::copy_of(hash), *digest::copy_of(hash)}, steady_time{1'000'000});
      succeeds(v.receive(0, 7, input, steady_time{1'000'000}));
      for (std::uint32_t i = 2; i < n; ++i) {
        sas::message commit;
        commit.type = sas::message_type::commit;
        commit.commitment = hash;
        succeeds(v.receive(i, 7, wire::encode(commit), steady_time{1'000'000}));
      }
    });
  });
  costs("verification", "a run of n, too many", up_to(1 << 20), {0, 4096}, [](std::size_t n) {
    sas::message start;
    start.type = sas::message_type::start;
    const bytes leaves(4 * (n + limits::verification_contributors));
    start.start.form = sas::form::digits_8;
    start.start.contributors = wire::list<std::uint32_t>::of(leaves, leaves.size() / 4);
    const bytes input = wire::encode(start);
    return std::pair(input.size(), [input] { fails(wire::decode<sas::message>(input), errc::over_limit); });
  });
}

TEST_CASE("files and links cost what they weigh", "[bounds]") {
  costs("rules in JSON", "n organizers", up_to(limits::rules_assignments), {40, 131'072}, [](std::size_t n) {
    std::string text = R"({"preset": "open", "encryption": {"policies": {"p": "not_enabled"}, "assigned": {)";
    for (std::size_t i = 0; i < n; ++i) text += (i == 0 ? "\"" : ", \"") + std::to_string(i) + "\": \"p\"";
    text += "}}}";
    return std::pair(text.size(), [text] {
      rules_error error;
      succeeds(load_rules(text, error));
    });
  });
  costs("rules in JSON", "n brackets, never closed", up_to(limits::rules_bytes), {4, 65'536}, [](std::size_t n) {
    return std::pair(n, [text = std::string(n, '[')] {
      rules_error error;
      if (load_rules(text, error)) std::abort();
    });
  });
  costs("rules in JSON", "one string of n bytes", up_to(limits::rules_bytes - 64), {8, 65'536}, [](std::size_t n) {
    return std::pair(n, [text = R"({"preset":")" + std::string(n, 'a') + "\"}"] {
      rules_error error;
      if (load_rules(text, error)) std::abort();
    });
  });
  costs("rules in JSON", "n bytes, too many", {limits::rules_bytes + 1, 4 * limits::rules_bytes}, {0, 4096},
        [](std::size_t n) {
          return std::pair(n, [text = std::string(n, ' ')] {
            rules_error error;
            fails(load_rules(text, error), errc::over_limit);
          });
        });
  costs("otpauth URI", "n parameters", {128, 256, 480}, {16, 8192}, [](std::size_t n) {
    std::string uri = "otpauth://totp/a:b?secret=ABCD";
    for (std::size_t i = 0; i < n; ++i) uri += "&x=1";
    uri.resize(std::min(uri.size(), limits::otp_uri_bytes));
    return std::pair(uri.size(), [uri] {
      if (otp::read_uri(uri)) std::abort();
    });
  });
  costs("otpauth URI", "n bytes, too long", up_to(1 << 20), {0, 4096}, [](std::size_t n) {
    return std::pair(n, [uri = "otpauth://totp/" + std::string(n + limits::otp_uri_bytes, '%')] {
      if (otp::read_uri(uri)) std::abort();
    });
  });
}

namespace other_bounds {

class sink_in_memory final : public rec::sink {
 public:
  bytes content;
  [[nodiscard]] status write(std::uint64_t offset, byte_view data) override {
    content.resize(std::max<std::size_t>(content.size(), offset + data.size()));
    std::ranges::copy(data, content.begin() + static_cast<std::ptrdiff_t>(offset));
    return {};
  }
  [[nodiscard]] status sync() override { return {}; }
};
class source_in_memory final : public rec::source {
 public:
  explicit source_in_memory(byte_view content) : content_{content} {}
  [[nodiscard]] result<std::uint64_t> size() override { return std::uint64_t{content_.size()}; }
  [[nodiscard]] status read(std::uint64_t offset, byte_span out) override {
    if (offset > content_.size() || out.size() > content_.size() - offset) return errc::storage;
    std::ranges::copy(content_.subspan(offset, out.size()), out.begin());
    return {};
  }

 private:
  byte_view content_;
};
[[nodiscard]] hpke::key_pair reader_key() {
  return *hpke::derive_key_pair<P>(kem_id::dhkem_x25519_sha256, bytes(32, 1));
}
[[nodiscard]] bytes tape_of(std::size_t entries, std::size_t size, bool close = true) {
  deterministic_environment env(1);
  sink_in_memory to;
  const auto who = reader_key();
  const byte_view pub = who.pub.view();
  auto tape = *rec::recorder::create(env, to, {&pub, 1});
  const bytes data(size, 1);
  for (std::size_t i = 0; i < entries; ++i) REQUIRE(tape.add({rec::entry_kind::audio, i, 1, 0, 0, {}, data}));
  REQUIRE((close ? tape.close() : tape.flush()));
  return to.content;
}

}  // namespace other_bounds

TEST_CASE("a recording costs its longest chunk, and its index", "[bounds]") {
  const auto reading = [](bytes file, bool damaged = false) {
    return std::pair(file.size(), [file, damaged] {
      source_in_memory from(file);
      auto tape = *rec::player::open(from, reader_key());
      for (;;) {
        const auto e = tape.next();
        if (e && !*e) break;
        if (!e && damaged) break;
        succeeds(e);
      }
      if (!damaged) succeeds(tape.seek(1));
    });
  };
  costs("recording, read", "n entries of 4000 bytes", up_to(8192), {0, 262'144},
        [&](std::size_t n) { return reading(tape_of(n, 4000)); });
  costs("recording, read", "an entry of n bytes", up_to(limits::frame_bytes), {2.5, 262'144},
        [&](std::size_t n) { return reading(tape_of(1, n)); });
  costs("recording, read", "a chunk that claims n bytes", {1 << 16, limits::recording_chunk_bytes, 0xffff'ffff},
        {0, 262'144}, [&](std::size_t n) {
          bytes file = tape_of(40, 4000, false);
          const std::size_t header = rec::header_size(1);
          store_be(static_cast<std::uint32_t>(n), byte_span{file}.subspan(header + 32));
          return reading(std::move(file), true);
        });
}

}  // namespace faults
