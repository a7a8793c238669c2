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
  [[nodiscard]] std::size_t size() const noexcept { return der_.size(); }

 private:
  owned() = default;

  bytes der_;  // a vector that is moved keeps its memory
  T value_;
};

struct trust_anchor {
  owned<x509::certificate> certificate;
  anchor_kind kind{};
};

/// news<T>: a piece of news of revocation, and what was found of its signature, which is looked at once for each issuer.
template <class T>
class news {
 public:
  /// `number`: pieces of all kinds are numbered as they come.
  news(owned<T> piece, std::uint64_t number) noexcept : piece_{std::move(piece)}, number_{number} {}

  [[nodiscard]] const T& operator*() const noexcept { return *piece_; }
  [[nodiscard]] const T* operator->() const noexcept { return &*piece_; }
  [[nodiscard]] std::size_t size() const noexcept { return piece_.size(); }
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  /// counts(): it is signed by the issuer of somebody whose chain leads to an anchor, and not replaced.
  [[nodiscard]] bool counts() const noexcept { return counts_; }
  /// replace(): newer ones say all that it did.
  void replace() noexcept { counts_ = false; }

  /// is_signed_by(issuer, ask): what ask() says of that issuer, or said when it was asked before; `issuer` is a hash of
  /// all that the answer depends on. Of limits::issuers_of_news the answer is remembered.
  template <class Ask>
  [[nodiscard]] bool is_signed_by(const digest& issuer, Ask&& ask) {
    for (const auto& [known, answer] : answers_)
      if (known == issuer) return answer;
    const bool answer = ask();
    if (answers_.size() == limits::issuers_of_news) answers_.erase(answers_.begin());
    answers_.emplace_back(issuer, answer);
    counts_ = counts_ || answer;
    return answer;
  }

 private:
  owned<T> piece_;
  std::uint64_t number_;
  std::vector<std::pair<digest, bool>> answers_;
  bool counts_ = false;
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
  /// add_revocation_list(der), add_ocsp_response(der): taken from anybody. A piece changes nothing unless its issuer has
  /// signed it, which shows when a chain with that issuer is judged. Where there is no room, those go of which that has
  /// not been shown, or which newer ones have replaced: the oldest first, and only those. Errors: malformed, refused;
  /// over_limit, with room_for_news where what counts leaves no room.
  [[nodiscard]] status add_revocation_list(byte_view der) { return add(der, lists_, limits::revocation_lists); }
  [[nodiscard]] status add_ocsp_response(byte_view der) { return add(der, responses_, limits::ocsp_responses); }
  /// forget_revocations(): before newer ones are added.
  void forget_revocations() noexcept {
    lists_.clear();
    responses_.clear();
    news_bytes_ = 0;
  }

  [[nodiscard]] const std::vector<trust_anchor>& anchors() const noexcept { return anchors_; }
  [[nodiscard]] std::vector<news<revocation_list>>& lists() noexcept { return lists_; }
  [[nodiscard]] std::vector<news<ocsp_response>>& responses() noexcept { return responses_; }

 private:
  template <class T>
  [[nodiscard]] status add(byte_view der, std::vector<news<T>>& to, std::size_t most) {
    CONCLAVE_TRY(auto piece, owned<T>::read(der));
    const bool full = to.size() == most;
    if (full && idle_in(to) == to.end()) return failure{errc::over_limit, rules::room_for_news};
    if (der.size() > limits::revocation_total_bytes - counting_bytes(lists_) - counting_bytes(responses_))
      return failure{errc::over_limit, rules::room_for_news};
    if (full) forget(to, idle_in(to));
    while (der.size() > limits::revocation_total_bytes - news_bytes_) forget_oldest();
    to.emplace_back(std::move(piece), number_++);
    news_bytes_ += der.size();
    return {};
  }

  /// The oldest that does not count, as far as is known.
  template <class T>
  [[nodiscard]] static auto idle_in(std::vector<news<T>>& all) {
    return std::ranges::find_if_not(all, &news<T>::counts);
  }
  template <class T>
  [[nodiscard]] static std::size_t counting_bytes(const std::vector<news<T>>& all) {
    std::size_t out = 0;
    for (const news<T>& one : all) out += one.counts() ? one.size() : 0;
    return out;
  }
  void forget_oldest() {
    const auto list = idle_in(lists_);
    const auto response = idle_in(responses_);
    if (response == responses_.end() || (list != lists_.end() && list->number() < response->number()))
      forget(lists_, list);
    else
      forget(responses_, response);
  }
  template <class T>
  void forget(std::vector<news<T>>& all, typename std::vector<news<T>>::iterator one) {
    news_bytes_ -= one->size();
    all.erase(one);
  }

  std::vector<trust_anchor> anchors_;
  std::vector<news<revocation_list>> lists_;
  std::vector<news<ocsp_response>> responses_;
  std::size_t news_bytes_ = 0;  // of both
  std::uint64_t number_ = 0;    // of pieces that came
};

}  // namespace conclave::x509
