// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What protocols ask of the outside, as interfaces the host implements.
#pragma once

#include <conclave/detail/wipe.hpp>
#include <conclave/result.hpp>

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

}  // namespace conclave
