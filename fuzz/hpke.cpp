// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// HPKE over every library that is built in. The input chooses a suite, a recipient, what is sealed and what becomes of it
/// on the way; what is random comes from a counter. The oracle: every library that serves the suite makes the same key
/// pairs, encapsulations, ciphertexts and exports, opens what another has sealed, and gives the same verdict on what was
/// damaged, down to the code; and a failure leaves zeros.
#include <support/deterministic_environment.hpp>
#include <support/providers.hpp>

#include "support/oracle.hpp"

#include <conclave/crypto/hpke.hpp>

namespace {

using namespace conclave;
using conclave_fuzz::require, conclave_fuzz::script;

struct input {
  hpke::suite suite;
  bytes ikm, info, aad, text, context, bad_enc, bad_ciphertext;
  bool raw_enc = false;
};

/// What one library has to say.
struct outcome {
  bytes public_key, enc, ciphertext, sent, received;
  errc damaged_enc{}, damaged_ciphertext{}, damaged_export{}, damaged_seal{};
  bool operator==(const outcome&) const = default;
};

template <class T>
errc code_of(const result<T>& r) {
  return r ? errc{} : r.error().code();
}

bytes edited(byte_view from, script edits) {
  bytes out = to_bytes(from);
  for (unsigned n = edits.byte() % 4U; n > 0; --n) {
    const std::uint8_t what = edits.byte(), at = edits.byte(), value = edits.byte();
    if (what % 8 == 0)
      out.resize(at % (out.size() + 1));
    else if (what % 8 == 1)
      out.push_back(value);
    else if (!out.empty())
      out[at % out.size()] ^= value;
  }
  return out;
}

template <class P>
outcome ask(const input& in, script edits, const outcome* other) {
  conclave_test::deterministic_environment env(1);
  outcome out;
  const auto key = hpke::derive_key_pair<P>(in.suite.kem, in.ikm);
  require(key.has_value(), "no key pair");
  out.public_key = to_bytes(key->pub.view());
  out.enc.resize(kem_sizes(in.suite.kem).public_key);
  out.ciphertext.resize(in.text.size() + aead_tag_size);
  require(
      hpke::seal<P>(env, in.suite, in.info, in.aad, {key->pub.view(), in.text, out.enc, out.ciphertext}).has_value(),
      "it does not seal");
  bytes plain(in.text.size());
  const outcome& sealed = other != nullptr ? *other : out;
  require(hpke::open<P>(in.suite, *key, sealed.enc, in.info, in.aad, sealed.ciphertext, plain).has_value() &&
              plain == in.text,
          "it does not open what was sealed");

  bytes enc(out.enc.size());
  out.sent.resize(32);
  out.received.resize(32);
  require(hpke::send_export<P>(env, in.suite, key->pub.view(), in.info, in.context, enc, out.sent).has_value() &&
              hpke::receive_export<P>(in.suite, *key, enc, in.info, in.context, out.received).has_value(),
          "it does not export");
  require(out.sent == out.received, "the two sides export different secrets");

  const auto zeros = [](const bytes& b) { return std::ranges::all_of(b, [](std::uint8_t x) { return x == 0; }); };
  const bytes bad_enc = in.raw_enc ? in.bad_enc : edited(out.enc, edits);
  plain.assign(in.text.size(), 0xaa);
  const auto first = hpke::open<P>(in.suite, *key, bad_enc, in.info, in.aad, out.ciphertext, plain);
  require(first.has_value() == (bad_enc == out.enc) || first.has_value() == false || plain == in.text,
          "a false plaintext");
  require(first.has_value() || zeros(plain), "a failure leaves something");
  out.damaged_enc = code_of(first);
  const bytes bad = edited(out.ciphertext, edits);
  if (bad.size() >= aead_tag_size) {
    plain.assign(bad.size() - aead_tag_size, 0xaa);
    const auto second = hpke::open<P>(in.suite, *key, out.enc, in.info, in.aad, bad, plain);
    require(second.has_value() == (bad == out.ciphertext), "a damaged ciphertext was opened");
    require(second.has_value() || zeros(plain), "a failure leaves something");
    out.damaged_ciphertext = code_of(second);
  }
  out.damaged_export = code_of(hpke::receive_export<P>(in.suite, *key, bad_enc, in.info, in.context, out.received));
  if (out.damaged_export != errc{}) require(zeros(out.received), "a failure leaves something");
  bytes to_nobody(out.ciphertext.size());
  out.damaged_seal = code_of(hpke::seal<P>(env, in.suite, in.info, in.aad, {bad_enc, in.text, enc, to_nobody}));
  if (out.damaged_seal != errc{}) require(zeros(to_nobody) && zeros(enc), "a failure leaves something");
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // the slow ones are as rare as they are slow
  constexpr auto x25519 = kem_id::dhkem_x25519_sha256;
  constexpr kem_id kems[] = {x25519,
                             x25519,
                             x25519,
                             kem_id::dhkem_p256_sha256,
                             kem_id::dhkem_p384_sha384,
                             kem_id::dhkem_p521_sha512,
                             kem_id::dhkem_x448_sha512,
                             x25519};
  constexpr kdf_id kdfs[] = {kdf_id::hkdf_sha256, kdf_id::hkdf_sha384, kdf_id::hkdf_sha512};
  constexpr aead_id aeads[] = {aead_id::aes_128_gcm, aead_id::aes_256_gcm, aead_id::chacha20_poly1305};
  script s({data, size});
  input in;
  in.suite = {kems[s.byte() % 8], kdfs[s.byte() % 3], aeads[s.byte() % 3]};
  in.ikm.assign(kem_sizes(in.suite.kem).private_key, s.byte());
  in.info = to_bytes(s.take(s.byte() % 40U));
  in.aad = to_bytes(s.take(s.byte() % 40U));
  in.text = to_bytes(s.take(s.byte()));
  in.context = to_bytes(s.take(s.byte() % 40U));
  in.raw_enc = s.byte() % 2 == 0;
  if (in.raw_enc) in.bad_enc = to_bytes(s.take(kem_sizes(in.suite.kem).public_key));

  std::optional<outcome> first;
  conclave_test::for_each_provider([&]<class P>(const char*) {
    require(P::ready().has_value(), "a library that is not ready");
    if (!hpke::supports<P>(in.suite)) return false;
    const outcome got = ask<P>(in, s, first ? &*first : nullptr);
    if (first) require(got == *first, "two libraries differ");
    first = got;
    return true;
  });
  return 0;
}
