// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What protocols ask of the outside, as interfaces the host implements.
#pragma once

#include <conclave/crypto/concepts.hpp>
#include <conclave/detail/wipe.hpp>
#include <conclave/result.hpp>

#include <vector>

namespace conclave::inline CONCLAVE_ABI {

/// psk_source: where pre-shared keys are found (RFC 9420, section 8.4). Called while a Commit or Welcome is processed;
/// an error of any kind makes that Commit or Welcome fail. Threads: called on the thread that uses the group.
class psk_source {
 public:
  psk_source() = default;
  psk_source(const psk_source&) = delete;
  psk_source& operator=(const psk_source&) = delete;
  virtual ~psk_source() = default;

  /// external(psk_id): a key agreed outside MLS. unknown_key where there is none.
  [[nodiscard]] virtual result<secret_bytes> external(byte_view psk_id) = 0;
  /// resumption(group_id, epoch): the resumption_psk of an epoch of a group. unknown_key where it is gone.
  [[nodiscard]] virtual result<secret_bytes> resumption(byte_view group_id, std::uint64_t epoch) = 0;
};

/// credential_type: RFC 9420, section 17.5. Unknown numbers are legal values.
enum class credential_type : std::uint16_t { basic = 1, x509 = 2 };

/// presented_identity: what somebody shows of themselves, with the key that signs for it (RFC 9420, section 5.3).
/// That of a member is signed with its key; nothing else of it is verified. Views; live as long as the call.
struct presented_identity {
  credential_type type{};
  byte_view credential;                 ///< the name of a basic credential; opaque for types unknown here
  std::vector<byte_view> certificates;  ///< x509: DER, the member's own first
  byte_view signature_key;              ///< in the encoding of the scheme
  signature_scheme scheme{};
};

/// identity_state: what a validator knows about who is behind a signature key, the worst first, so that a crowd is as
/// good as its minimum.
enum class identity_state : std::uint8_t {
  revoked,
  mismatch,            ///< another identity than the one expected, or of another key
  untrusted,           ///< no chain to an anchor, or a broken one
  expired,             ///< or not valid yet
  revocation_unknown,  ///< valid otherwise
  unverified,          ///< a claim that nobody vouches for
  verified_internal,   ///< vouched for by an authority of the organisation
  verified_external,   ///< vouched for by one that others trust too
};

/// is_verified(state): somebody vouches for the identity, and nothing speaks against it.
[[nodiscard]] constexpr bool is_verified(identity_state s) noexcept { return s >= identity_state::verified_internal; }

/// identity_validator: one member's Authentication Service (RFC 9420, section 5.3.1). Its verdicts are this member's own
/// judgement, which clocks, revocation lists and configuration enter: they decide whom it brings into a group, and are
/// shown for everybody else, but never refuse what other members have committed, or the group would split. `now` is the
/// caller's time; a validator reads no clock. Threads: called on the thread that uses the group.
class identity_validator {
 public:
  identity_validator() = default;
  identity_validator(const identity_validator&) = delete;
  identity_validator& operator=(const identity_validator&) = delete;
  virtual ~identity_validator() = default;

  /// member(who, now), external_sender(who, now): somebody in a group, or one of those who may send proposals to it.
  [[nodiscard]] virtual identity_state member(const presented_identity& who, unix_time now) = 0;
  [[nodiscard]] virtual identity_state external_sender(const presented_identity& who, unix_time now) = 0;
  /// successor(before, after, now): the member who was `before` presents `after` from now on. At best what member()
  /// says; mismatch where it is somebody else. That `before` has expired does not count against `after`.
  [[nodiscard]] virtual identity_state successor(const presented_identity& before, const presented_identity& after,
                                                 unix_time now) = 0;
  /// identity(who): the name that a roster shows and compares, the same for all credentials of one identity, verified
  /// or not. malformed where there is none.
  [[nodiscard]] virtual result<bytes> identity(const presented_identity& who) = 0;
};

}  // namespace conclave
