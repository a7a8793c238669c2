// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// meeting_parameters: what all members of a meeting agree on besides its keys: who may do what, whether the door is
/// open, how large it may grow, how media is sealed, how strong a spoken code must be. It stands in the GroupContext, so
/// that everybody holds the same and a change of it is a commit like any other.
#pragma once

#include <conclave/codec/wire.hpp>
#include <conclave/limits.hpp>
#include <conclave/mls/leaf_validation.hpp>
#include <conclave/sframe/suite.hpp>

namespace conclave::inline CONCLAVE_ABI {

namespace rules {
inline constexpr rule parameters_present{"the group carries no parameters of a meeting", "meeting/parameters.hpp"};
inline constexpr rule parameters_valid{"the parameters of the meeting are not valid", "meeting/parameters.hpp"};
}  // namespace rules

/// role: what somebody may do in a meeting, the least first. It belongs to a signature key: who takes the leaf of
/// somebody else does not inherit it, and who comes back keeps it.
enum class role : std::uint8_t { participant = 0, co_host = 1, host = 2 };

/// door: how one gets in.
enum class door : std::uint8_t {
  open = 0,    ///< whoever gets a GroupInfo may enter by themselves
  lobby = 1,   ///< people are admitted by those who may; members who lost the thread come back by themselves
  locked = 2,  ///< nobody new; members come back
  sealed = 3,  ///< nobody, not even members who lost the thread
};

/// role_entry: who is more than a participant.
struct role_entry {
  byte_view signature_key;
  conclave::role role{};
  static constexpr auto fields(auto& self) { return std::tie(self.signature_key, self.role); }
};

/// meeting_parameters: as encoded in the extension; a view of its encoding.
struct meeting_parameters {
  /// The extension's number, of the range for private use (RFC 9420 17.3).
  static constexpr mls::extension_type extension{0xfc01};

  std::uint16_t version = 1;
  conclave::door door = conclave::door::lobby;
  std::uint32_t capacity = limits::leaves;            ///< members at most
  role admits = role::co_host;                        ///< the least that brings people in
  role removes = role::co_host;                       ///< the least that removes people, of lower or the same role
  role locks = role::co_host;                         ///< the least that changes `door`; the rest is for hosts
  std::uint8_t code_bits = limits::spoken_code_bits;  ///< a spoken code has at least as many
  sframe::cipher_suite media = sframe::cipher_suite::aes_128_gcm_sha256_128;
  std::uint8_t epoch_bits = limits::sframe_epoch_bits;  ///< E of RFC 9605 5.2
  wire::list<role_entry> roles;                         ///< at most limits::roles, by ascending keys, one host at least

  static constexpr auto fields(auto& self) {
    return std::tie(self.version, self.door, self.capacity, self.admits, self.removes, self.locks, self.code_bits,
                    self.media, self.epoch_bits, self.roles);
  }

  /// decode(data): Errors: malformed, unsupported (version, media), over_limit.
  [[nodiscard]] static result<meeting_parameters> decode(byte_view data) {
    CONCLAVE_TRY(const auto out, wire::decode<meeting_parameters>(data));
    CONCLAVE_CHECK(out.valid());
    return out;
  }
  /// of(extensions): those of a group. Errors: refused where it carries none; else as decode().
  [[nodiscard]] static result<meeting_parameters> of(const mls::extension_list& extensions) {
    const auto data = mls::find(extensions, extension);
    if (!data) return failure{errc::refused, rules::parameters_present};
    return decode(*data);
  }

  /// valid(): what decode() accepts.
  [[nodiscard]] status valid() const {
    if (version != 1) return failure{errc::unsupported, rules::parameters_valid};
    if (door > conclave::door::sealed || admits > role::host || removes > role::host || locks > role::host)
      return failure{errc::malformed, rules::parameters_valid};
    if (capacity == 0 || capacity > limits::leaves || roles.size() > limits::roles)
      return failure{errc::over_limit, rules::parameters_valid};
    if (!sframe::parameters(media) || epoch_bits < limits::sframe_epoch_bits_least ||
        epoch_bits > limits::sframe_epoch_bits_most || code_bits < limits::spoken_code_bits ||
        code_bits > limits::spoken_code_bits_most)
      return failure{errc::unsupported, rules::parameters_valid};
    bool hosted = false;
    std::optional<byte_view> before;
    for (const role_entry entry : roles) {
      if (entry.role == role::participant || entry.role > role::host ||
          (before && !std::ranges::lexicographical_compare(*before, entry.signature_key)))
        return failure{errc::malformed, rules::parameters_valid};
      hosted = hosted || entry.role == role::host;
      before = entry.signature_key;
    }
    if (!hosted) return failure{errc::malformed, rules::parameters_valid};
    return {};
  }

  [[nodiscard]] role role_of(byte_view signature_key) const {
    for (const role_entry entry : roles)
      if (equal(entry.signature_key, signature_key)) return entry.role;
    return role::participant;
  }
};

/// with_parameters(extensions, parameters): the items of a GroupContext's extensions with these parameters in them, and
/// with required_capabilities that ask everybody to understand them.
[[nodiscard]] inline bytes with_parameters(const mls::extension_list& before, const meeting_parameters& p) {
  const bytes encoded = wire::encode(p);
  bytes required;
  std::vector<mls::extension> items;
  bool asked = false;
  for (const mls::extension e : before) {
    if (e.type == meeting_parameters::extension) continue;
    asked = asked || e.type == mls::extension_type::required_capabilities;
    items.push_back(e);
  }
  if (!asked) {
    const std::array types{meeting_parameters::extension};
    const bytes list = wire::encode_items(types);
    required =
        wire::encode(mls::required_capabilities{wire::list<mls::extension_type>::of(list, types.size()), {}, {}});
    items.push_back({mls::extension_type::required_capabilities, required});
  }
  items.push_back({meeting_parameters::extension, encoded});
  return wire::encode_items(items);
}

}  // namespace conclave
