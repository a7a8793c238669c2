// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// sqlite: records in a SQLite file, which several processes may use at once. With CMake, link conclave::sqlite.
#pragma once

#include <conclave/limits.hpp>
#include <conclave/otp/store.hpp>

#include <sqlite3.h>

#include <memory>
#include <mutex>
#include <string>

namespace conclave::inline CONCLAVE_ABI::store {

namespace detail {

struct sqlite_closer {
  void operator()(sqlite3* database) const noexcept { sqlite3_close(database); }
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};
using sqlite_database = std::unique_ptr<sqlite3, sqlite_closer>;

/// sqlite_statement: one run of a statement; the first failure is remembered.
class sqlite_statement {
 public:
  sqlite_statement(sqlite3* database, const char* text) {
    sqlite3_stmt* made = nullptr;
    good_ = sqlite3_prepare_v2(database, text, -1, &made, nullptr) == SQLITE_OK;
    statement_.reset(made);
  }

  /// bind(...): the parameters, in order. Bytes have to live as long as the statement.
  void bind(byte_view value) {
    // a null pointer would be NULL, not an empty blob
    static constexpr std::uint8_t nothing = 0;
    const void* data = value.empty() ? &nothing : value.data();
    good_ = good_ && sqlite3_bind_blob64(statement_.get(), ++bound_, data, value.size(), SQLITE_STATIC) == SQLITE_OK;
  }
  void bind(std::uint64_t value) {
    good_ = good_ && value <= static_cast<std::uint64_t>(std::numeric_limits<sqlite3_int64>::max()) &&
            sqlite3_bind_int64(statement_.get(), ++bound_, static_cast<sqlite3_int64>(value)) == SQLITE_OK;
  }

  /// row(): true where there is another one; storage where there is a failure.
  [[nodiscard]] result<bool> row() {
    if (!good_) return errc::storage;
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    good_ = code == SQLITE_DONE;
    return good_ ? result<bool>{false} : errc::storage;
  }
  [[nodiscard]] sqlite3_int64 number(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  [[nodiscard]] byte_view blob(int column) const {
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_.get(), column));
    const int size = sqlite3_column_bytes(statement_.get(), column);
    return data == nullptr ? byte_view{} : byte_view{data, static_cast<std::size_t>(size)};
  }

 private:
  std::unique_ptr<sqlite3_stmt, sqlite_closer> statement_;
  int bound_ = 0;
  bool good_;
};

}  // namespace detail

/// sqlite: an otp::store. What was replaced is overwritten in the file; what was saved has reached the disk. Threads:
/// any; they wait for each other.
class sqlite final : public otp::store {
 public:
  /// open(path): makes the file where there is none. Errors: storage.
  [[nodiscard]] static result<std::unique_ptr<sqlite>> open(const std::string& path) {
    sqlite3* opened = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
    const int code = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
    detail::sqlite_database database(opened);
    if (code != SQLITE_OK) return errc::storage;
    sqlite3_busy_timeout(opened, static_cast<int>(limits::store_wait.count()));
    for (const char* text :
         {"PRAGMA synchronous = EXTRA", "PRAGMA secure_delete = ON",
          "CREATE TABLE IF NOT EXISTS conclave_second_factor (user BLOB PRIMARY KEY, version INTEGER NOT NULL,"
          " record BLOB NOT NULL) WITHOUT ROWID"})
      if (sqlite3_exec(opened, text, nullptr, nullptr, nullptr) != SQLITE_OK) return errc::storage;
    return std::unique_ptr<sqlite>(new sqlite(std::move(database)));
  }

  [[nodiscard]] result<otp::stored> load(std::string_view user) override {
    const std::scoped_lock lock(mutex_);
    detail::sqlite_statement select(database_.get(),
                                    "SELECT version, record FROM conclave_second_factor WHERE user = ?");
    select.bind(as_bytes(user));
    CONCLAVE_TRY(const bool found, select.row());
    if (!found) return otp::stored{};
    if (select.number(0) <= 0) return errc::storage;  // nobody writes that
    return otp::stored{static_cast<std::uint64_t>(select.number(0)), to_bytes(select.blob(1))};
  }

  [[nodiscard]] status save(std::string_view user, std::uint64_t version, byte_view record) override {
    const std::scoped_lock lock(mutex_);
    // each is one statement, and so one transaction: SQLite lets nobody in between
    detail::sqlite_statement write(
        database_.get(),
        version == 0 ? "INSERT OR IGNORE INTO conclave_second_factor (version, record, user) VALUES (?, ?, ?)"
                     : "UPDATE conclave_second_factor SET version = ?, record = ? WHERE user = ? AND version = ?");
    write.bind(version + 1);
    write.bind(record);
    write.bind(as_bytes(user));
    if (version != 0) write.bind(version);
    CONCLAVE_CHECK(write.row());
    return sqlite3_changes(database_.get()) == 1 ? status{} : errc::stale_epoch;
  }

 private:
  explicit sqlite(detail::sqlite_database&& database) noexcept : database_{std::move(database)} {}

  std::mutex mutex_;
  detail::sqlite_database database_;
};

}  // namespace conclave::store
