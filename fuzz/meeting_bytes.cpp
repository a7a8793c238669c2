// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What members, newcomers and cameras say in a meeting, beside MLS and media: text, what a client says of itself, the
/// answer to a knock, the code for cameras, the parameters of a meeting. The first byte chooses, the rest is the encoding.
/// The oracle reads each format a second time, from its description and not with the library's reader: the two accept the
/// same inputs, within the same limits, and see the same in them; written again, what was read is the input.
#include <conclave/meeting/lobby.hpp>
#include <conclave/meeting/presets.hpp>
#include <conclave/sas/code.hpp>

#include "support/oracle.hpp"

namespace {

using namespace conclave;
using conclave_fuzz::require;

/// plain_reader: numbers and vectors, once more. What it gives after `good` has become false means nothing.
struct plain_reader {
  byte_view rest;
  bool good = true;

  std::uint64_t number(std::size_t n) {
    std::uint64_t out = 0;
    for (const std::uint8_t b : take(n)) out = out * 256 + b;
    return out;
  }
  byte_view take(std::size_t n) {
    good = good && n <= rest.size();
    if (!good) return {};
    const byte_view out = rest.first(n);
    rest = rest.subspan(n);
    return out;
  }
  /// RFC 9420 2.1.2: a length in as few bytes as it fits into, then as many bytes.
  byte_view vector() {
    const auto first = number(1);
    const std::size_t more = first < 64 ? 0 : first < 128 ? 1 : 3;
    const std::uint64_t size = (first % 64) << (8 * more) | number(more);
    good = good && first < 192 && (more == 0 || size >= (more == 1 ? 64 : 16384));
    return take(good ? static_cast<std::size_t>(size) : 0);
  }
  bool finished() const { return good && rest.empty(); }
};

/// utf8(text): decoded and encoded again, it is the same (RFC 3629).
bool utf8(byte_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const unsigned lead = text[i];
    const std::size_t n = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (n > text.size() - i) return false;
    std::uint32_t c = n == 1 ? lead : lead & (0xffU >> (n + 1));
    for (std::size_t k = 1; k < n; ++k) c = c << 6U | (text[i + k] & 0x3fU);
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return false;
    bytes again;
    if (c < 0x80) {
      again.push_back(static_cast<std::uint8_t>(c));
    } else {
      const std::size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
      again.push_back(static_cast<std::uint8_t>(0xf00U >> size | c >> (6 * (size - 1))));
      for (std::size_t k = size - 1; k > 0; --k)
        again.push_back(static_cast<std::uint8_t>(0x80U | (c >> (6 * (k - 1)) & 0x3fU)));
    }
    if (!equal(again, text.subspan(i, n))) return false;
    i += n;
  }
  return true;
}

/// agreed(input, decode, other): `decode` takes the input where `other`, the second reader, does; never with a byte more or
/// less. True where both do.
template <class Decode>
bool agreed(byte_view input, Decode&& decode, bool other) {
  const auto got = decode(input);
  require(got.has_value() == other, "only one of two readers takes it");
  if (!got) {
    const errc code = got.error().code();
    require(code == errc::malformed || code == errc::unsupported || code == errc::over_limit, "another error");
    return false;
  }
  require(!decode(input.first(input.size() - 1)), "it was accepted without its last byte");
  bytes longer = to_bytes(input);
  longer.push_back(0);
  require(!decode(longer), "it was accepted with a byte behind it");
  return true;
}

template <class T>
bool agreed(byte_view input, bool other) {
  if (!agreed(input, wire::decode<T>, other)) return false;
  require(equal(wire::encode(*wire::decode<T>(input)), input), "encoding does not give the input");
  return true;
}

void text(byte_view input) {
  plain_reader in{input};
  const bool marked = equal(in.take(4), as_bytes("ctxt"));
  const auto version = in.number(1), kind = in.number(1), number = in.number(8);
  const byte_view said = in.vector();
  const bool good = in.finished() && marked && version == 1 && (kind == 1 || kind == 2) &&
                    said.size() <= limits::chat_bytes && utf8(said);
  require(chat_content::is(input) == (input.size() >= 4 && marked), "text is not known as such");
  if (!agreed<chat_content>(input, good)) return;
  const auto content = *wire::decode<chat_content>(input);
  require(static_cast<std::uint64_t>(content.kind) == kind && content.number == number && equal(content.text, said),
          "the text says something else");
}

void claims(byte_view input) {
  plain_reader in{input};
  const auto format = in.number(1), platform = in.number(1), experience = in.number(1), audio = in.number(1),
             recorded = in.number(1);
  std::array<std::uint64_t, 4> version{};
  for (auto& part : version) part = in.number(4);
  const bool good = in.finished() && format == 1 && recorded <= 1;
  // as a member's leaf has them: what cannot be read says nothing
  mls::leaf_node leaf;
  const bytes items = wire::encode_items(std::array{mls::extension{claims_extension, input}});
  leaf.extensions = mls::extension_list::of(items, 1);
  if (!agreed<client_claims>(input, good))
    return require(claims_of(leaf) == client_claims{}, "something was made of claims that cannot be read");
  const auto said = *wire::decode<client_claims>(input);
  require(claims_of(leaf) == said, "the leaf says something else");
  require(static_cast<std::uint64_t>(said.platform) == platform &&
              static_cast<std::uint64_t>(said.experience) == experience &&
              static_cast<std::uint64_t>(said.audio) == audio && said.must_be_recorded == (recorded == 1) &&
              std::ranges::equal(said.version.parts, version),
          "the claims say something else");
  // numbers of newer clients count as unknown platforms; another generation, or another way of sound, does not come in
  client_claims plain = said;
  if (!known(said.platform)) plain.platform = conclave::platform::unknown;
  for (const preset p : {preset::webex, preset::teams, preset::open}) {
    const auto verdict = [&](const client_claims& c) {
      return decide_admission(rules_of(p).admission, {}, {c, identity_state::verified_external, false, true}).verdict;
    };
    require(verdict(said) == verdict(plain), "a newer platform is not treated as an unknown one");
    require((known(said.experience) && known(said.audio)) || verdict(said) == admission_verdict::refused,
            "an unknown client was admitted");
  }
}

void answer(byte_view input) {
  plain_reader in{input};
  const auto format = in.number(1), verdict = in.number(1), reason = in.number(1), limit = in.number(4);
  std::array<std::uint64_t, 4> least{};
  for (auto& part : least) part = in.number(4);
  if (!agreed<admission_answer>(input, in.finished() && format == 1 && verdict < 3)) return;
  const auto said = wire::decode<admission_answer>(input)->decision;
  require(static_cast<std::uint64_t>(said.verdict) == verdict && static_cast<std::uint64_t>(said.reason) == reason &&
              said.limit == limit && std::ranges::equal(said.least.parts, least),
          "the answer says something else");
  const std::string shown = explain(said);
  require(!shown.empty() && shown.size() < 400, "it cannot be explained");
  for (const char c : shown) require(c >= 0x20 && c != 0x7f, "an explanation that controls the terminal");
}

void camera(byte_view input) {
  plain_reader in{input};
  const auto version = in.number(1), epoch = in.number(8);
  (void)in.take(32);
  if (!agreed(input, sas::machine_code::read, in.finished() && version == 1)) return;
  const auto code = *sas::machine_code::read(input);
  require(equal(code.payload(), input) && code.epoch() == epoch, "the code says something else");
  bytes other = to_bytes(input);
  other.back() ^= 1U;
  require(compare(code, *sas::machine_code::read(input)) == sas::comparison::same &&
              compare(code, *sas::machine_code::read(other)) == sas::comparison::different,
          "codes are compared wrongly");
}

void parameters(byte_view input) {
  plain_reader in{input};
  const auto version = in.number(2), door = in.number(1), capacity = in.number(4), admits = in.number(1),
             removes = in.number(1), locks = in.number(1), code_bits = in.number(1), media = in.number(2),
             epoch_bits = in.number(1);
  plain_reader roles{in.vector()};
  bool hosted = false, sorted = true;
  std::vector<std::pair<bytes, std::uint64_t>> entries;
  while (roles.good && !roles.rest.empty()) {
    bytes key = to_bytes(roles.vector());
    const auto is = roles.number(1);
    sorted = sorted && (is == 1 || is == 2) && (entries.empty() || entries.back().first < key);
    hosted = hosted || is == 2;
    entries.emplace_back(std::move(key), is);
  }
  const bool good = in.finished() && roles.good && version == 1 && door <= 3 && capacity >= 1 &&
                    capacity <= limits::leaves && admits <= 2 && removes <= 2 && locks <= 2 &&
                    code_bits >= limits::spoken_code_bits && code_bits <= limits::spoken_code_bits_most && media >= 1 &&
                    media <= 8 && epoch_bits >= limits::sframe_epoch_bits_least &&
                    epoch_bits <= limits::sframe_epoch_bits_most && entries.size() <= limits::roles && hosted && sorted;
  if (!agreed(input, meeting_parameters::decode, good)) return;
  const auto p = *meeting_parameters::decode(input);
  require(equal(wire::encode(p), input), "encoding does not give the input");
  for (const auto& [key, is] : entries) {
    require(static_cast<std::uint64_t>(p.role_of(key)) == is, "somebody has another role");
    // a role set to what it is changes nothing; one that is taken away is gone
    require(equal(with_role(p.roles, key, role{static_cast<std::uint8_t>(is)}).items, p.roles.encoded()),
            "the same roles are written in another way");
    const encoded_roles without = with_role(p.roles, key, role::participant);
    require(without.count == entries.size() - 1, "a role stays");
  }
  // in a GroupContext: found again, once
  const bytes items = with_parameters({}, p);
  const auto found = meeting_parameters::of(*mls::extension_list::check(items));
  require(found && equal(wire::encode(*found), input), "other parameters are found");
  require(equal(with_parameters(*mls::extension_list::check(items), p), items), "parameters have two places");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const byte_view input = byte_view{data, size}.subspan(1);
  constexpr void (*all[])(byte_view) = {text, claims, answer, camera, parameters};
  all[data[0] % std::size(all)](input);
  return 0;
}
