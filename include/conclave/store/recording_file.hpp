// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// A recording as a file, on systems with POSIX.
#pragma once

#include <conclave/meeting/recording/medium.hpp>

#include <cerrno>
#include <limits>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace conclave::inline CONCLAVE_ABI::store {

namespace rules {
inline constexpr rule file_new{"the file cannot be created, or is there already", "POSIX open"};
inline constexpr rule file_open{"the file cannot be opened", "POSIX open"};
inline constexpr rule file_write{"the file cannot be written", "POSIX pwrite, fsync"};
inline constexpr rule file_read{"the file cannot be read", "POSIX fstat, pread"};
}  // namespace rules

namespace detail {

/// descriptor: an open file, closed at the end.
class descriptor {
 public:
  descriptor() = default;
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (number_ >= 0) (void)::close(number_);
  }
  [[nodiscard]] bool open(const char* path, int flags) {
    if (number_ >= 0) return false;
    do number_ = ::open(path, flags | O_CLOEXEC, S_IRUSR | S_IWUSR);
    while (number_ < 0 && errno == EINTR);
    return number_ >= 0;
  }
  [[nodiscard]] int number() const noexcept { return number_; }

 private:
  int number_ = -1;
};

/// in_range(offset, size): whether a file can have bytes there.
[[nodiscard]] constexpr bool in_range(std::uint64_t offset, std::size_t size) noexcept {
  constexpr std::uint64_t most = std::numeric_limits<off_t>::max();
  return offset <= most && size <= most - offset;
}

}  // namespace detail

/// recording_sink: a new file, readable by its owner alone.
class recording_sink final : public recording::sink {
 public:
  /// create(path): never a file that is there already; once per object. Errors: storage.
  [[nodiscard]] status create(const std::string& path) {
    if (!file_.open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL)) return failure{errc::storage, rules::file_new};
    const auto slash = path.rfind('/');
    folder_ = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    return {};
  }

  [[nodiscard]] status write(std::uint64_t offset, byte_view data) override {
    const failure failed{errc::storage, rules::file_write};
    if (!detail::in_range(offset, data.size())) return failed;
    while (!data.empty()) {
      const ssize_t n = ::pwrite(file_.number(), data.data(), data.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return failed;
      data = data.subspan(static_cast<std::size_t>(n));
      offset += static_cast<std::uint64_t>(n);
    }
    return {};
  }

  [[nodiscard]] status sync() override {
    if (::fsync(file_.number()) != 0) return failure{errc::storage, rules::file_write};
    if (folder_.empty()) return {};
    detail::descriptor folder;  // the first time its name, too, has to reach the disk
    if (!folder.open(folder_.c_str(), O_RDONLY | O_DIRECTORY) || ::fsync(folder.number()) != 0)
      return failure{errc::storage, rules::file_write};
    folder_.clear();
    return {};
  }

 private:
  detail::descriptor file_;
  std::string folder_;
};

/// recording_source: a file to read.
class recording_source final : public recording::source {
 public:
  /// open(path): once per object. Errors: storage.
  [[nodiscard]] status open(const std::string& path) {
    if (!file_.open(path.c_str(), O_RDONLY)) return failure{errc::storage, rules::file_open};
    return {};
  }

  [[nodiscard]] result<std::uint64_t> size() override {
    struct stat about{};
    if (::fstat(file_.number(), &about) != 0 || !S_ISREG(about.st_mode))
      return failure{errc::storage, rules::file_read};
    return static_cast<std::uint64_t>(about.st_size);
  }

  [[nodiscard]] status read(std::uint64_t offset, byte_span out) override {
    const failure failed{errc::storage, rules::file_read};
    if (!detail::in_range(offset, out.size())) return failed;
    while (!out.empty()) {
      const ssize_t n = ::pread(file_.number(), out.data(), out.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return failed;
      out = out.subspan(static_cast<std::size_t>(n));
      offset += static_cast<std::uint64_t>(n);
    }
    return {};
  }

 private:
  detail::descriptor file_;
};

}  // namespace conclave::store
