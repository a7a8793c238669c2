// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// memory: records that last as long as the program: for tests, and for trying things out.
#pragma once

#include <conclave/otp/store.hpp>

#include <map>
#include <mutex>
#include <string>

namespace conclave::inline CONCLAVE_ABI::store {

/// memory: an otp::store. Threads: any.
class memory final : public otp::store {
 public:
  [[nodiscard]] result<otp::stored> load(std::string_view user) override {
    const std::scoped_lock lock(mutex_);
    const auto at = records_.find(user);
    return at == records_.end() ? otp::stored{} : at->second;
  }
  [[nodiscard]] status save(std::string_view user, std::uint64_t version, byte_view record) override {
    otp::stored next{version + 1, to_bytes(record)};
    const std::scoped_lock lock(mutex_);
    const auto at = records_.find(user);
    if ((at == records_.end() ? 0 : at->second.version) != version) return errc::stale_epoch;
    records_.insert_or_assign(std::string{user}, std::move(next));
    return {};
  }

 private:
  std::mutex mutex_;
  std::map<std::string, otp::stored, std::less<>> records_;
};

}  // namespace conclave::store
