// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// A ledger of secrets that have been seen, and a search for them in all the memory of this process. The ledger itself
/// holds them behind a mask, so that it is not found.
#pragma once

#include <conclave/bytes.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace secrets_test {

using conclave::byte_span;
using conclave::byte_view;
using conclave::bytes;

/// check(condition, what): ends the program where something does not work that has to.
inline void check(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "failed: %s\n", what);
  std::exit(2);
}

/// must(result): its value.
template <class T>
[[nodiscard]] T must(conclave::result<T>&& r, const char* what = "a call") {
  if (!r) std::fprintf(stderr, "%s\n", r.error().message());
  check(r.has_value(), what);
  return *std::move(r);
}

/// finding: where a secret was found, and which.
struct finding {
  std::string region;
  const char* kind;
  std::size_t number;  ///< it was the how manieth secret
  std::uint64_t address;
};

/// ledger: every secret by its pieces of 16 bytes: the rest may be overwritten, as the allocator does with what is freed.
class ledger {
 public:
  static ledger& instance() {
    static ledger one;
    return one;
  }

  /// note(kind, secret): pieces with hardly any different bytes are no secret, but zeros or a test's own.
  void note(const char* kind, byte_view secret) {
    if (++noted_ == stop_at) std::abort();
    for (; secret.size() >= 16; secret = secret.subspan(16)) {
      std::uint64_t different = 0;
      for (const std::uint8_t b : secret.first(16)) different |= std::uint64_t{1} << (b % 64U);
      if (__builtin_popcountll(different) < 6) continue;
      pieces_.push_back({word(secret.data()) ^ mask, word(secret.data() + 8) ^ mask, kind, noted_});
    }
  }
  /// publish(message): what is said aloud is no secret.
  void publish(byte_view message) { published_.insert(published_.end(), message.begin(), message.end()); }

  /// stop_at: the program ends when this secret is noted, for a debugger to show whose it is.
  std::size_t stop_at = 0;

  [[nodiscard]] std::size_t noted() const noexcept { return noted_; }

  /// search(): every secret that stands anywhere in memory that can be written.
  [[nodiscard]] std::vector<finding> search() {
    settle();
    std::vector<finding> out;
    std::FILE* const maps = std::fopen("/proc/self/maps", "r");
    const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    check(maps != nullptr && memory >= 0, "reading one's own memory");
    std::vector<std::string> regions;
    for (char line[4096]; std::fgets(line, sizeof line, maps) != nullptr;) regions.emplace_back(line);
    std::fclose(maps);
    for (const std::string& line : regions) {
      unsigned long long from = 0, to = 0;
      char rights[8] = {}, name[256] = {};
      std::sscanf(line.c_str(), "%llx-%llx %7s %*s %*s %*s %255s", &from, &to, rights, name);
      if (std::strncmp(rights, "rw", 2) != 0) continue;
      search(memory, from, to, name[0] != 0 ? name : "anonymous", out);
    }
    ::close(memory);
    return out;
  }
  /// search(content): the same in bytes of any origin, such as a core file.
  [[nodiscard]] std::size_t search(byte_view content) {
    settle();
    std::size_t found = 0;
    for (std::size_t i = 0; i + 16 <= content.size(); ++i) found += find(content.data() + i) != nullptr ? 1 : 0;
    return found;
  }

 private:
  static constexpr std::uint64_t mask = 0xa5c3'5a3c'f00f'96e1;
  static constexpr std::size_t step = 1U << 20U;

  struct piece {
    std::uint64_t first, second;
    const char* kind;
    std::size_t number;
  };

  ledger()
      : window_{static_cast<std::uint8_t*>(
            ::mmap(nullptr, step + 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))} {
    check(window_ != MAP_FAILED, "mmap");
  }

  [[nodiscard]] static std::uint64_t word(const std::uint8_t* at) noexcept {
    std::uint64_t out;
    std::memcpy(&out, at, sizeof out);
    return out;
  }
  [[nodiscard]] static std::size_t slot(std::uint64_t first) noexcept {
    return static_cast<std::size_t>((first * 0x9e37'79b9'7f4a'7c15) >> 44U);
  }

  [[nodiscard]] const piece* find(const std::uint8_t* at) const noexcept {
    const std::uint64_t first = word(at) ^ mask;
    if (!slots_[slot(first)]) return nullptr;
    const std::uint64_t second = word(at + 8) ^ mask;
    const auto p = std::ranges::lower_bound(pieces_, first, {}, &piece::first);
    for (auto each = p; each != pieces_.end() && each->first == first; ++each)
      if (each->second == second) return &*each;
    return nullptr;
  }

  /// Sorts, and strikes out what was published.
  void settle() {
    std::ranges::sort(pieces_, {}, &piece::first);
    index();
    for (std::size_t i = 0; i + 16 <= published_.size(); ++i) {
      const piece* const open = find(published_.data() + i);
      if (open == nullptr) continue;
      std::erase_if(pieces_, [p = *open](const piece& q) { return q.first == p.first && q.second == p.second; });
    }
    index();
  }
  void index() {
    slots_.assign(std::size_t{1} << 20U, false);
    for (const piece& p : pieces_) slots_[slot(p.first)] = true;
  }

  void search(int memory, std::uint64_t from, std::uint64_t to, const char* name, std::vector<finding>& out) const {
    const auto own = reinterpret_cast<std::uintptr_t>(window_);
    if (from < own + step + 16 && own < to) {  // neighbours may have become one region
      if (from < own) search(memory, from, own, name, out);
      if (own + step + 16 < to) search(memory, own + step + 16, to, name, out);
      return;
    }
    for (std::uint64_t at = from; at < to; at += step) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(to - at, step + 15));
      const ssize_t got = ::pread(memory, window_, size, static_cast<off_t>(at));
      for (ssize_t i = 0; i + 16 <= got; ++i)
        if (const piece* const p = find(window_ + i))
          out.push_back({name, p->kind, p->number, at + static_cast<std::uint64_t>(i)});
    }
  }

  std::uint8_t* window_;
  std::size_t noted_ = 0;
  std::vector<piece> pieces_;
  std::vector<bool> slots_;
  bytes published_;
};

}  // namespace secrets_test
