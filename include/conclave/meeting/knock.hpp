// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// knock: a wish to be let in.
#pragma once

#include <conclave/identity/identity.hpp>
#include <conclave/meeting/options.hpp>
#include <conclave/mls/client.hpp>

namespace conclave::inline CONCLAVE_ABI {

template <class P>
class basic_meeting;

/// The extension of leaf nodes that holds client_claims; the number is of the range for private use (RFC 9420 17.3).
inline constexpr mls::extension_type claims_extension{0xfc02};

/// claims_of(leaf): what a client says of itself. Its signature covers that, and makes it no truer.
[[nodiscard]] inline client_claims claims_of(const mls::leaf_node& leaf) {
  const auto data = mls::find(leaf.extensions, claims_extension);
  if (!data) return {};
  const auto claims = wire::decode<client_claims>(*data);
  return claims ? *claims : client_claims{};
}

/// client_of(identity, claims): how an identity appears in MLS, as somebody who understands the parameters of meetings.
[[nodiscard]] inline mls::client client_of(const identity& who, const client_claims& claims = {}) {
  mls::client out;
  out.signer = who.key().clone();
  out.credential_type = who.type();
  out.credential = who.credential();
  out.extensions = {meeting_parameters::extension, claims_extension};
  const bytes encoded = wire::encode(claims);
  out.leaf_extensions = wire::encode_items(std::array{mls::extension{claims_extension, encoded}});
  return out;
}

/// basic_knock<P>: a key package to hand to a host, and the private keys for the Welcome. One-time.
template <class P>
class basic_knock {
  static_assert(crypto_provider<P>);

 public:
  /// create(env, who, options): Errors: unsupported, no_entropy, misuse (the identity's key does not fit the suite).
  [[nodiscard]] static result<basic_knock> create(environment& env, const identity& who,
                                                  const meeting_options& options = {}) {
    CONCLAVE_TRY(const auto suite, mls::basic_suite<P>::make(options.suite));
    auto me = client_of(who, options.client);
    CONCLAVE_TRY(auto package, mls::make_key_package(env, suite, me, {options.key_package_valid_for, false}));
    return basic_knock(env, std::move(me), std::move(package), options);
  }

  /// key_package(): an MLSMessage, for the host.
  [[nodiscard]] byte_view key_package() const noexcept { return package_.message; }

 private:
  friend basic_meeting<P>;
  basic_knock(environment& env, mls::client&& me, mls::prepared_key_package&& package, const meeting_options& options)
      : env_{&env}, me_{std::move(me)}, package_{std::move(package)}, options_{options} {
    options_.parameters.roles = {};  // a view of the caller's
  }

  environment* env_;
  mls::client me_;
  mls::prepared_key_package package_;
  meeting_options options_;
};

}  // namespace conclave
