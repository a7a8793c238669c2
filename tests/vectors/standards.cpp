// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The figures of the standards' own appendices, vectors/crypto.
#include "crypto.hpp"
#include "registry.hpp"
#include "support/scripted_environment.hpp"

#include <conclave/crypto/hpke.hpp>
#include <conclave/crypto/signature.hpp>

#include <map>
#include <numeric>

namespace conclave_vectors {
namespace {

using conclave_test::scripted_environment, conclave_test::servers;

void expect_servers(int got, int wanted) {
  expect(got == wanted, std::to_string(got) + " providers served it, not " + std::to_string(wanted));
}

hash_id hash_of(const json& c) {
  const auto name = c.at("hash").get<std::string>();
  if (name == "sha1") return hash_id::sha1;
  if (name == "sha256") return hash_id::sha256;
  if (name == "sha384") return hash_id::sha384;
  expect(name == "sha512", "an unknown hash");
  return hash_id::sha512;
}
int servers_of(hash_id hash) { return servers(hash == hash_id::sha256 || hash == hash_id::sha512, true, true); }
int servers_of(kem_id kem) {
  const bool x25519 = kem == kem_id::dhkem_x25519_sha256, x448 = kem == kem_id::dhkem_x448_sha512;
  return servers(x25519, !x25519 && !x448, true);
}
int servers_of(signature_scheme scheme) {
  const bool ed25519 = scheme == signature_scheme::ed25519, ed448 = scheme == signature_scheme::ed448;
  return servers(ed25519, !ed25519 && !ed448, !ed25519);
}

void hashes(const json& c) {
  bytes message;
  if (c.contains("repeat"))
    message.assign(c["repeat"][0].get<std::size_t>(), from_hex(c["repeat"][1].get<std::string>()).at(0));
  else
    message = hex(c, "message");
  expect_servers(hash_gives(hash_of(c), message, hex(c, "digest")), servers_of(hash_of(c)));
}

void hash_lengths(const json& c) {
  const hash_id hash = hash_of(c);
  const auto messages = c.at("messages").get<std::size_t>();
  const int served = in_every_provider([&]<class P>() {
    if (!P::supports(hash)) return false;
    bytes digests;
    for (std::size_t n = 0; n < messages; ++n) {
      bytes message(n), out(hash_size(hash));
      for (std::size_t i = 0; i < n; ++i) message[i] = static_cast<std::uint8_t>((i * i + n) % 251);
      P::hash(hash, std::array{byte_view{message}}, out);
      append(digests, out);
    }
    bytes out(hash_size(hash));
    P::hash(hash, std::array{byte_view{digests}}, out);
    expect_equal(out, hex(c, "digest"), "the hash of all hashes");
    return true;
  });
  expect_servers(served, servers_of(hash));
}

void hmacs(const json& c) {
  expect_servers(hmac_gives(hash_of(c), hex(c, "key"), hex(c, "message"), hex(c, "mac")), servers_of(hash_of(c)));
}

void hkdf(const json& c) {
  const int served = hkdf_gives(hash_of(c), hex(c, "salt"), hex(c, "ikm"), hex(c, "info"), hex(c, "okm"));
  expect_servers(served, servers_of(hash_of(c)));
  expect_servers(hmac_gives(hash_of(c), hex(c, "salt"), hex(c, "ikm"), hex(c, "prk")), served);
}

void siphash(const json& c) {
  bytes key(16), message(c.at("length").get<std::size_t>()), output = hex(c, "output");
  std::iota(key.begin(), key.end(), std::uint8_t{0});
  std::iota(message.begin(), message.end(), std::uint8_t{0});
  std::ranges::reverse(output);
  expect_servers(in_every_provider([&]<class P>() {
                   expect(P::short_hash(key, message) == load_be<std::uint64_t>(output), "another number");
                   return true;
                 }),
                 servers(true, true, true));
}

void aead(const json& c) {
  const auto id = c.at("aead").get<aead_id>();
  const int served =
      aead_gives({id, hex(c, "key"), hex(c, "nonce"), hex(c, "aad"), hex(c, "plaintext"), hex(c, "ciphertext")});
  const bool in_sodium = sodium::supports(id);  // AES only where the CPU has it
  expect_servers(served, servers(in_sodium, true, true));
}

void xchacha(const json& c) {
  expect_servers(
      xchacha_gives({{}, hex(c, "key"), hex(c, "nonce"), hex(c, "aad"), hex(c, "plaintext"), hex(c, "ciphertext")}),
      servers(true, false, false));
}

void aes_lengths(const json& c) {  // as aes-lengths.py makes them
  const auto key_size = c.at("key").get<std::size_t>();
  const auto pattern = [](std::size_t n, std::size_t factor, std::size_t add) {
    bytes out(n);
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::uint8_t>(factor * i + add);
    return out;
  };
  const auto fold = [](std::uint64_t& into, byte_view data) {
    for (const std::uint8_t b : data) into = into * 0x100000001b3 + b;
  };
  const auto number = [&](const char* name) { return std::stoull(c.at(name).get<std::string>(), nullptr, 16); };
  in_every_provider([&]<class P>() {
    const aead_id gcm_id = key_size == 16 ? aead_id::aes_128_gcm : aead_id::aes_256_gcm;
    const ctr_id ctr = key_size == 16 ? ctr_id::aes_128_ctr : ctr_id::aes_256_ctr;
    std::uint64_t sealed_sum = 0, ctr_sum = 0;
    for (std::size_t n = 0; n <= 2048; ++n) {
      const bytes raw = pattern(key_size, 1, n), text = pattern(n, 11, n);
      if (P::supports(gcm_id)) {
        auto key = succeeds(P::aead_key::make(gcm_id, raw), "making the key");
        bytes sealed(n + aead_tag_size);
        succeeds(key.seal(pattern(12, 7, n), pattern(n % 61, 3, n), text, sealed), "sealing");
        fold(sealed_sum, sealed);
      }
      if (P::supports(ctr)) {
        auto key = succeeds(P::ctr_key::make(ctr, raw), "making the key");
        bytes out(n);
        succeeds(key.xor_keystream(pattern(16, 5, n), text, out), "encrypting");
        fold(ctr_sum, out);
      }
    }
    if (P::supports(gcm_id)) expect_equal(sealed_sum, std::uint64_t{number("gcm")}, "all ciphertexts and tags");
    if (P::supports(ctr)) expect_equal(ctr_sum, std::uint64_t{number("ctr")}, "all ciphertexts in counter mode");
    return P::supports(gcm_id);
  });
}

void diffie_hellman(const json& c) {
  const auto kem = c.at("kem").get<kem_id>();
  expect_servers(dh_gives(kem, hex(c, "private"), hex(c, "public"), hex(c, "shared")), servers_of(kem));
  if (!c.contains("own_public")) return;
  in_every_provider([&]<class P>() {
    if (!P::supports(kem)) return false;
    bytes pk(kem_sizes(kem).public_key);
    succeeds(P::dh_public_key(kem, hex(c, "private"), pk), "dh_public_key");
    expect_equal(pk, hex(c, "own_public"), "public key");
    return true;
  });
}

void signatures(const json& c) {
  const auto scheme = c.at("scheme").get<signature_scheme>();
  const bytes pk = hex(c, "public"), message = hex(c, "message"), signature = hex(c, "signature");
  expect_servers(verify_says(true, scheme, pk, message, signature), servers_of(scheme));
  system_environment env;
  in_every_provider([&]<class P>() {
    if (!P::supports(scheme)) return false;
    const auto key = succeeds(signature_key::from_private<P>(scheme, hex(c, "private")), "importing the key");
    expect_equal(key.public_view(), pk, "public key");
    const bytes made = succeeds(key.template sign<P>(env, message), "signing");
    succeeds(P::verify(scheme, pk, message, made), "verifying our own");
    bool deterministic = scheme == signature_scheme::ed25519 || scheme == signature_scheme::ed448;
#if CONCLAVE_WITH_BOTAN
    deterministic = deterministic || std::is_same_v<P, botan>;  // RFC 6979
#endif
    if (deterministic) expect_equal(made, signature, "signature");
    return true;
  });
}

void ed25519_edge_cases(const json& c) {
  expect_servers(verify_says(c.at("accepted").get<bool>(), signature_scheme::ed25519, hex(c, "public"),
                             hex(c, "message"), hex(c, "signature")),
                 servers_of(signature_scheme::ed25519));
}

hpke::suite suite_of(const json& c) {
  return {c.at("kem_id").get<kem_id>(), c.at("kdf_id").get<kdf_id>(), c.at("aead_id").get<aead_id>()};
}

template <class P>
void hpke_key_pairs(const json& c, kem_id kem) {
  for (const auto& [ikm, sk, pk] : {std::array{"ikmE", "skEm", "pkEm"}, std::array{"ikmR", "skRm", "pkRm"}}) {
    const auto derived = succeeds(hpke::derive_key_pair<P>(kem, hex(c, ikm)), "derive_key_pair");
    expect_equal(derived.secret.reveal(), hex(c, sk), sk);
    expect_equal(derived.pub.view(), hex(c, pk), pk);
    const auto imported = succeeds(hpke::import_key_pair<P>(kem, hex(c, sk)), "import_key_pair");
    expect_equal(imported.pub.view(), hex(c, pk), pk);
  }
  scripted_environment env(hex(c, "ikmE"));
  const auto generated = succeeds(hpke::generate_key_pair<P>(env, kem), "generate_key_pair");
  expect_equal(generated.pub.view(), hex(c, "pkEm"), "pkEm");
  const bytes e = hex(c, "ikmE"), r = hex(c, "ikmR");
  std::array<hpke::key_pair, 2> pairs;
  succeeds(hpke::derive_many<P>(kem, std::array<byte_view, 2>{e, r}, pairs), "derive_many");
  expect_equal(pairs[0].pub.view(), hex(c, "pkEm"), "pkEm of derive_many");
  expect_equal(pairs[1].pub.view(), hex(c, "pkRm"), "pkRm of derive_many");
}

template <class P>
void hpke_first_message(const json& c, const hpke::suite& suite, const hpke::key_pair& recipient) {
  const json& first = c.at("encryptions").at(0);
  expect(first.at("sequence_number") == 0, "the first message is not the first");
  const bytes info = hex(c, "info"), aad = hex(first, "aad"), plaintext = hex(first, "pt");
  scripted_environment env(hex(c, "ikmE"));
  bytes enc(kem_sizes(suite.kem).public_key), ct(plaintext.size() + aead_tag_size), opened(plaintext.size());
  succeeds(hpke::seal<P>(env, suite, info, aad, {recipient.pub.view(), plaintext, enc, ct}), "seal");
  expect_equal(enc, hex(c, "enc"), "enc");
  expect_equal(ct, hex(first, "ct"), "ct");
  succeeds(hpke::open<P>(suite, recipient, enc, info, aad, ct, opened), "open");
  expect_equal(opened, plaintext, "pt");
}

template <class P>
void hpke_exports(const json& c, const hpke::suite& suite, const hpke::key_pair& recipient) {
  for (const json& e : c.at("exports")) {
    const bytes context = hex(e, "exporter_context"), info = hex(c, "info"), value = hex(e, "exported_value");
    scripted_environment env(hex(c, "ikmE"));
    bytes enc(kem_sizes(suite.kem).public_key), sent(value.size()), received(value.size());
    succeeds(hpke::send_export<P>(env, suite, recipient.pub.view(), info, context, enc, sent), "send_export");
    expect_equal(enc, hex(c, "enc"), "enc");
    expect_equal(sent, value, "exported_value");
    succeeds(hpke::receive_export<P>(suite, recipient, enc, info, context, received), "receive_export");
    expect_equal(received, value, "exported_value received");
  }
}

void hpke_base_mode(const json& c) {
  const hpke::suite suite = suite_of(c);
  const int served = in_every_provider([&]<class P>() {
    if (!P::supports(suite.kem)) return false;
    hpke_key_pairs<P>(c, suite.kem);
    const auto recipient = succeeds(hpke::import_key_pair<P>(suite.kem, hex(c, "skRm")), "import_key_pair");
    if (hpke::supports<P>(suite)) hpke_first_message<P>(c, suite, recipient);
    hpke_exports<P>(c, suite, recipient);
    return true;
  });
  expect_servers(served, servers_of(suite.kem));
  for (const json& e : c.at("encryptions"))  // the later messages too, below HPKE
    aead_gives({suite.aead, hex(c, "key"), hex(e, "nonce"), hex(e, "aad"), hex(e, "pt"), hex(e, "ct")});
}

struct kind {
  void (*check)(const json&);
  std::string (*leave_out)(const json&);
};
std::string unserved_hash(const json& c) { return reason_unserved(hash_of(c)); }
std::string unserved_aead(const json& c) { return reason_unserved(c.at("aead").get<aead_id>()); }
std::string unserved_kem(const json& c) {
  return reason_unserved(c.at(c.contains("kem") ? "kem" : "kem_id").get<kem_id>());
}
std::string unserved_scheme(const json& c) { return reason_unserved(c.at("scheme").get<signature_scheme>()); }
std::string never(const json&) { return {}; }

}  // namespace

std::optional<case_list> standards_cases(const std::string& stem, const nlohmann::json& file) {
  static const std::map<std::string, kind> kinds{
      {"fips180-hashes", {hashes, unserved_hash}},
      {"hash-lengths", {hash_lengths, unserved_hash}},
      {"rfc4231-hmac", {hmacs, unserved_hash}},
      {"rfc5869-hkdf", {hkdf, unserved_hash}},
      {"siphash-2-4", {siphash, never}},
      {"nist-aes-gcm", {aead, unserved_aead}},
      {"aes-lengths", {aes_lengths, never}},
      {"rfc8439-chacha20-poly1305", {aead, unserved_aead}},
      {"draft-irtf-cfrg-xchacha-03", {xchacha, never}},
      {"rfc7748-cavs-dh", {diffie_hellman, unserved_kem}},
      {"rfc8032-rfc6979-signatures", {signatures, unserved_scheme}},
      {"ed25519-edge-cases", {ed25519_edge_cases, never}},
      {"rfc9180-hpke", {hpke_base_mode, unserved_kem}},
  };
  const auto found = kinds.find(stem);
  if (found == kinds.end()) return std::nullopt;
  case_list out;
  for (const json& c : file.at("cases")) {
    vector_case made{c.value("section", "case " + std::to_string(out.size())),
                     [check = found->second.check, &c] { check(c); }};
    made.not_offered = found->second.leave_out(c);
    out.push_back(std::move(made));
  }
  return out;
}

}  // namespace conclave_vectors
