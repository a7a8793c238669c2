// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Transcript hashes (RFC 9420, section 8.2).
#pragma once

#include <conclave/mls/framing.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// confirmed_transcript_hash: over the last interim hash and a commit without its confirmation tag.
template <crypto_provider P>
[[nodiscard]] digest confirmed_transcript_hash(const basic_suite<P>& s, byte_view interim, wire_format format,
                                               byte_view content, byte_view signature) {
  std::array<std::uint8_t, 2> head;
  store_be(static_cast<std::uint16_t>(format), head);
  return s.hash({interim, head, content, wire::encode(signature)});
}

/// interim_transcript_hash: over a confirmed hash and the confirmation tag.
template <crypto_provider P>
[[nodiscard]] digest interim_transcript_hash(const basic_suite<P>& s, byte_view confirmed, byte_view confirmation_tag) {
  return s.hash({confirmed, wire::encode(confirmation_tag)});
}

}  // namespace conclave::mls
