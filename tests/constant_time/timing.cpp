// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Does it take the same time whatever the secret is? Each operation runs on inputs of two classes in random order; Welch's
/// t-test says whether the times of both have the same mean (the method of Reparaz, Balasch and Verbauwhede, 2017). It sees
/// what the machine does, which valgrind and MemorySanitizer cannot, but proves nothing: `./dev timing` runs it, no test
/// does. A comparison that ends at the first difference is among the operations, and has to be found.
#include <conclave/crypto/native_hash.hpp>
#include <conclave/detail/ct.hpp>
#include <conclave/otp/totp.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <random>

namespace {

using namespace conclave;

constexpr std::size_t measurements = 200'000;
constexpr double suspicious = 10;  // |t|; 4.5 would be enough on a machine that does nothing else

std::mt19937_64 random_bits{20260101};  // NOLINT: the same inputs every time

void fill(byte_span out) {
  for (std::uint8_t& b : out) b = static_cast<std::uint8_t>(random_bits());
}

[[nodiscard]] std::uint64_t ticks() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_lfence();
  const std::uint64_t out = __builtin_ia32_rdtsc();
  __builtin_ia32_lfence();
  return out;
#else
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

/// welch: mean and variance of two classes as they come in.
struct welch {
  double n[2] = {}, mean[2] = {}, squares[2] = {};

  void add(bool which, double x) noexcept {
    const double delta = x - mean[which];
    n[which] += 1;
    mean[which] += delta / n[which];
    squares[which] += delta * (x - mean[which]);
  }
  [[nodiscard]] double t() const noexcept {
    if (n[0] < 100 || n[1] < 100) return 0;
    const double spread = squares[0] / (n[0] - 1) / n[0] + squares[1] / (n[1] - 1) / n[1];
    return spread > 0 ? std::abs(mean[0] - mean[1]) / std::sqrt(spread) : 0;
  }
};

/// operation: prepare(class, input) fills in what run(input) works on.
struct operation {
  const char* name;
  std::size_t input_size;
  std::size_t count;
  std::function<void(bool, byte_span)> prepare;
  std::function<void(byte_span)> run;
};

/// measure(o): the largest |t| over several ways to leave out the slowest measurements, which interrupts made slow.
[[nodiscard]] double measure(const operation& o) {
  constexpr std::size_t batch = 256;
  std::vector<std::uint8_t> inputs(batch * o.input_size);
  std::array<bool, batch> classes{};
  std::vector<std::pair<std::uint64_t, bool>> times;
  times.reserve(o.count);
  while (times.size() < o.count) {
    for (std::size_t i = 0; i < batch; ++i) {
      classes[i] = (random_bits() & 1U) != 0;
      o.prepare(classes[i], byte_span{inputs}.subspan(i * o.input_size, o.input_size));
    }
    for (std::size_t i = 0; i < batch; ++i) {
      const byte_span input = byte_span{inputs}.subspan(i * o.input_size, o.input_size);
      const std::uint64_t begin = ticks();
      o.run(input);
      times.emplace_back(ticks() - begin, classes[i]);
    }
  }
  times.erase(times.begin(), times.begin() + batch);  // caches and predictors are warm now
  std::vector<std::uint64_t> sorted;
  sorted.reserve(times.size());
  for (const auto& [time, which] : times) sorted.push_back(time);
  std::ranges::sort(sorted);
  double worst = 0;
  for (const double part : {0.5, 0.75, 0.9, 0.95, 0.99, 1.0}) {
    const std::uint64_t limit = sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
    welch test;
    for (const auto& [time, which] : times)
      if (time <= limit) test.add(which, static_cast<double>(time));
    worst = std::max(worst, test.t());
  }
  return worst;
}

volatile bool sink;

/// What must not be done, and must be found here.
[[nodiscard, gnu::noinline]] bool leaky_equal(byte_view a, byte_view b) noexcept {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i]) return false;
  return true;
}

/// Sixteen tags one after the other: the right one, or one that is wrong from the first byte on.
operation tags(const char* name, bool (*equal)(byte_view, byte_view)) {
  static constexpr std::array<std::uint8_t, 16> right{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  return {name, 256, measurements,
          [](bool fixed, byte_span in) {
            fill(in);
            for (std::size_t i = 0; fixed && i < in.size(); ++i) in[i] = right[i % 16];
          },
          [equal](byte_span in) {
            bool all = true;
            for (std::size_t i = 0; i < in.size(); i += 16) all = equal(in.subspan(i, 16), right) && all;
            sink = all;
          }};
}
bool leaky_tags(byte_view a, byte_view b) { return leaky_equal(a, b); }
bool our_tags(byte_view a, byte_view b) { return detail::ct_equal(a, b); }

std::vector<operation> operations() {
  std::vector<operation> out;
  out.push_back(tags("tag comparison", our_tags));
  out.push_back({"one-time code comparison", 12, measurements,
                 [](bool fixed, byte_span in) {
                   fill(in);
                   if (fixed) std::ranges::fill(in, std::uint8_t{7});  // every candidate is the code that was given
                 },
                 [](byte_span in) {
                   std::array<otp::detail::candidate, 3> c;
                   for (std::size_t i = 0; i < 3; ++i) c[i] = {i + 9, load_be<std::uint32_t>(in.subspan(i * 4))};
                   std::uint64_t found = 0;
                   for (int i = 0; i < 16; ++i) found += otp::detail::compare(c, 0x07070707, 9).found;
                   sink = found != 0;
                 }});
  for (const simd::aes_kernels* const kernels : simd::all<simd::aes_kernels>()) {
    if (!simd::cpu_can_run(kernels->needs)) continue;
    out.push_back({kernels->name, 16 + 1024, measurements / 2,
                   [](bool fixed, byte_span in) {
                     fill(in);
                     if (fixed) std::ranges::fill(in, std::uint8_t{0});  // key and plaintext
                   },
                   [kernels](byte_span in) {
                     simd::gcm_key key;
                     kernels->make_gcm(in.data(), 16, &key);
                     std::array<std::uint8_t, 12> nonce{};
                     std::array<std::uint8_t, 1024 + 16> sealed;
                     const simd::gcm_seal_job job{{&key, nonce.data(), nullptr, 0, in.data() + 16, sealed.data(), 1024},
                                                  sealed.data() + 1024};
                     kernels->gcm_seal(&job, 1);
                     sink = sealed[1024] == 0;
                   }});
  }
  for (const simd::hash_kernels* const kernels : simd::all<simd::hash_kernels>()) {
    if (!simd::cpu_can_run(kernels->needs)) continue;
    out.push_back({kernels->name, 32 + 256, measurements / 2,
                   [](bool fixed, byte_span in) {
                     fill(in);
                     if (fixed) std::ranges::fill(in, std::uint8_t{0});
                   },
                   [kernels](byte_span in) {
                     const detail::sha256_hmac key(*kernels, in.first(32));
                     std::array<std::uint8_t, 32> mac;
                     key.mac(std::array{byte_view{in.subspan(32)}}, mac);
                     sink = mac[0] == 0;
                   }});
  }
  for (const simd::curve_kernels* const kernels : simd::all<simd::curve_kernels>()) {
    if (!simd::cpu_can_run(kernels->needs)) continue;
    out.push_back({kernels->name, 32, measurements / 20,
                   [](bool fixed, byte_span in) {
                     fill(in);
                     if (fixed) std::ranges::fill(in, std::uint8_t{0});
                   },
                   [kernels](byte_span in) {
                     static constexpr std::array<std::uint8_t, 32> base{9};
                     std::array<std::uint8_t, 32> product;
                     simd::x25519_job job{in.data(), base.data(), product.data(), false};
                     kernels->x25519(&job, 1);
                     sink = product[0] == 0;
                   }});
  }
  return out;
}

}  // namespace

int main() {
  int bad = 0;
  const double planted = measure(tags("", leaky_tags));
  std::printf("%-28s |t| = %8.1f  %s\n", "a comparison that leaks", planted,
              planted > suspicious ? "found" : "NOT FOUND");
  if (planted <= suspicious) ++bad;
  for (const operation& o : operations()) {
    // chance and a busy machine do not repeat themselves
    double least = measure(o);
    for (int again = 0; again < 2 && least > suspicious; ++again) least = std::min(least, measure(o));
    std::printf("%-28s |t| = %8.1f  %s\n", o.name, least,
                least > suspicious ? "DEPENDS ON THE SECRET" : "no difference");
    if (least > suspicious) ++bad;
  }
  return bad == 0 ? 0 : 1;
}
