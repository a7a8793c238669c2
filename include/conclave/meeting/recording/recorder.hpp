// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Writing a sealed recording.
#pragma once

#include <conclave/meeting/recording/file_key.hpp>
#include <conclave/meeting/recording/medium.hpp>

namespace conclave::inline CONCLAVE_ABI::recording {

namespace detail {

/// index_builder: the places of the chunks so far, thinned out by half whenever there are too many.
class index_builder {
 public:
  void add(std::uint64_t offset, std::uint64_t until) {
    if (chunks_ % stride_ == 0) points_.push_back({offset, until});
    if (chunks_++ % stride_ != 0) return;
    if (points_.size() < limits::recording_index_points) return;
    for (std::size_t i = 1; 2 * i < points_.size(); ++i) points_[i] = points_[2 * i];
    points_.resize((points_.size() + 1) / 2);
    stride_ *= 2;
  }
  [[nodiscard]] std::size_t size() const noexcept { return 8 + 16 * points_.size(); }
  void write(basic_writer<secret_bytes>& out) const {
    out.number(stride_);
    for (const index_point& p : points_) wire::write(out, p);
  }

 private:
  std::vector<index_point> points_;
  std::uint64_t chunks_ = 0;
  std::uint64_t stride_ = 1;
};

}  // namespace detail

/// basic_recorder<P>: takes entries and writes them, sealed, to a sink. What it has not sealed yet is in memory only and
/// is lost in a crash; sync() says when everything is safe. A recorder that dies without close() leaves a recording that
/// can be read to its last whole chunk and says that it was cut. Move-only. Threads: one at a time. Lifetime: environment
/// and sink outlive it.
/// After `storage` or `no_entropy` nothing is lost and nothing is taken: what was written stays readable, the entry of
/// that call was not added, and the next call tries again where this one stopped.
template <class P>
class basic_recorder {
  static_assert(recording_provider<P>);

 public:
  /// create(env, to, recipients): a new recording, made out to the holders of these public keys, the recorder's own among
  /// them if it wants to read it. Errors: misuse for no recipient; over_limit for more than
  /// limits::recording_recipients; malformed for a public key that is not valid; no_entropy, storage, unsupported.
  [[nodiscard]] static result<basic_recorder> create(environment& env, sink& to,
                                                     std::span<const byte_view> recipients) {
    if (recipients.empty()) return errc::misuse;
    if (recipients.size() > limits::recording_recipients) return errc::over_limit;
    CONCLAVE_TRY(auto key, file_key<P>::generate(env));
    bytes header;
    header.reserve(header_size(recipients.size()));
    conclave::writer w{header};
    w.raw(as_bytes(magic));
    w.number(version);
    w.raw(key.id());
    w.number(static_cast<std::uint16_t>(recipients.size()));
    for (const byte_view recipient : recipients) {
      CONCLAVE_TRY(const slip sealed, key.wrap(env, recipient));
      w.raw(sealed);
    }
    const header_mac mac = key.mac(header);
    w.raw(mac);
    CONCLAVE_TRY(auto cipher, key.cipher());
    CONCLAVE_CHECK(to.write(0, header));
    return basic_recorder(env, to, std::move(key), std::move(cipher), mac, header.size());
  }

  /// add(e): at the end. Written when the chunk it is in is full, or by flush(), sync() or close(). Errors: over_limit
  /// for a name or data too long; misuse after close(); storage, no_entropy.
  [[nodiscard]] status add(const entry& e) {
    if (stage_ != stage::open) return errc::misuse;
    if (e.name.size() > limits::name_bytes || e.data.size() > limits::frame_bytes) return errc::over_limit;
    const std::size_t size = entry_size(e);
    if (pending_ || buffer_.size() + size > chunk_header_size + limits::recording_chunk_target) CONCLAVE_CHECK(flush());
    buffer_.reserve(std::max(buffer_.size() + size, chunk_framing + limits::recording_chunk_target) + aead_tag_size);
    basic_writer<secret_bytes> w{buffer_};
    wire::write(w, e);
    until_ = std::max(until_, e.time);
    ++entries_;
    return {};
  }

  /// flush(): what is in memory becomes a chunk in the sink. Errors: storage, no_entropy.
  [[nodiscard]] status flush() {
    CONCLAVE_CHECK(write_pending());
    if (buffer_.size() == chunk_header_size) return {};
    return seal_and_write(chunk_kind::entries);
  }

  /// sync(): all that was added is in the sink, and the sink says that it is safe. Errors: storage, no_entropy.
  [[nodiscard]] status sync() {
    CONCLAVE_CHECK(flush());
    return to_->sync();
  }

  /// close(): writes the index and the end, and syncs. After an error it may be called again. Errors: storage,
  /// no_entropy.
  [[nodiscard]] status close() {
    CONCLAVE_CHECK(flush());
    if (stage_ == stage::open) {
      end_.index_offset = offset_;
      end_.entries = entries_;
      CONCLAVE_CHECK(seal_and_write(chunk_kind::index));
    }
    if (stage_ == stage::indexed) CONCLAVE_CHECK(seal_and_write(chunk_kind::end));
    return to_->sync();
  }

  /// key(): to make it out to further persons, with make_key_slip.
  [[nodiscard]] const file_key<P>& key() const noexcept { return key_; }
  [[nodiscard]] std::uint64_t entries() const noexcept { return entries_; }

 private:
  enum class stage : std::uint8_t { open, indexed, closed };

  basic_recorder(environment& env, sink& to, file_key<P> key, typename P::extended_nonce_key cipher,
                 const header_mac& mac, std::uint64_t offset)
      : env_{&env}, to_{&to}, key_{std::move(key)}, cipher_{std::move(cipher)}, mac_{mac}, offset_{offset} {
    buffer_.resize(chunk_header_size);
  }

  // The chunk is sealed once: whatever the sink does, these bytes and no others are written under this nonce. The next
  // stage begins when it is sealed, not when it is written, for write_pending() writes it in any case.
  [[nodiscard]] status seal_and_write(chunk_kind kind) {
    chunk_header head;
    // room first: should memory run out, nothing has changed yet
    buffer_.reserve(buffer_.size() + (kind == chunk_kind::index ? index_.size() : end_size) + aead_tag_size);
    CONCLAVE_CHECK(env_->random(head.random));
    basic_writer<secret_bytes> w{buffer_};
    if (kind == chunk_kind::index) index_.write(w);
    if (kind == chunk_kind::end) wire::write(w, end_);
    head.number = number_;
    head.kind = kind;
    head.until = until_;
    head.size = static_cast<std::uint32_t>(buffer_.size() - chunk_header_size);
    buffer_.resize(buffer_.size() + aead_tag_size);
    head.write(buffer_);
    CONCLAVE_CHECK(seal_chunk(cipher_, mac_, buffer_));
    pending_ = true;
    if (kind == chunk_kind::index) stage_ = stage::indexed;
    if (kind == chunk_kind::end) stage_ = stage::closed;
    return write_pending();
  }

  [[nodiscard]] status write_pending() {
    if (!pending_) return {};
    CONCLAVE_CHECK(to_->write(offset_, buffer_));
    if (stage_ == stage::open) index_.add(offset_, until_);
    offset_ += buffer_.size();
    ++number_;
    buffer_.resize(chunk_header_size);
    pending_ = false;
    return {};
  }

  environment* env_;
  sink* to_;
  file_key<P> key_;
  typename P::extended_nonce_key cipher_;
  header_mac mac_;
  std::uint64_t offset_;      // where the next chunk goes
  std::uint64_t number_ = 0;  // which chunk that is
  std::uint64_t until_ = 0;
  std::uint64_t entries_ = 0;
  detail::index_builder index_;
  end_of_recording end_;
  secret_bytes buffer_;  // room for a chunk header, then entries; or, where `pending_`, a whole sealed chunk
  bool pending_ = false;
  stage stage_ = stage::open;
};

}  // namespace conclave::recording
