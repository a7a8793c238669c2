// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// X25519 and Ed25519 on the kernels of simd/, where several operations are at hand.
#pragma once

#include <conclave/crypto/batch.hpp>
#include <conclave/crypto/signature.hpp>
#include <conclave/simd/dispatch.hpp>

#include <algorithm>

namespace conclave::inline CONCLAVE_ABI {
namespace detail {

/// curve_batch: how many operations go to a kernel in one call.
inline constexpr std::size_t curve_batch = 128;

/// worthwhile(lanes, from, jobs): how many of the next jobs a kernel does faster than a library, which would take less time
/// for fewer than `from` of them than a kernel for all its lanes.
[[nodiscard]] inline std::size_t worthwhile(std::size_t lanes, std::size_t from, std::size_t jobs) noexcept {
  const std::size_t n = std::min(jobs, curve_batch), rest = n % lanes;
  return rest < from ? n - rest : n;
}

/// long_message: bytes from which on a signed message goes to the library. All lanes hash as many blocks as the longest
/// of their messages has, which a commit of megabytes beside a leaf makes slower than one stream.
inline constexpr std::size_t long_message = 65536;

}  // namespace detail

/// native_curves<Library>: the crypto_provider Library with verify_many, dh_many and dh_public_key_many on the kernels
/// where the CPU has them; key pairs of X25519 come from there in any number. Library verifies Ed25519 by the rule of
/// simd/ed25519.hpp, which is libsodium's: every item has the outcome that Library gives it alone.
template <crypto_provider Library>
struct native_curves : Library {
  /// verify_many(scheme, items): success where every signature verifies, else unauthentic; unsupported.
  [[nodiscard]] static status verify_many(signature_scheme scheme, std::span<const signed_item> items) {
    const auto* const kernels = scheme == signature_scheme::ed25519 && Library::supports(scheme)
                                    ? simd::current<simd::curve_kernels>()
                                    : nullptr;
    while (!items.empty()) {
      const auto next = items.first(std::min(items.size(), detail::curve_batch));
      const auto is_long = [](const signed_item& item) { return item.message.size() >= detail::long_message; };
      const auto in_lanes = static_cast<std::size_t>(std::ranges::find_if(next, is_long) - next.begin());
      const std::size_t n = kernels == nullptr ? 0 : detail::worthwhile(kernels->lanes, kernels->verify_from, in_lanes);
      if (n == 0) {
        const signed_item& one = items.front();
        CONCLAVE_CHECK(Library::verify(scheme, one.public_key, one.message, one.signature));
        items = items.subspan(1);
        continue;
      }
      std::array<simd::ed25519_job, detail::curve_batch> jobs;
      for (std::size_t i = 0; i < n; ++i) {
        const signed_item& item = items[i];
        if (item.public_key.size() != 32 || item.signature.size() != 64) return errc::unauthentic;
        jobs[i] = {item.public_key.data(), item.signature.data(), item.message.data(), item.message.size(), false};
      }
      kernels->ed25519_verify(jobs.data(), n);
      for (std::size_t i = 0; i < n; ++i)
        if (!jobs[i].good) return errc::unauthentic;
      items = items.subspan(n);
    }
    return {};
  }

  /// dh_many(kem, jobs), dh_public_key_many(kem, jobs): see crypto/batch.hpp.
  static void dh_many(kem_id kem, std::span<dh_job> jobs) {
    const auto* const kernels = serves(kem);
    for (std::size_t n = 0; !jobs.empty(); jobs = jobs.subspan(n)) {
      n = kernels == nullptr ? 0 : detail::worthwhile(kernels->lanes, kernels->x25519_from, jobs.size());
      if (n == 0 || !std::ranges::all_of(jobs.first(n), is_x25519)) {
        dh_job& j = jobs.front();
        j.done = Library::dh(kem, j.private_key, j.public_key, j.out);
        n = 1;
        continue;
      }
      std::array<simd::x25519_job, detail::curve_batch> work;
      for (std::size_t i = 0; i < n; ++i)
        work[i] = {jobs[i].private_key.data(), jobs[i].public_key.data(), jobs[i].out.data(), false};
      kernels->x25519(work.data(), n);
      for (std::size_t i = 0; i < n; ++i) jobs[i].done = work[i].good ? status{} : errc::malformed;
    }
  }
  static void dh_public_key_many(kem_id kem, std::span<dh_public_key_job> jobs) {
    const auto* const kernels = serves(kem);
    for (std::size_t n = 0; !jobs.empty(); jobs = jobs.subspan(n)) {
      n = std::min(jobs.size(), detail::curve_batch);
      if (kernels == nullptr || !std::ranges::all_of(jobs.first(n), is_x25519_public)) {
        dh_public_key_job& j = jobs.front();
        j.done = Library::dh_public_key(kem, j.private_key, j.out);
        n = 1;
        continue;
      }
      std::array<simd::x25519_job, detail::curve_batch> work;
      for (std::size_t i = 0; i < n; ++i) work[i] = {jobs[i].private_key.data(), nullptr, jobs[i].out.data(), false};
      kernels->x25519_base(work.data(), n);
      for (std::size_t i = 0; i < n; ++i) jobs[i].done = work[i].good ? status{} : errc::malformed;
    }
  }
  [[nodiscard]] static status dh_public_key(kem_id kem, byte_view sk, byte_span out) {
    dh_public_key_job job{sk, out};
    dh_public_key_many(kem, {&job, 1});
    return job.done;
  }

 private:
  [[nodiscard]] static bool is_x25519(const dh_job& j) noexcept {
    return j.private_key.size() == 32 && j.public_key.size() == 32 && j.out.size() == 32;
  }
  [[nodiscard]] static bool is_x25519_public(const dh_public_key_job& j) noexcept {
    return j.private_key.size() == 32 && j.out.size() == 32;
  }
  [[nodiscard]] static const simd::curve_kernels* serves(kem_id kem) noexcept {
    return kem == kem_id::dhkem_x25519_sha256 && Library::supports(kem) ? simd::current<simd::curve_kernels>()
                                                                        : nullptr;
  }
};

}  // namespace conclave
