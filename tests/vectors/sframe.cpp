// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The vectors of the SFrame working group, and the figures of RFC 9605: one file with several lists.
#include "crypto.hpp"
#include "registry.hpp"

#include <conclave/sframe/opener.hpp>
#include <conclave/sframe/sealer.hpp>

namespace conclave_vectors {
namespace {

using sframe::cipher_suite;

void header(const json& c) {
  const sframe::header wanted{c.at("kid"), c.at("ctr")};
  const bytes encoded = hex(c, "encoded");
  std::array<std::uint8_t, sframe::max_header_size> out{};
  expect_equal(wanted.encode(out), encoded, "encoded");
  const auto got = succeeds(sframe::header::decode(encoded), "decode");
  expect_equal(got.kid, wanted.kid, "kid");
  expect_equal(got.ctr, wanted.ctr, "ctr");
}

void mls_kid(const json& c) {
  const auto layout =
      succeeds(sframe::kid_layout::make(c.at("E").get<unsigned>(), 1U << c.at("S").get<unsigned>()), "kid_layout");
  const auto epoch = c.at("epoch").get<std::uint64_t>(), context = c.at("context").get<std::uint64_t>();
  const auto index = c.at("index").get<std::uint32_t>();
  const auto kid = succeeds(layout.encode(epoch, index, context), "encode");
  expect_equal(kid, c.at("kid").get<std::uint64_t>(), "kid");
  const auto fields = layout.decode(kid);
  expect(fields.index == index && fields.context == context, "the key id says something else");
}

template <class P>
void seal_and_open(const json& c, cipher_suite suite, const sframe::base_key& base) {
  const auto kid = c.at("kid").get<std::uint64_t>(), ctr = c.at("ctr").get<std::uint64_t>();
  const bytes metadata = hex(c, "metadata"), plaintext = hex(c, "pt"), frame = hex(c, "ct");
  bytes out(sframe::sealed_size(plaintext.size()));
  auto sealer = succeeds(sframe::sealer<P>::make(suite, kid, base, ctr), "sealer");
  expect_equal(succeeds(sealer.seal(plaintext, metadata, out), "seal"), frame, "ct");

  // any split of the key id does that has the sender in the tree: eight bits of epoch, the rest its leaf
  const auto sender = static_cast<std::uint32_t>(kid >> 8U);
  auto opener = succeeds(sframe::opener<P>::make(8), "opener");
  succeeds(opener.add_epoch({kid & 0xffU, suite, sender + 2, sender + 1}, base), "add_epoch");
  const auto opened = succeeds(opener.open(frame, metadata, out, {}), "open");
  expect_equal(opened.bytes, plaintext, "pt");
  expect_equal(opened.sender, sender, "sender");
  expect_equal(opened.counter, ctr, "ctr");
}

template <class P>
void derive(const json& c, cipher_suite suite, const sframe::base_key& base) {
  const auto secret = succeeds(sframe::extract<P>(suite, base), "extract");
  expect_equal(secret.reveal(), hex(c, "sframe_secret"), "sframe_secret");
  const auto keys = succeeds(sframe::derive_key_salt<P>(suite, c.at("kid"), secret), "derive_key_salt");
  expect_equal(keys.key.reveal(), hex(c, "sframe_key"), "sframe_key");
  expect_equal(keys.salt.reveal(), hex(c, "sframe_salt"), "sframe_salt");
  expect_equal(sframe::form_nonce(keys.salt, c.at("ctr")), hex(c, "nonce"), "nonce");
}

void frame(const json& c) {
  const auto suite = c.at("cipher_suite").get<cipher_suite>();
  const auto base = succeeds(sframe::base_key::copy_of(hex(c, "base_key")), "base_key");
  const int served = in_every_provider([&]<class P>() {
    if (!sframe::supports<P>(suite)) return false;
    derive<P>(c, suite, base);
    seal_and_open<P>(c, suite, base);
    return true;
  });
  expect(served > 0, "no provider serves this suite");
}

/// The AEAD of 4.5.1 alone, under a key given in one piece.
void compound_aead(const json& c) {
  const auto suite = c.at("cipher_suite").get<cipher_suite>();
  const bytes key = hex(c, "key"), nonce = hex(c, "nonce"), aad = hex(c, "aad");
  const bytes plaintext = hex(c, "pt"), sealed = hex(c, "ct");
  const byte_view body = byte_view{sealed}.first(plaintext.size()), tag = byte_view{sealed}.subspan(plaintext.size());
  const int served = in_every_provider([&]<class P>() {
    if (!sframe::supports<P>(suite)) return false;
    auto aead = succeeds(sframe::ctr_hmac_key<P>::make(suite, key), "making the key");
    bytes out(plaintext.size()), mac(tag.size());
    succeeds(aead.seal({&aead, nonce, aad, {}, plaintext, out, mac}), "sealing");
    expect_equal(out, body, "ciphertext");
    expect_equal(mac, tag, "tag");
    out.assign(plaintext.size(), 0);
    succeeds(aead.open({&aead, nonce, aad, {}, body, tag, out}), "opening");
    expect_equal(out, plaintext, "pt");
    return true;
  });
  expect(served > 0, "no provider serves this suite");
}

struct section {
  const char* name;
  void (*run)(const json&);
};
const section sections[] = {
    {"header", header},
    {"mls_kid", mls_kid},
    {"sframe", frame},
    {"sframe_aes_256_ctr_hmac", frame},
    {"aes_ctr_hmac", compound_aead},
    {"aes_256_ctr_hmac", compound_aead},
};

}  // namespace

std::optional<case_list> sframe_cases(const std::string& stem, const json& file) {
  if (!stem.starts_with("sframe")) return std::nullopt;
  case_list out;
  for (const auto& [name, list] : file.items()) {
    if (name == "source") continue;
    const auto known = std::ranges::find(sections, name, [](const section& s) { return std::string(s.name); });
    if (known == std::end(sections)) throw mismatch("an unknown list " + name);
    std::size_t i = 0;
    for (const json& c : list) {
      vector_case next{name + " " + std::to_string(i++), [known, &c] { known->run(c); }};
      if (c.contains("cipher_suite")) {
        next.sframe_suite = c.at("cipher_suite").get<std::uint16_t>();
        next.label += ", suite " + std::to_string(*next.sframe_suite);
      }
      out.push_back(std::move(next));
    }
  }
  return out;
}

}  // namespace conclave_vectors
