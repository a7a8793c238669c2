// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// SHA-256 and its HMAC on the kernels of simd/: no allocation, several messages side by side. What the CPU has no
/// instructions for is left to a library.
#pragma once

#include <conclave/crypto/batch.hpp>
#include <conclave/detail/wipe.hpp>
#include <conclave/simd/dispatch.hpp>
#include <conclave/simd/sha256.hpp>

#include <cstring>
#include <variant>

namespace conclave::inline CONCLAVE_ABI {
namespace detail {

using sha256_state = std::array<std::uint32_t, 8>;

/// put_digest(state, to): the 32 bytes of a hash.
inline void put_digest(const sha256_state& state, std::uint8_t* to) noexcept {
  for (std::size_t i = 0; i < state.size(); ++i) store_be(state[i], {to + 4 * i, 4});
}

/// sha256_message: messages, one after the other, on their way into a state: their blocks, padded (FIPS 180-4 5.1.1), where
/// they stand or, at the seams of the parts, gathered in a buffer. The parts outlive their message. It wipes itself.
class sha256_message {
 public:
  sha256_message() noexcept {}  // start() comes first
  sha256_message(const sha256_message&) = delete;
  sha256_message& operator=(const sha256_message&) = delete;
  ~sha256_message() {
    secure_wipe(state_.data(), sizeof state_);
    secure_wipe(buffer_, sizeof buffer_);
  }

  /// start(from, absorbed, parts): the next message, behind the bytes that `from` has already taken in, a multiple of 64.
  void start(const sha256_state& from, std::uint64_t absorbed, byte_parts parts) noexcept {
    state_ = from;
    parts_ = parts;
    size_ = absorbed;
    rest_ = {};
    padded_ = false;
    next();
  }

  /// state(), data(), blocks(): the next `blocks` blocks stand at `data`; none are left where `blocks` is 0.
  [[nodiscard]] std::uint32_t* state() noexcept { return state_.data(); }
  [[nodiscard]] const std::uint8_t* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t blocks() const noexcept { return blocks_; }

  /// absorbed(n): state() has taken in the first n of these blocks.
  void absorbed(std::size_t n) noexcept {
    data_ += 64 * n;
    blocks_ -= n;
    if (blocks_ == 0 && !padded_) next();
  }

  void absorb_all(const simd::hash_kernels& kernels) noexcept {
    for (; blocks_ != 0; absorbed(blocks_)) kernels.sha256(state_.data(), data_, blocks_);
  }

  /// write_digest(out): 32 bytes; every block was absorbed.
  void write_digest(std::uint8_t* out) const noexcept { put_digest(state_, out); }

 private:
  void next() noexcept {
    for (std::size_t filled = 0;;) {
      if (rest_.empty()) {
        if (parts_.empty()) return pad(filled);
        rest_ = parts_.front();
        parts_ = parts_.subspan(1);
        size_ += rest_.size();
        continue;
      }
      if (filled == 0 && rest_.size() >= 64) {
        const std::size_t whole = rest_.size() / 64;
        data_ = rest_.data();
        blocks_ = whole;
        rest_ = rest_.subspan(whole * 64);
        return;
      }
      const std::size_t taken = std::min(rest_.size(), 64 - filled);
      std::memcpy(buffer_ + filled, rest_.data(), taken);
      rest_ = rest_.subspan(taken);
      filled += taken;
      if (filled == 64) return use_buffer(1);
    }
  }

  void pad(std::size_t filled) noexcept {
    const std::size_t blocks = filled < 56 ? 1 : 2;
    buffer_[filled] = 0x80;
    std::memset(buffer_ + filled + 1, 0, 64);  // no less reaches the length, and no more is there
    store_be(8 * size_, {buffer_ + 64 * blocks - 8, 8});
    padded_ = true;
    use_buffer(blocks);
  }

  void use_buffer(std::size_t blocks) noexcept {
    data_ = buffer_;
    blocks_ = blocks;
  }

  // not initialised: it is in every short hash's path
  sha256_state state_;
  byte_parts parts_;
  byte_view rest_;
  std::uint64_t size_;
  const std::uint8_t* data_;
  std::size_t blocks_;
  bool padded_;
  std::uint8_t buffer_[128];
};

/// sha256(kernels, start, absorbed, parts, out): the hash of what `start` has absorbed and of `parts`; `out` has 32 bytes
/// and may be one of the parts.
inline void sha256(const simd::hash_kernels& kernels, const sha256_state& start, std::uint64_t absorbed,
                   byte_parts parts, std::uint8_t* out) noexcept {
  sha256_message message;
  message.start(start, absorbed, parts);
  message.absorb_all(kernels);
  message.write_digest(out);
}

/// sha256_many(kernels, count, start, done): `count` messages, several at a time. start(i, message) starts message i;
/// done(i, message) takes its digest.
template <class Start, class Done>
void sha256_many(const simd::hash_kernels& kernels, std::size_t count, Start start, Done done) {
  struct lane {
    sha256_message message;
    std::size_t index;
  };
  std::array<lane, simd::sha256_streams> lanes;
  std::array<lane*, simd::sha256_streams> busy;
  std::size_t n = 0, following = 0;
  for (; n < lanes.size() && following < count; ++n) {
    busy[n] = &lanes[n];
    start(lanes[n].index = following++, lanes[n].message);
  }
  while (n > 0) {
    std::uint32_t* states[simd::sha256_streams];
    const std::uint8_t* data[simd::sha256_streams];
    std::size_t blocks = busy[0]->message.blocks();
    for (std::size_t i = 0; i < n; ++i) {
      states[i] = busy[i]->message.state();
      data[i] = busy[i]->message.data();
      blocks = std::min(blocks, busy[i]->message.blocks());
    }
    kernels.sha256_many(states, data, blocks, n);
    for (std::size_t i = n; i-- > 0;) {
      lane& l = *busy[i];
      l.message.absorbed(blocks);
      if (l.message.blocks() != 0) continue;
      done(l.index, l.message);
      if (following < count)
        start(l.index = following++, l.message);
      else
        busy[i] = busy[--n];
    }
  }
}

inline constexpr sha256_state sha256_start = std::to_array(simd::sha256_initial);

/// sha256_hmac: HMAC-SHA-256 (RFC 2104) with the blocks of its two pads already hashed.
class sha256_hmac {
 public:
  sha256_hmac(const simd::hash_kernels& kernels, byte_view key) noexcept : kernels_{&kernels} {
    std::uint8_t inner[64], outer[64];
    const wipe_guard wipe_inner(inner), wipe_outer(outer);
    std::memset(inner, 0, sizeof inner);
    if (key.size() > sizeof inner)
      sha256(kernels, sha256_start, 0, std::array{key}, inner);
    else
      std::ranges::copy(key, inner);
    for (std::size_t i = 0; i < sizeof inner; ++i) {
      outer[i] = inner[i] ^ 0x5c;
      inner[i] ^= 0x36;
    }
    std::uint32_t* const states[] = {pads_.value.inner.data(), pads_.value.outer.data()};
    const std::uint8_t* const blocks[] = {inner, outer};
    pads_.value = {sha256_start, sha256_start};
    kernels.sha256_many(states, blocks, 1, 2);
  }

  /// mac(parts, out): `out` has 32 bytes and may be one of the parts.
  void mac(byte_parts parts, byte_span out) const noexcept {
    if (out.size() != 32) CONCLAVE_PANIC();
    second_hash second;
    sha256(*kernels_, pads_.value.inner, 64, parts, second.block);
    second.state = pads_.value.outer;
    kernels_->sha256(second.state.data(), second.block, 1);
    put_digest(second.state, out.data());
  }

  /// mac_many(kernels, count, job): mac() under several keys that share `kernels`. job(i) gives one with its members key,
  /// message and out; no `out` overlaps anything of another job.
  static void mac_many(const simd::hash_kernels& kernels, std::size_t count, auto job) noexcept {
    sha256_many(
        kernels, count,
        [&](std::size_t i, sha256_message& m) { m.start(job(i).key->pads_.value.inner, 64, job(i).message); },
        [&](std::size_t i, const sha256_message& m) { m.write_digest(job(i).out.data()); });
    std::array<second_hash, simd::sha256_streams> second;
    std::array<std::uint32_t*, simd::sha256_streams> states;
    std::array<const std::uint8_t*, simd::sha256_streams> blocks;
    for (std::size_t done = 0, n = 0; done < count; done += n) {
      n = std::min(second.size(), count - done);
      for (std::size_t i = 0; i < n; ++i) {
        std::memcpy(second[i].block, job(done + i).out.data(), 32);
        second[i].state = job(done + i).key->pads_.value.outer;
        states[i] = second[i].state.data();
        blocks[i] = second[i].block;
      }
      kernels.sha256_many(states.data(), blocks.data(), 1, n);
      for (std::size_t i = 0; i < n; ++i) put_digest(second[i].state, job(done + i).out.data());
    }
  }

  [[nodiscard]] const simd::hash_kernels& kernels() const noexcept { return *kernels_; }

 private:
  struct pads {
    sha256_state inner, outer;
  };

  /// second_hash: what follows the outer pad is one block, the first hash with the padding of 96 bytes in all.
  struct second_hash {
    sha256_state state;
    std::uint8_t block[64];

    second_hash() noexcept {
      std::memset(block + 32, 0, 32);
      block[32] = 0x80;
      store_be(std::uint32_t{8 * 96}, {block + 60, 4});
    }
    second_hash(const second_hash&) = delete;
    second_hash& operator=(const second_hash&) = delete;
    ~second_hash() {
      secure_wipe(state.data(), sizeof state);
      secure_wipe(block, sizeof block);
    }
  };

  const simd::hash_kernels* kernels_;
  wiped<pads> pads_;
};

}  // namespace detail

/// native_hashes<Library>: the hash functions of a crypto_provider, with SHA-256 on the CPU's instructions where it has
/// them; everything else is the Library's.
template <class Library>
struct native_hashes {
  static void hash(hash_id id, byte_parts parts, byte_span out) {
    const auto* const kernels = serves(id);
    if (kernels == nullptr) return Library::hash(id, parts, out);
    if (out.size() != 32) CONCLAVE_PANIC();
    detail::sha256(*kernels, detail::sha256_start, 0, parts, out.data());
  }
  /// hash_many(id, jobs): see crypto/batch.hpp.
  static void hash_many(hash_id id, std::span<const hash_job> jobs) {
    const auto* const kernels = serves(id);
    if (kernels == nullptr) {
      for (const hash_job& j : jobs) Library::hash(id, j.message, j.out);
      return;
    }
    detail::sha256_many(
        *kernels, jobs.size(),
        [&](std::size_t i, detail::sha256_message& m) { m.start(detail::sha256_start, 0, jobs[i].message); },
        [&](std::size_t i, const detail::sha256_message& m) {
          if (jobs[i].out.size() != 32) CONCLAVE_PANIC();
          m.write_digest(jobs[i].out.data());
        });
  }
  static void hmac(hash_id id, byte_view key, byte_parts parts, byte_span out) {
    if (const auto* const kernels = serves(id))
      detail::sha256_hmac(*kernels, key).mac(parts, out);
    else
      Library::hmac(id, key, parts, out);
  }

  /// hmac_key: an hmac_key_type. It keeps the kernel that was current when it was made.
  class hmac_key {
   public:
    [[nodiscard]] static result<hmac_key> make(hash_id id, byte_view raw) {
      if (const auto* const kernels = serves(id)) return hmac_key(detail::sha256_hmac(*kernels, raw));
      CONCLAVE_TRY(auto made, Library::hmac_key::make(id, raw));
      return hmac_key(std::move(made));
    }
    void mac(byte_parts parts, byte_span out) {
      if (const auto* const native = std::get_if<detail::sha256_hmac>(&key_))
        native->mac(parts, out);
      else
        std::get_if<typename Library::hmac_key>(&key_)->mac(parts, out);
    }

    /// mac_many(jobs): see crypto/batch.hpp.
    static void mac_many(std::span<mac_job<hmac_key>> jobs) {
      const auto native = [&](std::size_t i) { return std::get_if<detail::sha256_hmac>(&jobs[i].key->key_); };
      const auto* const first = jobs.empty() ? nullptr : native(0);
      bool alike = first != nullptr;
      for (std::size_t i = 0; alike && i < jobs.size(); ++i)
        alike = native(i) != nullptr && &native(i)->kernels() == &first->kernels() && jobs[i].out.size() == 32;
      if (!alike) {
        for (mac_job<hmac_key>& j : jobs) j.key->mac(j.message, j.out);
        return;
      }
      struct job {
        const detail::sha256_hmac* key;
        byte_parts message;
        byte_span out;
      };
      detail::sha256_hmac::mac_many(first->kernels(), jobs.size(),
                                    [&](std::size_t i) { return job{native(i), jobs[i].message, jobs[i].out}; });
    }

   private:
    template <class K>
    explicit hmac_key(K key) noexcept : key_{std::move(key)} {}

    std::variant<detail::sha256_hmac, typename Library::hmac_key> key_;
  };

 private:
  [[nodiscard]] static const simd::hash_kernels* serves(hash_id id) noexcept {
    return id == hash_id::sha256 ? simd::current<simd::hash_kernels>() : nullptr;
  }
};

}  // namespace conclave
