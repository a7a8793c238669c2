// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What a host brings along: time, a key, files.
#pragma once

#include "explain.hpp"

#include <conclave/conclave.hpp>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace demo {

/// stopped_environment: the system's randomness, at a time that somebody has chosen, or at its own.
class stopped_environment final : public conclave::environment {
 public:
  std::optional<conclave::unix_time> at;

  [[nodiscard]] conclave::status random(conclave::byte_span out) noexcept override { return system_.random(out); }
  [[nodiscard]] conclave::unix_time wall() noexcept override { return at ? *at : system_.wall(); }
  [[nodiscard]] conclave::steady_time steady() noexcept override { return system_.steady(); }

 private:
  conclave::system_environment system_;
};

/// descriptor: an open file.
class descriptor {
 public:
  explicit descriptor(int number) noexcept : number_{number} {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int operator*() const noexcept { return number_; }
  [[nodiscard]] explicit operator bool() const noexcept { return number_ >= 0; }

 private:
  int number_;
};

/// write_private(path, content, flags): a file that nobody else can read. Says what went wrong, or nothing.
[[nodiscard]] inline std::string write_private(const std::string& path, conclave::byte_view content, int flags) {
  const descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, S_IRUSR | S_IWUSR));
  while (file && !content.empty()) {
    const ssize_t n = ::write(*file, content.data(), content.size());
    if (n < 0) break;
    content = content.subspan(static_cast<std::size_t>(n));
  }
  return content.empty() && file ? std::string{} : path + ": " + std::strerror(errno);
}

/// load_key(env, path, out): the key of a file, which is made where there is none. A host has a better place for it:
/// one that whoever reads the store cannot read. Says what went wrong, or nothing.
[[nodiscard]] inline std::string load_key(conclave::environment& env, const std::string& path,
                                          conclave::at_rest_key& out) {
  out = conclave::at_rest_key(32);
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file) {
    const ssize_t n = ::read(*file, out.writable().data(), out.size());
    return n == 32 ? std::string{} : path + ": no key";
  }
  if (const auto drawn = env.random(out.writable()); !drawn) return explain("no key", drawn.error());
  return write_private(path, out.reveal(), O_EXCL);
}

}  // namespace demo
