// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Where records of second factors rest, as interfaces that the host implements; store/ has two that are ready.
#pragma once

#include <conclave/bytes.hpp>

namespace conclave::inline CONCLAVE_ABI::otp {

/// stored: a record as it rests, and how often it was saved; version 0 and nothing where it never was.
struct stored {
  std::uint64_t version = 0;
  bytes record;
};

/// store: sealed records by user, each with a version that save() compares and raises in one step, whoever else saves
/// at the same time, in this process or another. Threads: any. What was saved survives a crash from the moment that
/// save() returns.
class store {
 public:
  store() = default;
  store(const store&) = delete;
  store& operator=(const store&) = delete;
  virtual ~store() = default;

  /// load(user): Errors: storage.
  [[nodiscard]] virtual result<stored> load(std::string_view user) = 0;
  /// save(user, version, record): replaces the record of that version, which gets the next one; 0: there is none yet.
  /// Errors: stale_epoch (another version is there by now: nothing was written), storage (whether it was written is not
  /// known).
  [[nodiscard]] virtual status save(std::string_view user, std::uint64_t version, byte_view record) = 0;
};

/// version_floor: a memory of the newest version of each record that whoever can write to the store cannot write to. It
/// is how an old record that was put back, or one that was deleted, is noticed: nothing in a record can tell. Threads:
/// any.
class version_floor {
 public:
  version_floor() = default;
  version_floor(const version_floor&) = delete;
  version_floor& operator=(const version_floor&) = delete;
  virtual ~version_floor() = default;

  /// least(user): the highest version that raise() was given, or 0. Errors: storage.
  [[nodiscard]] virtual result<std::uint64_t> least(std::string_view user) = 0;
  /// raise(user, version): never lowers it. Errors: storage.
  [[nodiscard]] virtual status raise(std::string_view user, std::uint64_t version) = 0;
};

}  // namespace conclave::otp
