// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What a member trusts, and how far: anchors, news of revocation, settings. All of it is this member's own.
#pragma once

#include <conclave/identity/names.hpp>
#include <conclave/identity/revocation.hpp>

namespace conclave::inline CONCLAVE_ABI::x509 {

/// anchor_kind: whose authority an anchor is.
enum class anchor_kind : std::uint8_t {
  internal,  ///< the organisation's own
  external,  ///< one that others trust too
};

/// revocation_rule: what it takes for a certificate to be verified.
enum class revocation_rule : std::uint8_t {
  required,    ///< fresh news, for every certificate of the chain, that it is not revoked
  when_known,  ///< no news that it is revoked
};

/// settings: the alternative name that names members, and how revocation is judged.
struct settings {
  name_form identity = name_form::email;
  revocation_rule revocation = revocation_rule::required;
  std::chrono::seconds revocation_age = limits::revocation_age;  ///< how old news of revocation may be
};

/// owned<T>: something that was read, with the bytes that it points into. Move-only.
template <class T>
class owned {
 public:
  [[nodiscard]] static result<owned> read(byte_view der) {
    owned out;
    out.der_ = to_bytes(der);
    CONCLAVE_TRY(out.value_, T::read(out.der_));
    return out;
  }

  owned(owned&&) noexcept = default;
  owned& operator=(owned&&) noexcept = default;

  [[nodiscard]] const T& operator*() const noexcept { return value_; }
  [[nodiscard]] const T* operator->() const noexcept { return &value_; }

 private:
  owned() = default;

  bytes der_;  // a vector that is moved keeps its memory
  T value_;
};

struct trust_anchor {
  owned<x509::certificate> certificate;
  anchor_kind kind{};
};

/// trust: grows as the host learns more. Move-only. Threads: that of the validator.
class trust {
 public:
  /// add_anchor(der, kind): a self-signed certificate of an authority. Errors: malformed, over_limit; refused with the
  /// rule that it breaks.
  [[nodiscard]] status add_anchor(byte_view der, anchor_kind kind) {
    CONCLAVE_TRY(auto c, owned<certificate>::read(der));
    if (!c->self_issued()) return failure{errc::refused, rules::anchor};
    if (c->unknown_critical) return failure{errc::refused, rules::known_critical_extensions};
    if (!c->is_ca) return failure{errc::refused, rules::issuer_is_ca};
    if (!c->has(key_usage::key_cert_sign)) return failure{errc::refused, rules::issuer_key_usage};
    anchors_.push_back({std::move(c), kind});
    return {};
  }
  /// add_revocation_list(der), add_ocsp_response(der): taken from anywhere, because they are signed; one that is not
  /// changes nothing. Errors: malformed, refused; over_limit, with room_for_news where what is kept leaves no room.
  [[nodiscard]] status add_revocation_list(byte_view der) { return add(der, lists_, limits::revocation_lists); }
  [[nodiscard]] status add_ocsp_response(byte_view der) { return add(der, responses_, limits::ocsp_responses); }
  /// forget_revocations(): before newer ones are added.
  void forget_revocations() noexcept {
    lists_.clear();
    responses_.clear();
    news_bytes_ = 0;
  }

  /// news<T>: one piece, and the key of the issuer it was found to be signed for.
  template <class T>
  struct news {
    owned<T> value;
    bytes signed_for;
  };

  [[nodiscard]] const std::vector<trust_anchor>& anchors() const noexcept { return anchors_; }
  [[nodiscard]] std::vector<news<revocation_list>>& lists() noexcept { return lists_; }
  [[nodiscard]] std::vector<news<ocsp_response>>& responses() noexcept { return responses_; }

 private:
  template <class T>
  [[nodiscard]] status add(byte_view der, std::vector<news<T>>& to, std::size_t most) {
    if (to.size() == most || der.size() > limits::revocation_total_bytes - news_bytes_)
      return failure{errc::over_limit, rules::room_for_news};
    CONCLAVE_TRY(auto piece, owned<T>::read(der));
    to.push_back({std::move(piece), {}});
    news_bytes_ += der.size();
    return {};
  }

  std::vector<trust_anchor> anchors_;
  std::vector<news<revocation_list>> lists_;
  std::vector<news<ocsp_response>> responses_;
  std::size_t news_bytes_ = 0;  // of both
};

}  // namespace conclave::x509
