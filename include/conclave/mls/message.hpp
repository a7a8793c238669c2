// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// MLSMessage: the one thing that travels (RFC 9420, section 6).
#pragma once

#include <conclave/mls/framing.hpp>
#include <conclave/mls/welcome.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// message: the member named like the format is the one that is set. A view into the bytes it was decoded from.
struct message {
  wire_format format{};
  mls::public_message public_message;
  mls::private_message private_message;
  mls::welcome welcome;
  located_group_info group_info;
  located_key_package key_package;

  /// decode(input): one MLSMessage and nothing after it. Errors: malformed, over_limit, unsupported (version, proposal
  /// type).
  [[nodiscard]] static result<message> decode(byte_view input) {
    if (input.size() > limits::message_bytes) return errc::over_limit;
    return wire::decode<message>(input);
  }

  [[nodiscard]] static result<message> read(reader& in) {
    message out;
    CONCLAVE_TRY(const auto version, wire::read<protocol_version>(in));
    if (version != protocol_version::mls10) return failure{errc::unsupported, rules::supported_version};
    CONCLAVE_TRY(out.format, wire::read<wire_format>(in));
    const auto read_into = [&]<class T>(T& member) -> status {
      CONCLAVE_TRY(member, wire::read<T>(in));
      return {};
    };
    switch (out.format) {
      case wire_format::public_message: CONCLAVE_CHECK(read_into(out.public_message)); return out;
      case wire_format::private_message: CONCLAVE_CHECK(read_into(out.private_message)); return out;
      case wire_format::welcome: CONCLAVE_CHECK(read_into(out.welcome)); return out;
      case wire_format::group_info: CONCLAVE_CHECK(read_into(out.group_info)); return out;
      case wire_format::key_package:
        CONCLAVE_CHECK(read_into(out.key_package));
        if (out.key_package->version != version) return failure{errc::malformed, rules::key_package_suite};
        return out;
    }
    return failure{errc::malformed, rules::known_wire_format};
  }

  void write(auto& out) const {
    wire::write(out, protocol_version::mls10);
    wire::write(out, format);
    switch (format) {
      case wire_format::public_message: return wire::write(out, public_message);
      case wire_format::private_message: return wire::write(out, private_message);
      case wire_format::welcome: return wire::write(out, welcome);
      case wire_format::group_info: return wire::write(out, group_info);
      case wire_format::key_package: return wire::write(out, key_package);
    }
  }
};

}  // namespace conclave::mls
