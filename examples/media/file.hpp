// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Whole files: read with a cap, written so that a reader sees the old content or the new one and never half of it.
#pragma once

#include "../explain.hpp"

#include <conclave/bytes.hpp>
#include <conclave/result.hpp>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>

#include <unistd.h>

namespace demo {

namespace rules {
inline constexpr conclave::rule file_exists{"there is no such file or folder", "POSIX fopen"};
inline constexpr conclave::rule file_readable{"the file cannot be read", "POSIX fopen, fread"};
inline constexpr conclave::rule file_size{"the file is larger than is read here", "the caller's cap"};
inline constexpr conclave::rule file_writable{"the file cannot be written", "POSIX fopen, fwrite, fsync, rename"};
}  // namespace rules

namespace detail {

struct close_file {
  void operator()(std::FILE* file) const noexcept { (void)std::fclose(file); }
};
using file_handle = std::unique_ptr<std::FILE, close_file>;

}  // namespace detail

/// read_file(path, cap): the whole content of a file, a pipe included. Errors: over_limit for more than `cap` bytes,
/// of which no more than a chunk beyond the cap is ever read; storage where it is not there or cannot be read.
[[nodiscard]] inline conclave::result<conclave::bytes> read_file(const std::string& path, std::size_t cap) {
  const detail::file_handle file{std::fopen(path.c_str(), "rb")};
  if (!file)
    return conclave::failure{conclave::errc::storage, errno == ENOENT ? rules::file_exists : rules::file_readable};
  conclave::bytes content;
  std::array<std::uint8_t, 1U << 14U> chunk;
  while (const std::size_t n = std::fread(chunk.data(), 1, chunk.size(), file.get())) {
    if (n > cap - content.size()) return conclave::failure{conclave::errc::over_limit, rules::file_size};
    conclave::append(content, conclave::byte_view{chunk}.first(n));
  }
  if (std::ferror(file.get()) != 0) return conclave::failure{conclave::errc::storage, rules::file_readable};
  return content;
}

/// write_file(path, content): creates or replaces a file. The bytes go into a temporary file of the same folder, reach
/// the disk, and then take over the name in one step. Errors: storage; `path` is as it was then, and nothing else is
/// left.
[[nodiscard]] inline conclave::status write_file(const std::string& path, conclave::byte_view content) {
  const std::string temporary = path + '.' + std::to_string(::getpid()) + ".part";
  detail::file_handle file{std::fopen(temporary.c_str(), "wbx")};
  if (!file)
    return conclave::failure{conclave::errc::storage, errno == ENOENT ? rules::file_exists : rules::file_writable};
  const bool written = std::fwrite(content.data(), 1, content.size(), file.get()) == content.size() &&
                       std::fflush(file.get()) == 0 && ::fsync(::fileno(file.get())) == 0;
  const bool closed = std::fclose(file.release()) == 0;
  if (written && closed && std::rename(temporary.c_str(), path.c_str()) == 0) return {};
  (void)std::remove(temporary.c_str());
  return conclave::failure{conclave::errc::storage, rules::file_writable};
}

}  // namespace demo
