// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Frames: seal/<suite>/<bytes>/<impl> and open/<suite>/<bytes>/<impl>. Each implementation seals under one cached key
/// with a fresh nonce per frame and the header as additional data; all but conclave's are the bare AEAD of a library,
/// with a header of fixed size and without keys to look up or replays to watch for.
#include "allocations.hpp"

#include <conclave/crypto/provider.hpp>
#include <conclave/sframe/opener.hpp>
#include <conclave/sframe/sealer.hpp>

#include <benchmark/benchmark.h>

#include <string>

namespace {

using namespace conclave;

constexpr std::size_t header_bytes = 5;  // what conclave's take here: a KID of two bytes and a CTR of two

[[nodiscard]] std::size_t key_bytes(int suite) { return suite == 4 ? 16 : 32; }

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

  explicit conclave_frames(int suite)
      : mic_{*sframe::sealer<default_provider>::make(id(suite), kid, base(), 0x100)},
        ear_{*sframe::opener<default_provider>::make(limits::sframe_epoch_bits)} {
    if (!ear_.add_epoch({7, id(suite), 16, 0}, base())) std::abort();
  }
  [[nodiscard]] std::size_t seal(byte_view plaintext, byte_span out) { return mic_.seal(plaintext, {}, out)->size(); }
  [[nodiscard]] bool open(byte_view frame, byte_span out) {
    return ear_.open(frame, {}, out, steady_time{0}).has_value();
  }

 private:
  static constexpr std::uint64_t kid = 0x307;  // epoch 7, leaf 3
  [[nodiscard]] static sframe::cipher_suite id(int suite) { return static_cast<sframe::cipher_suite>(suite); }
  [[nodiscard]] static sframe::base_key base() { return sframe::base_key(16); }

  sframe::sealer<default_provider> mic_;
  sframe::opener<default_provider> ear_;
};

#if CONCLAVE_WITH_OPENSSL
class openssl_frames {
 public:
  static constexpr const char* name = "openssl";
  [[nodiscard]] static bool serves(int) { return true; }

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
#endif

#if CONCLAVE_WITH_BOTAN
class botan_frames {
 public:
  static constexpr const char* name = "botan";
  [[nodiscard]] static bool serves(int) { return true; }

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

template <class... Frames>
bool register_all() {
  for (const int suite : {4, 5}) {
    for (const std::size_t size : {160U, 1200U, 16384U}) {
      const auto add = [&]<class F>(F*) {
        if (!F::serves(suite)) return;
        std::string rest = "/";
        rest.append(std::to_string(suite)).append("/").append(std::to_string(size)).append("/").append(F::name);
        benchmark::RegisterBenchmark(("seal" + rest).c_str(), seal<F>, suite, size);
        benchmark::RegisterBenchmark(("open" + rest).c_str(), open<F>, suite, size);
      };
      (add(static_cast<Frames*>(nullptr)), ...);
    }
  }
  return true;
}

[[maybe_unused]] const bool registered = register_all<conclave_frames
#if CONCLAVE_WITH_OPENSSL
                                                      ,
                                                      openssl_frames
#endif
#if CONCLAVE_WITH_BOTAN
                                                      ,
                                                      botan_frames
#endif
                                                      ,
                                                      sodium_frames>();

}  // namespace
