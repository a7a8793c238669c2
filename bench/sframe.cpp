// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Frames: seal/<suite>/<bytes>/<impl> and open/<suite>/<bytes>/<impl>, and of several senders at once
/// seal_batch/<suite>/<bytes>x<frames>/<impl> and open_batch/..., where the time is that of one frame. Each implementation
/// seals under cached keys with a fresh nonce per frame and the header as additional data; all but conclave's are the bare
/// AEAD of a library, with a header of fixed size and without keys to look up or replays to watch for. For the compound
/// suites that is AES-CTR and an HMAC whose pads are hashed already. conclave:<kernel> has one AES kernel forced.
#include "allocations.hpp"

#include <conclave/crypto/provider.hpp>
#include <conclave/sframe/opener.hpp>
#include <conclave/sframe/sealer.hpp>

#include <benchmark/benchmark.h>

#if CONCLAVE_WITH_OPENSSL
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#endif

#include <string>

namespace {

using namespace conclave;

constexpr std::size_t header_bytes = 5;  // what conclave's take here: a KID of two bytes and a CTR of two

[[nodiscard]] sframe::cipher_suite id(int suite) { return static_cast<sframe::cipher_suite>(suite); }
[[nodiscard]] std::size_t key_bytes(int suite) { return suite == 4 ? 16 : 32; }
[[nodiscard]] bool compound(int suite) { return suite != 4 && suite != 5; }

/// What the raw implementations share: a nonce and a header that hold the number of the frame.
struct numbered {
  std::array<std::uint8_t, 12> nonce{};
  std::array<std::uint8_t, header_bytes> header{};

  explicit numbered(std::uint64_t frame) {
    store_be(frame, byte_span{nonce}.subspan(4));
    store_be(static_cast<std::uint32_t>(frame), header);
  }
};

class conclave_frames {
 public:
  static constexpr const char* name = "conclave";
  [[nodiscard]] static bool serves(int suite) {
    return default_provider::ready() && sframe::supports<default_provider>(id(suite));
  }

  explicit conclave_frames(int suite, std::uint64_t leaf = 3)
      : mic_{*sframe::sealer<default_provider>::make(id(suite), leaf * 0x100 + 7, base(), 0x100)},
        ear_{*sframe::opener<default_provider>::make(limits::sframe_epoch_bits)} {
    if (!ear_.add_epoch({7, id(suite), 32, 0}, base())) std::abort();
  }
  [[nodiscard]] std::size_t seal(byte_view plaintext, byte_span out) { return mic_.seal(plaintext, {}, out)->size(); }
  [[nodiscard]] bool open(byte_view frame, byte_span out) {
    return ear_.open(frame, {}, out, steady_time{0}).has_value();
  }

  [[nodiscard]] sframe::sealer<default_provider>& mic() { return mic_; }
  [[nodiscard]] sframe::opener<default_provider>& ear() { return ear_; }

 private:
  [[nodiscard]] static sframe::base_key base() { return sframe::base_key(16); }

  sframe::sealer<default_provider> mic_;
  sframe::opener<default_provider> ear_;
};

#if CONCLAVE_WITH_OPENSSL
class openssl_frames {
 public:
  static constexpr const char* name = "openssl";
  [[nodiscard]] static bool serves(int suite) { return !compound(suite); }

  explicit openssl_frames(int suite) {
    const bytes key(key_bytes(suite));
    const EVP_CIPHER* const cipher = suite == 4 ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
    EVP_EncryptInit_ex(seal_.get(), cipher, nullptr, key.data(), nullptr);
    EVP_DecryptInit_ex(open_.get(), cipher, nullptr, key.data(), nullptr);
  }
  [[nodiscard]] std::size_t seal(byte_view plaintext, byte_span out) {
    const numbered frame(next_++);
    EVP_CIPHER_CTX* const c = seal_.get();
    std::ranges::copy(frame.header, out.begin());
    std::uint8_t* const body = out.data() + header_bytes;
    int n = 0;
    EVP_EncryptInit_ex(c, nullptr, nullptr, nullptr, frame.nonce.data());
    EVP_EncryptUpdate(c, nullptr, &n, frame.header.data(), header_bytes);
    EVP_EncryptUpdate(c, body, &n, plaintext.data(), static_cast<int>(plaintext.size()));
    EVP_EncryptFinal_ex(c, body + n, &n);
    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, body + plaintext.size());
    return header_bytes + plaintext.size() + 16;
  }
  [[nodiscard]] bool open(byte_view sealed, byte_span out) {
    const numbered frame(load_be<std::uint32_t>(sealed));
    EVP_CIPHER_CTX* const c = open_.get();
    const std::size_t size = sealed.size() - header_bytes - 16;
    int n = 0;
    EVP_DecryptInit_ex(c, nullptr, nullptr, nullptr, frame.nonce.data());
    EVP_DecryptUpdate(c, nullptr, &n, sealed.data(), header_bytes);
    EVP_DecryptUpdate(c, out.data(), &n, sealed.data() + header_bytes, static_cast<int>(size));
    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, 16, const_cast<std::uint8_t*>(sealed.data() + header_bytes + size));
    return EVP_DecryptFinal_ex(c, out.data() + size, &n) == 1;
  }

 private:
  struct deleter {
    void operator()(EVP_CIPHER_CTX* c) const { EVP_CIPHER_CTX_free(c); }
  };
  std::unique_ptr<EVP_CIPHER_CTX, deleter> seal_{EVP_CIPHER_CTX_new()};
  std::unique_ptr<EVP_CIPHER_CTX, deleter> open_{EVP_CIPHER_CTX_new()};
  std::uint64_t next_ = 0x100;
};

/// AES-CTR and HMAC, each in a context that is keyed once.
class openssl_pair {
 public:
  static constexpr const char* name = "openssl";
  [[nodiscard]] static bool serves(int suite) { return compound(suite); }

  explicit openssl_pair(int suite) : suite_{*sframe::parameters(id(suite))} {
    const bytes key(suite_.Nk);
    EVP_EncryptInit_ex(ctr_.get(), suite < 4 ? EVP_aes_128_ctr() : EVP_aes_256_ctr(), nullptr, key.data(), nullptr);
    char hash[] = "SHA256", longer[] = "SHA512";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, suite < 4 ? hash : longer, 0),
                                 OSSL_PARAM_construct_end()};
    EVP_MAC_init(mac_.get(), key.data() + suite_.Nka, suite_.Nh, params);
  }
  [[nodiscard]] std::size_t seal(byte_view plaintext, byte_span out) {
    const numbered frame(next_++);
    std::ranges::copy(frame.header, out.begin());
    const byte_span body = out.subspan(header_bytes, plaintext.size());
    crypt(frame, plaintext, body);
    std::ranges::copy(tag(frame, body).first(suite_.Nt), out.subspan(header_bytes + body.size()).begin());
    return header_bytes + body.size() + suite_.Nt;
  }
  [[nodiscard]] bool open(byte_view sealed, byte_span out) {
    const numbered frame(load_be<std::uint32_t>(sealed));
    const byte_view body = sealed.subspan(header_bytes, sealed.size() - header_bytes - suite_.Nt);
    if (CRYPTO_memcmp(tag(frame, body).data(), sealed.last(suite_.Nt).data(), suite_.Nt) != 0) return false;
    crypt(frame, body, out);
    return true;
  }

 private:
  void crypt(const numbered& frame, byte_view in, byte_span out) {
    std::array<std::uint8_t, 16> counter{};
    std::ranges::copy(frame.nonce, counter.begin());
    int n = 0;
    EVP_EncryptInit_ex(ctr_.get(), nullptr, nullptr, nullptr, counter.data());
    EVP_EncryptUpdate(ctr_.get(), out.data(), &n, in.data(), static_cast<int>(in.size()));
  }
  [[nodiscard]] byte_view tag(const numbered& frame, byte_view body) {
    std::array<std::uint8_t, 36> lengths{};
    store_be(std::uint64_t{header_bytes}, lengths);
    store_be(std::uint64_t{body.size()}, byte_span{lengths}.subspan(8));
    store_be(std::uint64_t{suite_.Nt}, byte_span{lengths}.subspan(16));
    std::ranges::copy(frame.nonce, lengths.begin() + 24);
    std::size_t size = 0;
    EVP_MAC_init(mac_.get(), nullptr, 0, nullptr);
    EVP_MAC_update(mac_.get(), lengths.data(), lengths.size());
    EVP_MAC_update(mac_.get(), frame.header.data(), frame.header.size());
    EVP_MAC_update(mac_.get(), body.data(), body.size());
    EVP_MAC_final(mac_.get(), tag_.data(), &size, tag_.size());
    return tag_;
  }

  struct deleter {
    void operator()(EVP_CIPHER_CTX* c) const { EVP_CIPHER_CTX_free(c); }
    void operator()(EVP_MAC* m) const { EVP_MAC_free(m); }
    void operator()(EVP_MAC_CTX* c) const { EVP_MAC_CTX_free(c); }
  };
  sframe::suite_parameters suite_;
  std::unique_ptr<EVP_CIPHER_CTX, deleter> ctr_{EVP_CIPHER_CTX_new()};
  std::unique_ptr<EVP_MAC, deleter> hmac_{EVP_MAC_fetch(nullptr, "HMAC", nullptr)};
  std::unique_ptr<EVP_MAC_CTX, deleter> mac_{EVP_MAC_CTX_new(hmac_.get())};
  std::array<std::uint8_t, 64> tag_;
  std::uint64_t next_ = 0x100;
};
#endif

#if CONCLAVE_WITH_BOTAN
class botan_frames {
 public:
  static constexpr const char* name = "botan";
  [[nodiscard]] static bool serves(int suite) { return !compound(suite); }

  explicit botan_frames(int suite) : seal_{mode(suite, true)}, open_{mode(suite, false)} {
    const bytes key(key_bytes(suite));
    seal_->set_key(key.data(), key.size());
    open_->set_key(key.data(), key.size());
  }
  [[nodiscard]] std::size_t seal(byte_view plaintext, byte_span out) {
    const numbered frame(next_++);
    std::ranges::copy(frame.header, out.begin());
    run(*seal_, frame, plaintext, out.subspan(header_bytes));
    return header_bytes + plaintext.size() + 16;
  }
  [[nodiscard]] bool open(byte_view sealed, byte_span out) {
    run(*open_, numbered(load_be<std::uint32_t>(sealed)), sealed.subspan(header_bytes), out);
    return true;  // or Botan has thrown
  }

 private:
  [[nodiscard]] static std::unique_ptr<Botan::AEAD_Mode> mode(int suite, bool encrypt) {
#if BOTAN_VERSION_MAJOR >= 3
    const auto direction = encrypt ? Botan::Cipher_Dir::Encryption : Botan::Cipher_Dir::Decryption;
#else
    const auto direction = encrypt ? Botan::ENCRYPTION : Botan::DECRYPTION;
#endif
    return Botan::AEAD_Mode::create_or_throw(suite == 4 ? "AES-128/GCM" : "AES-256/GCM", direction);
  }
  void run(Botan::AEAD_Mode& mode, const numbered& frame, byte_view in, byte_span out) {
    mode.set_associated_data(frame.header.data(), frame.header.size());
    mode.start(frame.nonce.data(), frame.nonce.size());
    buffer_.assign(in.begin(), in.end());
    mode.finish(buffer_);
    std::ranges::copy(buffer_, out.begin());
  }

  std::unique_ptr<Botan::AEAD_Mode> seal_, open_;
  Botan::secure_vector<std::uint8_t> buffer_;
  std::uint64_t next_ = 0x100;
};
#endif

class sodium_frames {
 public:
  static constexpr const char* name = "sodium";
  [[nodiscard]] static bool serves(int suite) {
    return suite == 5 && sodium_init() >= 0 && crypto_aead_aes256gcm_is_available() == 1;
  }

  explicit sodium_frames(int suite) {
    const bytes key(key_bytes(suite));
    crypto_aead_aes256gcm_beforenm(&key_, key.data());
  }
  [[nodiscard]] std::size_t seal(byte_view plaintext, byte_span out) {
    const numbered frame(next_++);
    std::ranges::copy(frame.header, out.begin());
    crypto_aead_aes256gcm_encrypt_afternm(out.data() + header_bytes, nullptr, plaintext.data(), plaintext.size(),
                                          frame.header.data(), header_bytes, nullptr, frame.nonce.data(), &key_);
    return header_bytes + plaintext.size() + 16;
  }
  [[nodiscard]] bool open(byte_view sealed, byte_span out) {
    const numbered frame(load_be<std::uint32_t>(sealed));
    return crypto_aead_aes256gcm_decrypt_afternm(out.data(), nullptr, nullptr, sealed.data() + header_bytes,
                                                 sealed.size() - header_bytes, sealed.data(), header_bytes,
                                                 frame.nonce.data(), &key_) == 0;
  }

 private:
  crypto_aead_aes256gcm_state key_;
  std::uint64_t next_ = 0x100;
};

template <class Frames>
void seal(benchmark::State& state, int suite, std::size_t size) {
  Frames frames(suite);
  const bytes plaintext(size, 0x5a);
  bytes out(sframe::sealed_size(size));
  std::size_t written = frames.seal(plaintext, out);
  const std::uint64_t before = conclave_bench::allocations();
  for (auto _ : state) {
    written += frames.seal(plaintext, out);
    benchmark::ClobberMemory();
  }
  conclave_bench::report_allocations(state, conclave_bench::allocations() - before);
  benchmark::DoNotOptimize(written);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
}

/// A frame opens once, so a ring of them, small enough for the second-level cache, is sealed anew while the clock
/// stands.
template <class Frames>
void open(benchmark::State& state, int suite, std::size_t size) {
  const std::size_t ring = std::min<std::size_t>(256, (std::size_t{1} << 19U) / size);
  Frames frames(suite);
  const bytes plaintext(size, 0x5a);
  bytes out(size);
  std::vector<bytes> sealed(ring, bytes(sframe::sealed_size(size)));
  std::vector<byte_view> views(ring);
  std::uint64_t count = 0;
  bool good = frames.open(byte_view{sealed[0]}.first(frames.seal(plaintext, sealed[0])), out);
  while (state.KeepRunningBatch(static_cast<std::int64_t>(ring))) {
    state.PauseTiming();
    for (std::size_t i = 0; i < ring; ++i) views[i] = byte_view{sealed[i]}.first(frames.seal(plaintext, sealed[i]));
    const std::uint64_t before = conclave_bench::allocations();
    state.ResumeTiming();
    for (const byte_view frame : views) {
      good &= frames.open(frame, out);
      benchmark::ClobberMemory();
    }
    count += conclave_bench::allocations() - before;
  }
  if (!good || out != plaintext) state.SkipWithError("a frame did not open");
  conclave_bench::report_allocations(state, count);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
}

/// Frames of as many senders, all under different keys: a gateway.
void seal_batch(benchmark::State& state, int suite, std::size_t size, std::size_t frames) {
  std::vector<conclave_frames> senders;
  for (std::size_t i = 0; i < frames; ++i) senders.emplace_back(suite, i + 1);
  const bytes plaintext(size, 0x5a);
  std::vector<bytes> outs(frames, bytes(sframe::sealed_size(size)));
  std::vector<sframe::seal_request<default_provider>> requests;
  for (std::size_t i = 0; i < frames; ++i) requests.push_back({&senders[i].mic(), plaintext, {}, outs[i]});
  bool good = true;
  const std::uint64_t before = conclave_bench::allocations();
  while (state.KeepRunningBatch(static_cast<std::int64_t>(frames))) {
    sframe::seal_many(std::span{requests});
    good &= requests[0].frame.has_value();
    benchmark::ClobberMemory();
  }
  if (!good) state.SkipWithError("a frame was not sealed");
  conclave_bench::report_allocations(state, conclave_bench::allocations() - before);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
}

/// One frame of each of as many speakers: a receiver.
void open_batch(benchmark::State& state, int suite, std::size_t size, std::size_t frames) {
  constexpr std::size_t rounds = 16;
  std::vector<conclave_frames> senders;
  for (std::size_t i = 0; i < frames; ++i) senders.emplace_back(suite, i + 1);
  auto& ear = senders[0].ear();
  const bytes plaintext(size, 0x5a);
  std::vector<bytes> sealed(rounds * frames, bytes(sframe::sealed_size(size))), outs(frames, bytes(size));
  std::vector<sframe::open_request> requests(sealed.size());
  const auto seal_all = [&] {
    for (std::size_t i = 0; i < sealed.size(); ++i) {
      const byte_view frame = byte_view{sealed[i]}.first(senders[i % frames].seal(plaintext, sealed[i]));
      requests[i] = {frame, {}, outs[i % frames]};
    }
  };
  bool good = true;
  seal_all();
  ear.open_many(requests, {});
  std::uint64_t count = 0;
  while (state.KeepRunningBatch(static_cast<std::int64_t>(sealed.size()))) {
    state.PauseTiming();
    for (const auto& r : requests) good &= r.got.has_value();
    seal_all();
    const std::uint64_t before = conclave_bench::allocations();
    state.ResumeTiming();
    for (std::size_t i = 0; i < rounds; ++i) ear.open_many(std::span{requests}.subspan(i * frames, frames), {});
    benchmark::ClobberMemory();
    count += conclave_bench::allocations() - before;
  }
  for (const auto& r : requests) good &= r.got.has_value();
  if (!good) state.SkipWithError("a frame did not open");
  conclave_bench::report_allocations(state, count);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
}

/// The same senders, one after the other.
template <class Frames>
void seal_in_turn(benchmark::State& state, int suite, std::size_t size, std::size_t frames) {
  std::vector<Frames> senders;
  for (std::size_t i = 0; i < frames; ++i) senders.emplace_back(suite);
  const bytes plaintext(size, 0x5a);
  std::vector<bytes> outs(frames, bytes(sframe::sealed_size(size)));
  std::size_t written = 0;
  while (state.KeepRunningBatch(static_cast<std::int64_t>(frames))) {
    for (std::size_t i = 0; i < frames; ++i) written += senders[i].seal(plaintext, outs[i]);
    benchmark::ClobberMemory();
  }
  benchmark::DoNotOptimize(written);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
}

/// register_kernels: conclave once more with each AES kernel that runs here, as conclave:<kernel>.
void register_kernels(int suite, std::size_t size) {
  if (!conclave_frames::serves(suite)) return;
  for (const simd::aes_kernels* const table : simd::all<simd::aes_kernels>()) {
    if (!simd::cpu_can_run(table->needs)) continue;
    std::string rest = "/";
    rest.append(std::to_string(suite))
        .append("/")
        .append(std::to_string(size))
        .append("/conclave:")
        .append(table->name);
    const auto with_kernel = [table, suite, size](auto run) {
      return [table, suite, size, run](benchmark::State& state) {
        simd::force(table->name);
        run(state, suite, size);
        simd::force("best");
      };
    };
    benchmark::RegisterBenchmark(("seal" + rest).c_str(), with_kernel(seal<conclave_frames>));
    benchmark::RegisterBenchmark(("open" + rest).c_str(), with_kernel(open<conclave_frames>));
  }
}

template <class... Frames>
bool register_all() {
  for (int suite = 1; suite <= 8; ++suite) {
    for (const std::size_t size : {160U, 1200U, 16384U}) {
      const auto add = [&]<class F>(F*) {
        if (!F::serves(suite)) return;
        std::string rest = "/";
        rest.append(std::to_string(suite)).append("/").append(std::to_string(size)).append("/").append(F::name);
        benchmark::RegisterBenchmark(("seal" + rest).c_str(), seal<F>, suite, size);
        benchmark::RegisterBenchmark(("open" + rest).c_str(), open<F>, suite, size);
      };
      (add(static_cast<Frames*>(nullptr)), ...);
      if (!compound(suite)) register_kernels(suite, size);
    }
    for (const std::size_t size : {160U, 1200U}) {
      constexpr std::size_t frames = 16;
      std::string rest = "/";
      rest.append(std::to_string(suite)).append("/").append(std::to_string(size)).append("x");
      rest.append(std::to_string(frames)).append("/");
      if (conclave_frames::serves(suite)) {
        benchmark::RegisterBenchmark(("seal_batch" + rest + "conclave").c_str(), seal_batch, suite, size, frames);
        benchmark::RegisterBenchmark(("open_batch" + rest + "conclave").c_str(), open_batch, suite, size, frames);
      }
#if CONCLAVE_WITH_OPENSSL
      const auto raw = compound(suite) ? seal_in_turn<openssl_pair> : seal_in_turn<openssl_frames>;
      benchmark::RegisterBenchmark(("seal_batch" + rest + "openssl").c_str(), raw, suite, size, frames);
#endif
    }
  }
  return true;
}

[[maybe_unused]] const bool registered = register_all<conclave_frames
#if CONCLAVE_WITH_OPENSSL
                                                      ,
                                                      openssl_frames, openssl_pair
#endif
#if CONCLAVE_WITH_BOTAN
                                                      ,
                                                      botan_frames
#endif
                                                      ,
                                                      sodium_frames>();

}  // namespace
