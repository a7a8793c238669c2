// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Pre-shared keys (RFC 9420, section 8.4).
#pragma once

#include <conclave/limits.hpp>
#include <conclave/mls/key_schedule.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

enum class psk_type : std::uint8_t { external = 1, resumption = 2 };
enum class resumption_psk_usage : std::uint8_t { application = 1, reinit = 2, branch = 3 };

struct pre_shared_key_id {
  psk_type type{};
  byte_view psk_id{};            ///< external
  resumption_psk_usage usage{};  ///< resumption, as the next two
  byte_view psk_group_id{};
  std::uint64_t psk_epoch = 0;
  byte_view psk_nonce{};

  [[nodiscard]] static result<pre_shared_key_id> read(reader& in) {
    pre_shared_key_id out;
    CONCLAVE_TRY(out.type, wire::read<psk_type>(in));
    if (out.type == psk_type::external) {
      CONCLAVE_TRY(out.psk_id, in.opaque());
    } else if (out.type == psk_type::resumption) {
      CONCLAVE_TRY(out.usage, wire::read<resumption_psk_usage>(in));
      if (out.usage < resumption_psk_usage::application || out.usage > resumption_psk_usage::branch)
        return failure{errc::malformed, rules::psk_type};
      CONCLAVE_TRY(out.psk_group_id, in.opaque());
      CONCLAVE_TRY(out.psk_epoch, in.number<std::uint64_t>());
    } else {
      return failure{errc::malformed, rules::psk_type};
    }
    CONCLAVE_TRY(out.psk_nonce, in.opaque());
    return out;
  }
  void write(auto& out) const {
    wire::write(out, type);
    if (type == psk_type::external) {
      out.opaque(psk_id);
    } else {
      wire::write(out, usage);
      out.opaque(psk_group_id);
      out.number(psk_epoch);
    }
    out.opaque(psk_nonce);
  }
};

/// psk_value: one key of the list that a commit or a Welcome names.
struct psk_value {
  pre_shared_key_id id;
  byte_view psk;
};

/// psk_label: PSKLabel.
struct psk_label {
  pre_shared_key_id id;
  std::uint16_t index = 0;
  std::uint16_t count = 0;
  static constexpr auto fields(auto& self) { return std::tie(self.id, self.index, self.count); }
};

/// derive_psk_secret(psks): in the order of the list; Nh zero bytes for none. Errors: over_limit.
template <crypto_provider P>
[[nodiscard]] result<psk_secret> derive_psk_secret(const basic_suite<P>& s, std::span<const psk_value> psks) {
  if (psks.size() > limits::preshared_keys) return failure{errc::over_limit, rules::psk_count};
  psk_secret out(s.nh());
  const std::array<std::uint8_t, 64> zero{};
  std::uint16_t index = 0;
  for (const psk_value& p : psks) {
    const auto extracted = s.template extract<struct psk_extracted_tag>(byte_view{zero}.first(s.nh()), p.psk);
    secret<struct psk_input_tag> input(s.nh());
    s.expand_with_label(extracted.reveal(), "derived psk",
                        wire::encode(psk_label{p.id, index++, static_cast<std::uint16_t>(psks.size())}),
                        input.writable());
    out = s.template extract<struct psk_secret_tag>(input.reveal(), out.reveal());
  }
  return out;
}

}  // namespace conclave::mls
