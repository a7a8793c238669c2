// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What a recording asks of the place where it rests. The host implements it; store/recording_file.hpp has one for files.
#pragma once

#include <conclave/bytes.hpp>
#include <conclave/result.hpp>

namespace conclave::inline CONCLAVE_ABI::recording {

/// sink: where a recording is written to. Threads: called on the thread that uses the recorder.
class sink {
 public:
  sink() = default;
  sink(const sink&) = delete;
  sink& operator=(const sink&) = delete;
  virtual ~sink() = default;

  /// write(offset, data): puts `data` there. Offsets are where the last write that succeeded ended; one that failed, with
  /// part of its bytes written or none, may be tried again with the same ones. Errors: storage.
  [[nodiscard]] virtual status write(std::uint64_t offset, byte_view data) = 0;
  /// sync(): returns when all that was written would outlive a loss of power. Errors: storage.
  [[nodiscard]] virtual status sync() = 0;
};

/// source: where a recording is read from. Threads: called on the thread that uses the player.
class source {
 public:
  source() = default;
  source(const source&) = delete;
  source& operator=(const source&) = delete;
  virtual ~source() = default;

  /// size(): its bytes. read(offset, out): fills all of `out` from there. Errors: storage.
  [[nodiscard]] virtual result<std::uint64_t> size() = 0;
  [[nodiscard]] virtual status read(std::uint64_t offset, byte_span out) = 0;
};

}  // namespace conclave::recording
