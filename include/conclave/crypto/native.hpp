// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// AES-GCM and AES-CTR on the kernels of simd/: a key costs one allocation, a frame none, and frames under many keys are
/// worked on in one call. What the CPU has no instructions for is left to a library.
#pragma once

#include <conclave/crypto/batch.hpp>
#include <conclave/crypto/checked_aead.hpp>
#include <conclave/crypto/checked_ctr.hpp>
#include <conclave/crypto/prefer.hpp>
#include <conclave/detail/stack_vector.hpp>
#include <conclave/simd/dispatch.hpp>

#include <memory>

namespace conclave::inline CONCLAVE_ABI {
namespace detail {

/// native_batch: as many frames are handed to a kernel at once.
inline constexpr std::size_t native_batch = 16;

/// native_gcm: an aead_cipher. It keeps the kernel that was current when it was made.
class native_gcm {
 public:
  [[nodiscard]] static bool supports(aead_id aead) noexcept {
    return (aead == aead_id::aes_128_gcm || aead == aead_id::aes_256_gcm) &&
           simd::current<simd::aes_kernels>() != nullptr;
  }
  [[nodiscard]] static result<native_gcm> make(aead_id, byte_view key) {
    native_gcm out;
    out.kernels_ = simd::current<simd::aes_kernels>();
    if (out.kernels_ == nullptr) return errc::unsupported;
    out.key_ = std::make_unique<wiped<simd::gcm_key>>();
    out.kernels_->make_gcm(key.data(), key.size(), &out.key_->value);
    return out;
  }

  [[nodiscard]] status seal(byte_view nonce, byte_view aad, byte_view plaintext, byte_span out, byte_span tag) {
    const auto job = sealing(nonce, aad, plaintext, out, tag);
    kernels_->gcm_seal(&job, 1);
    return {};
  }
  [[nodiscard]] status open(byte_view nonce, byte_view aad, byte_view ciphertext, byte_view tag, byte_span out) {
    auto job = opening(nonce, aad, ciphertext, tag, out);
    kernels_->gcm_open(&job, 1);
    return job.good ? status{} : errc::unauthentic;
  }

  [[nodiscard]] simd::gcm_seal_job sealing(byte_view nonce, byte_view aad, byte_view plaintext, byte_span out,
                                           byte_span tag) const noexcept {
    return {frame(nonce, aad, plaintext, out), tag.data()};
  }
  [[nodiscard]] simd::gcm_open_job opening(byte_view nonce, byte_view aad, byte_view ciphertext, byte_view tag,
                                           byte_span out) const noexcept {
    return {frame(nonce, aad, ciphertext, out), tag.data(), false};
  }
  [[nodiscard]] const simd::aes_kernels* kernels() const noexcept { return kernels_; }

 private:
  [[nodiscard]] simd::gcm_frame frame(byte_view nonce, byte_view aad, byte_view in, byte_span out) const noexcept {
    return {&key_->value, nonce.data(), aad.data(), aad.size(), in.data(), out.data(), in.size()};
  }

  const simd::aes_kernels* kernels_ = nullptr;
  std::unique_ptr<wiped<simd::gcm_key>> key_;
};

/// native_ctr: a ctr_cipher, likewise.
class native_ctr {
 public:
  [[nodiscard]] static bool supports(ctr_id ctr) noexcept {
    return (ctr == ctr_id::aes_128_ctr || ctr == ctr_id::aes_256_ctr) && simd::current<simd::aes_kernels>() != nullptr;
  }
  [[nodiscard]] static result<native_ctr> make(ctr_id, byte_view key) {
    native_ctr out;
    out.kernels_ = simd::current<simd::aes_kernels>();
    if (out.kernels_ == nullptr) return errc::unsupported;
    out.key_ = std::make_unique<wiped<simd::aes_schedule>>();
    out.kernels_->expand(key.data(), key.size(), &out.key_->value);
    return out;
  }

  [[nodiscard]] status xor_keystream(byte_view counter, byte_view in, byte_span out) {
    std::array<std::uint8_t, counter_block_size> block;
    for (;;) {
      const std::uint64_t before_wrap = bytes_before_wrap(counter);
      const std::size_t now = in.size() < before_wrap ? in.size() : static_cast<std::size_t>(before_wrap);
      const simd::ctr_job job = work(counter, in.first(now), out.first(now));
      kernels_->ctr(&job, 1);
      in = in.subspan(now);
      out = out.subspan(now);
      if (in.empty()) return {};
      std::ranges::copy(counter.first(12), block.begin());
      std::fill(block.begin() + 12, block.end(), std::uint8_t{0});
      for (std::size_t i = 12; i > 0 && ++block[i - 1] == 0;) --i;
      counter = block;
    }
  }

  /// bytes_before_wrap(counter): how far a kernel may go, which counts in the last four bytes alone.
  [[nodiscard]] static std::uint64_t bytes_before_wrap(byte_view counter) noexcept {
    return ((std::uint64_t{1} << 32U) - load_be<std::uint32_t>(counter.subspan(12))) * 16;
  }
  [[nodiscard]] simd::ctr_job work(byte_view counter, byte_view in, byte_span out) const noexcept {
    return {&key_->value, counter.data(), in.data(), out.data(), in.size()};
  }
  [[nodiscard]] const simd::aes_kernels* kernels() const noexcept { return kernels_; }

 private:
  const simd::aes_kernels* kernels_ = nullptr;
  std::unique_ptr<wiped<simd::aes_schedule>> key_;
};

}  // namespace detail

/// native_ciphers<Library>: the crypto_provider Library, with AES-GCM and AES-CTR on the kernels where the CPU has
/// instructions for AES. A key keeps the kernel, or the library, that was current when it was made.
template <crypto_provider Library>
struct native_ciphers : Library {
  using Library::supports;
  [[nodiscard]] static bool supports(aead_id id) noexcept {
    return detail::native_gcm::supports(id) || Library::supports(id);
  }
  [[nodiscard]] static bool supports(ctr_id id) noexcept {
    return detail::native_ctr::supports(id) || Library::supports(id);
  }

  class aead_key {
   public:
    [[nodiscard]] static result<aead_key> make(aead_id id, byte_view raw) {
      CONCLAVE_TRY(auto made, keys::make(detail::native_gcm::supports(id), id, raw));
      return aead_key(std::move(made));
    }
    [[nodiscard]] status seal(byte_view nonce, byte_view aad, byte_view plaintext, byte_span out) {
      return key_.with([&](auto& key) { return key.seal(nonce, aad, plaintext, out); });
    }
    [[nodiscard]] status open(byte_view nonce, byte_view aad, byte_view ciphertext, byte_span out) {
      return key_.with([&](auto& key) { return key.open(nonce, aad, ciphertext, out); });
    }
    [[nodiscard]] status seal(byte_view nonce, byte_view aad, byte_view plaintext, byte_span out, byte_span tag) {
      return key_.with([&](auto& key) { return key.seal(nonce, aad, plaintext, out, tag); });
    }
    [[nodiscard]] status open(byte_view nonce, byte_view aad, byte_view ciphertext, byte_view tag, byte_span out) {
      return key_.with([&](auto& key) { return key.open(nonce, aad, ciphertext, tag, out); });
    }

    /// seal_many(jobs), open_many(jobs): see crypto/batch.hpp.
    static void seal_many(std::span<seal_job<aead_key>> jobs) {
      for (; jobs.size() > detail::native_batch; jobs = jobs.subspan(detail::native_batch))
        seal_many(jobs.first(detail::native_batch));
      detail::stack_vector<simd::gcm_seal_job, detail::native_batch> work;
      const simd::aes_kernels* kernels = nullptr;
      for (const auto& j : jobs) {
        const detail::native_gcm* const c = j.key->native();
        if (c == nullptr || (!work.empty() && c->kernels() != kernels) ||
            !checked::check_seal(j.nonce, j.plaintext, j.out, j.tag)) {
          for (auto& each : jobs) each.done = each.key->seal(each.nonce, each.aad, each.plaintext, each.out, each.tag);
          return;
        }
        kernels = c->kernels();
        work.add(c->sealing(j.nonce, j.aad, j.plaintext, j.out, j.tag));
      }
      if (!jobs.empty()) kernels->gcm_seal(work.begin(), jobs.size());
      for (auto& j : jobs) j.done = {};
    }
    static void open_many(std::span<open_job<aead_key>> jobs) {
      for (; jobs.size() > detail::native_batch; jobs = jobs.subspan(detail::native_batch))
        open_many(jobs.first(detail::native_batch));
      detail::stack_vector<simd::gcm_open_job, detail::native_batch> work;
      const simd::aes_kernels* kernels = nullptr;
      for (const auto& j : jobs) {
        const detail::native_gcm* const c = j.key->native();
        if (c == nullptr || (!work.empty() && c->kernels() != kernels) ||
            !checked::check_open(j.nonce, j.ciphertext, j.tag, j.out)) {
          for (auto& each : jobs) each.done = each.key->open(each.nonce, each.aad, each.ciphertext, each.tag, each.out);
          return;
        }
        kernels = c->kernels();
        work.add(c->opening(j.nonce, j.aad, j.ciphertext, j.tag, j.out));
      }
      if (!jobs.empty()) kernels->gcm_open(work.begin(), jobs.size());
      for (std::size_t i = 0; i < jobs.size(); ++i) {
        jobs[i].done = work[i].good ? status{} : errc::unauthentic;
        if (!work[i].good) detail::secure_wipe(jobs[i].out);
      }
    }

   private:
    using checked = detail::checked_aead<detail::native_gcm>;
    using keys = detail::either<checked, typename Library::aead_key>;
    explicit aead_key(keys key) noexcept : key_{std::move(key)} {}

    [[nodiscard]] const detail::native_gcm* native() const noexcept {
      const checked* const key = key_.first();
      return key != nullptr ? &key->cipher() : nullptr;
    }

    keys key_;
  };

  class ctr_key {
   public:
    [[nodiscard]] static result<ctr_key> make(ctr_id id, byte_view raw) {
      CONCLAVE_TRY(auto made, keys::make(detail::native_ctr::supports(id), id, raw));
      return ctr_key(std::move(made));
    }
    [[nodiscard]] status xor_keystream(byte_view counter, byte_view in, byte_span out) {
      return key_.with([&](auto& key) { return key.xor_keystream(counter, in, out); });
    }

    /// xor_keystream_many(jobs): see crypto/batch.hpp.
    static void xor_keystream_many(std::span<ctr_job<ctr_key>> jobs) {
      for (; jobs.size() > detail::native_batch; jobs = jobs.subspan(detail::native_batch))
        xor_keystream_many(jobs.first(detail::native_batch));
      detail::stack_vector<simd::ctr_job, detail::native_batch> work;
      const simd::aes_kernels* kernels = nullptr;
      for (const auto& j : jobs) {
        const detail::native_ctr* const c = j.key->native();
        if (c == nullptr || (!work.empty() && c->kernels() != kernels) || !checked::check(j.counter, j.in, j.out) ||
            j.in.size() > detail::native_ctr::bytes_before_wrap(j.counter)) {
          for (auto& each : jobs) each.done = each.key->xor_keystream(each.counter, each.in, each.out);
          return;
        }
        kernels = c->kernels();
        work.add(c->work(j.counter, j.in, j.out));
      }
      if (!jobs.empty()) kernels->ctr(work.begin(), jobs.size());
      for (auto& j : jobs) j.done = {};
    }

   private:
    using checked = detail::checked_ctr<detail::native_ctr>;
    using keys = detail::either<checked, typename Library::ctr_key>;
    explicit ctr_key(keys key) noexcept : key_{std::move(key)} {}

    [[nodiscard]] const detail::native_ctr* native() const noexcept {
      const checked* const key = key_.first();
      return key != nullptr ? &key->cipher() : nullptr;
    }

    keys key_;
  };
};

}  // namespace conclave
