// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// HPKE in base mode (RFC 9180): one message, or one exported secret, for the holder of a private key.
#pragma once

#include <conclave/crypto/hpke_kem.hpp>
#include <conclave/executor.hpp>

namespace conclave::inline CONCLAVE_ABI::hpke {

/// suite: the algorithms of one use of HPKE.
struct suite {
  kem_id kem;
  kdf_id kdf;
  aead_id aead;
  friend bool operator==(const suite&, const suite&) = default;
};

/// seal_request: one message for one recipient. `enc` has Npk bytes (kem_sizes) and `ciphertext` plaintext.size() +
/// aead_tag_size; `ciphertext` may start where `plaintext` starts, else nothing that is written overlaps anything.
struct seal_request {
  byte_view recipient;
  byte_view plaintext;
  byte_span enc;
  byte_span ciphertext;
};

/// supports<P>(suite): whether P serves all its algorithms.
template <crypto_provider P>
[[nodiscard]] bool supports(const suite& s) noexcept {
  return detail::supports<P>(s.kem) && P::supports(kdf_hash(s.kdf)) && P::supports(s.aead);
}

namespace detail {

/// key_schedule: KeySchedule (RFC 9180 5.1) for mode_base, as far as suite and info determine it. For the single
/// message of a sender the nonce is base_nonce (5.2).
template <crypto_provider P>
class key_schedule {
  using schedule_secret = conclave::secret<struct schedule_secret_tag>;
  using nonce_secret = conclave::secret<struct base_nonce_tag>;

 public:
  key_schedule(const suite& s, byte_view info) : suite_{s} {
    const byte_span out{context_};
    labeled_extract<P>(hash(), suite_id_, {}, "psk_id_hash", {}, out.subspan(1, hash_size(hash())));
    labeled_extract<P>(hash(), suite_id_, {}, "info_hash", info, out.subspan(1 + hash_size(hash()), hash_size(hash())));
  }

  [[nodiscard]] status seal(const shared_secret& shared, byte_view aad, byte_view plaintext, byte_span out) const {
    const schedule_secret secret = make_secret(shared);
    CONCLAVE_TRY(auto key, make_key(secret));
    const nonce_secret base_nonce = make_nonce(secret);
    return key.seal(base_nonce.reveal(), aad, plaintext, out);
  }
  [[nodiscard]] status open(const shared_secret& shared, byte_view aad, byte_view ciphertext, byte_span out) const {
    const schedule_secret secret = make_secret(shared);
    CONCLAVE_TRY(auto key, make_key(secret));
    const nonce_secret base_nonce = make_nonce(secret);
    return key.open(base_nonce.reveal(), aad, ciphertext, out);
  }
  // RFC 9180 5.3
  [[nodiscard]] status export_secret(const shared_secret& shared, byte_view exporter_context, byte_span out) const {
    if (out.size() > 255 * hash_size(hash())) return errc::misuse;
    const schedule_secret secret = make_secret(shared);
    conclave::secret<struct exporter_secret_tag> exporter_secret(hash_size(hash()));
    expand(secret, "exp", exporter_secret.writable());
    labeled_expand<P>(hash(), suite_id_, exporter_secret.reveal(), "sec", exporter_context, out);
    return {};
  }

 private:
  [[nodiscard]] hash_id hash() const noexcept { return kdf_hash(suite_.kdf); }

  void expand(const schedule_secret& secret, std::string_view label, byte_span out) const {
    const byte_view context = byte_view{context_}.first(1 + 2 * hash_size(hash()));
    labeled_expand<P>(hash(), suite_id_, secret.reveal(), label, context, out);
  }
  [[nodiscard]] schedule_secret make_secret(const shared_secret& shared) const {
    schedule_secret out(hash_size(hash()));
    labeled_extract<P>(hash(), suite_id_, shared.reveal(), "secret", {}, out.writable());
    return out;
  }
  [[nodiscard]] result<typename P::aead_key> make_key(const schedule_secret& secret) const {
    conclave::secret<struct aead_key_tag> key(aead_key_size(suite_.aead));
    expand(secret, "key", key.writable());
    return P::aead_key::make(suite_.aead, key.reveal());
  }
  [[nodiscard]] nonce_secret make_nonce(const schedule_secret& secret) const {
    nonce_secret out(aead_nonce_size);
    expand(secret, "base_nonce", out.writable());
    return out;
  }

  // RFC 9180 5.1: suite_id = "HPKE" || I2OSP(kem_id, 2) || I2OSP(kdf_id, 2) || I2OSP(aead_id, 2)
  [[nodiscard]] static std::array<std::uint8_t, 10> make_suite_id(const suite& s) noexcept {
    std::array<std::uint8_t, 10> out{'H', 'P', 'K', 'E'};
    store_be(static_cast<std::uint16_t>(s.kem), byte_span{out}.subspan(4));
    store_be(static_cast<std::uint16_t>(s.kdf), byte_span{out}.subspan(6));
    store_be(static_cast<std::uint16_t>(s.aead), byte_span{out}.subspan(8));
    return out;
  }

  suite suite_;
  std::array<std::uint8_t, 10> suite_id_ = make_suite_id(suite_);
  std::array<std::uint8_t, 1 + 2 * 64> context_{};  // mode_base (0) || psk_id_hash || info_hash
};

/// seal_batch: how many recipients seal_many works on at a time: more gain next to nothing, and take memory.
inline constexpr std::size_t seal_batch = 64;

/// seal_guard: every output of a batch is zeroed unless all of it succeeds.
class seal_guard {
 public:
  explicit seal_guard(std::span<const seal_request> requests) noexcept : requests_{requests} {}
  seal_guard(const seal_guard&) = delete;
  seal_guard& operator=(const seal_guard&) = delete;
  ~seal_guard() {
    for (const seal_request& r : requests_) {
      secure_wipe(r.enc);
      secure_wipe(r.ciphertext);
    }
  }
  void keep() noexcept { requests_ = {}; }

 private:
  std::span<const seal_request> requests_;
};

}  // namespace detail

/// seal_many<P>(env, suite, info, aad, requests, workers): encrypts each message to its recipient, under fresh keys. On
/// failure every output is zeroed. Errors: malformed (a recipient's key is not valid), no_entropy, unsupported, misuse
/// (sizes). Source: RFC 9180 6.1 (SealBase).
template <crypto_provider P>
[[nodiscard]] status seal_many(environment& env, const suite& s, byte_view info, byte_view aad,
                               std::span<const seal_request> requests, executor* workers = nullptr) {
  detail::seal_guard guard(requests);
  if (!supports<P>(s)) return errc::unsupported;
  const detail::key_schedule<P> schedule(s, info);
  std::vector<detail::encap_job> jobs;
  std::array<status, 16> done;
  const std::size_t at_once = workers == nullptr ? detail::seal_batch : detail::seal_batch * done.size();
  for (std::size_t start = 0; start < requests.size(); start += at_once) {
    const auto some = requests.subspan(start, std::min(at_once, requests.size() - start));
    jobs.clear();
    for (const seal_request& r : some) {
      if (r.enc.size() != kem_sizes(s.kem).public_key) return errc::misuse;
      jobs.push_back({r.recipient, r.enc});
    }
    CONCLAVE_CHECK(detail::draw(env, s.kem, jobs));
    const auto batch = [&](std::size_t first, std::size_t n) -> status {
      CONCLAVE_CHECK(detail::encap_many<P>(s.kem, std::span{jobs}.subspan(first, n)));
      for (std::size_t i = first; i < first + n; ++i)
        CONCLAVE_CHECK(schedule.seal(jobs[i].shared, aad, some[i].plaintext, some[i].ciphertext));
      return {};
    };
    conclave::detail::in_parts(workers, some.size(), detail::seal_batch, [&](std::size_t first, std::size_t n) {
      done[first / detail::seal_batch] = batch(first, n);
    });
    for (const status& each : done) CONCLAVE_CHECK(each);
  }
  guard.keep();
  return {};
}

/// seal<P>(env, suite, info, aad, request): seal_many for one message.
template <crypto_provider P>
[[nodiscard]] status seal(environment& env, const suite& s, byte_view info, byte_view aad,
                          const seal_request& request) {
  return seal_many<P>(env, s, info, aad, {&request, 1});
}

/// open<P>(suite, recipient, enc, info, aad, ciphertext, plaintext): decrypts what seal made; `plaintext` has
/// ciphertext.size() - aead_tag_size bytes, may start where `ciphertext` starts, and is zeroed on failure.
/// Errors: malformed (enc is not a valid key), unauthentic, unsupported, misuse (sizes). Source: RFC 9180 6.1
/// (OpenBase).
template <crypto_provider P>
[[nodiscard]] status open(const suite& s, const key_pair& recipient, byte_view enc, byte_view info, byte_view aad,
                          byte_view ciphertext, byte_span plaintext) {
  detail::output_guard guard(plaintext);
  if (!supports<P>(s)) return errc::unsupported;
  CONCLAVE_TRY(const auto shared, detail::decap<P>(s.kem, recipient, enc));
  CONCLAVE_CHECK(detail::key_schedule<P>(s, info).open(shared, aad, ciphertext, plaintext));
  guard.keep();
  return {};
}

/// send_export<P>(env, suite, recipient, info, exporter_context, enc, out): a secret of out.size() bytes shared with
/// the holder of `recipient`, who is sent `enc` (Npk bytes). Outputs are zeroed on failure. The AEAD of the suite only
/// has to exist by name. Errors: malformed (recipient), no_entropy, unsupported, misuse (sizes; over 255 Nh). Source:
/// RFC 9180 6.2 (SendExportBase).
template <crypto_provider P>
[[nodiscard]] status send_export(environment& env, const suite& s, byte_view recipient, byte_view info,
                                 byte_view exporter_context, byte_span enc, byte_span out) {
  detail::output_guard guard(out), enc_guard(enc);
  if (!detail::supports<P>(s.kem) || !P::supports(kdf_hash(s.kdf))) return errc::unsupported;
  if (enc.size() != kem_sizes(s.kem).public_key) return errc::misuse;
  CONCLAVE_TRY(const auto shared, detail::encap<P>(env, s.kem, recipient, enc));
  CONCLAVE_CHECK(detail::key_schedule<P>(s, info).export_secret(shared, exporter_context, out));
  guard.keep();
  enc_guard.keep();
  return {};
}

/// receive_export<P>(suite, recipient, enc, info, exporter_context, out): the same secret on the other side; zeroed on
/// failure. It is not authenticated: whoever knows the public key can have sent `enc`.
/// Errors: malformed (enc), unsupported, misuse (over 255 Nh). Source: RFC 9180 6.2 (ReceiveExportBase).
template <crypto_provider P>
[[nodiscard]] status receive_export(const suite& s, const key_pair& recipient, byte_view enc, byte_view info,
                                    byte_view exporter_context, byte_span out) {
  detail::output_guard guard(out);
  if (!detail::supports<P>(s.kem) || !P::supports(kdf_hash(s.kdf))) return errc::unsupported;
  CONCLAVE_TRY(const auto shared, detail::decap<P>(s.kem, recipient, enc));
  CONCLAVE_CHECK(detail::key_schedule<P>(s, info).export_secret(shared, exporter_context, out));
  guard.keep();
  return {};
}

}  // namespace conclave::hpke
