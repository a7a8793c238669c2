// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Reading a sealed recording.
#pragma once

#include <conclave/meeting/recording/file_key.hpp>
#include <conclave/meeting/recording/medium.hpp>

#include <optional>

namespace conclave::inline CONCLAVE_ABI::recording {

/// basic_player<P>: gives the entries of a recording in order, from its start or from a time on. It gives nothing that is
/// not authentic, and nothing out of place: what next() has given is at any moment what was recorded, from the start or
/// from where seek() went, without a gap. It holds one chunk in memory. Move-only. Threads: one at a time. Lifetime: the
/// source outlives it, and does not change; what is added to a recording later is not seen.
template <class P>
class basic_player {
  static_assert(recording_provider<P>);

 public:
  /// open(from, who): by a slip in the recording. open(from, who, key_slip): by one that was given later. Errors:
  /// malformed for what is no recording or ends in its header; unsupported for another version; unknown_key where it is
  /// not made out to `who`, or the key slip belongs to another recording; unauthentic where its header was altered;
  /// storage.
  [[nodiscard]] static result<basic_player> open(source& from, const hpke::key_pair& who) {
    return open(from, who, nullptr);
  }
  [[nodiscard]] static result<basic_player> open(source& from, const hpke::key_pair& who, byte_view key_slip) {
    CONCLAVE_TRY(const auto given, read_key_slip(key_slip));
    return open(from, who, &given);
  }

  /// truncated(): the recording has no end: its recorder was stopped, or somebody has cut it. What next() gives is then
  /// only the first part of what was recorded. Known as soon as it is open.
  [[nodiscard]] bool truncated() const noexcept { return !end_; }

  /// next(): the next entry, or nothing after the last one. Views into it live until the next call of this object.
  /// Errors: unauthentic at a place that was altered, beyond which only seek() leads; malformed where authentic bytes do
  /// not follow the format; storage. It stays where it is then.
  [[nodiscard]] result<std::optional<entry>> next() {
    for (;;) {
      while (rest_.empty()) {
        CONCLAVE_TRY(const bool there, load());
        if (!there) return std::optional<entry>{};
      }
      conclave::reader ahead = rest_;
      CONCLAVE_TRY(const entry e, wire::read<entry>(ahead));
      rest_ = ahead;
      if (skip_until_ && e.time < *skip_until_) continue;
      skip_until_.reset();
      return std::optional<entry>{e};
    }
  }

  /// seek(time): next() then gives the first entry, in the order of the recording, whose time is `time` or later; nothing
  /// where there is none. Errors: unauthentic where that place, or one on the way that has to be trusted, was altered;
  /// malformed, storage. It stays where it was then.
  [[nodiscard]] status seek(std::uint64_t time) {
    load_index();
    place at = before(time);
    std::optional<place> previous;
    chunk_header head;
    for (;;) {
      CONCLAVE_TRY(const bool there, read_header(at, head));
      if (!there || head.kind != chunk_kind::entries || head.until >= time) break;
      previous = at;
      at.offset += head.whole();
      ++at.number;
    }
    // What was read on the way is not authentic yet. The chunk before this place proves that up to its end nothing is so
    // late; from this place on next() looks at everything.
    secret_bytes chunk;
    if (previous) {
      CONCLAVE_TRY(const bool there, read_chunk(*previous, chunk));
      if (!there || chunk_header::read(chunk).until >= time) return failure{errc::unauthentic, rules::chunk};
    }
    position reached{at};
    byte_view entries;
    CONCLAVE_TRY(const bool there, read_chunk(at, chunk));
    if (there) {
      CONCLAVE_TRY(entries, accept(reached, chunk));
    }
    position_ = reached;
    buffer_.swap(chunk);
    rest_ = conclave::reader{entries};
    skip_until_ = time;
    return {};
  }

  /// rewind(): next() gives the first entry of the recording.
  void rewind() noexcept {
    position_ = {{first_, 0}};
    rest_ = conclave::reader{byte_view{}};
    skip_until_.reset();
  }

  /// entries(), duration(): of all that was recorded, the latest time; nothing where it is truncated.
  [[nodiscard]] std::optional<std::uint64_t> entries() const noexcept {
    return end_ ? std::optional{end_->entries} : std::nullopt;
  }
  [[nodiscard]] std::optional<std::uint64_t> duration() const noexcept {
    return end_ ? std::optional{duration_} : std::nullopt;
  }

  /// key(): to make the recording out to further persons, with make_key_slip.
  [[nodiscard]] const file_key<P>& key() const noexcept { return key_; }

 private:
  /// place: where a chunk stands, and its number.
  struct place {
    std::uint64_t offset = 0, number = 0;
  };
  /// position: the chunk that comes next; whether the index has been passed, after which only the end may stand; whether
  /// that has been passed.
  struct position {
    place next;
    bool past_index = false;
    bool at_end = false;
  };

  basic_player(source& from, std::uint64_t size, std::uint64_t first, file_key<P> key,
               typename P::extended_nonce_key cipher, const header_mac& mac)
      : from_{&from}, size_{size}, first_{first}, key_{std::move(key)}, cipher_{std::move(cipher)}, mac_{mac} {
    rewind();
  }

  [[nodiscard]] static result<basic_player> open(source& from, const hpke::key_pair& who, const key_slip* given) {
    CONCLAVE_TRY(const std::uint64_t size, from.size());
    std::array<std::uint8_t, header_size(limits::recording_recipients)> storage;
    const failure cut{errc::malformed, rules::header_complete};
    if (size < header_front_size) return cut;
    CONCLAVE_CHECK(from.read(0, byte_span{storage}.first(header_front_size)));
    CONCLAVE_TRY(const header_front front, read_header_front(byte_view{storage}.first(header_front_size)));
    const byte_span header = byte_span{storage}.first(header_size(front.slips));
    if (size < header.size()) return cut;
    CONCLAVE_CHECK(from.read(header_front_size, header.subspan(header_front_size)));

    CONCLAVE_TRY(auto key, find_key(who, front, header.subspan(header_front_size), given));
    header_mac mac;
    std::ranges::copy(header.last(mac.size()), mac.begin());
    if (!conclave::detail::ct_equal(key.mac(header.first(header.size() - mac.size())), mac))
      return failure{errc::unauthentic, rules::header_mac};
    CONCLAVE_TRY(auto cipher, key.cipher());
    basic_player out(from, size, header.size(), std::move(key), std::move(cipher), mac);
    CONCLAVE_CHECK(out.find_end());
    return out;
  }

  [[nodiscard]] static result<file_key<P>> find_key(const hpke::key_pair& who, const header_front& front,
                                                    byte_view slips, const key_slip* given) {
    if (given != nullptr) {
      if (given->id != front.id) return failure{errc::unknown_key, rules::other_recording};
      return file_key<P>::unwrap(who, given->id, given->sealed);
    }
    // A slip does not say whose it is: each is tried.
    for (std::size_t i = 0; i < front.slips; ++i) {
      auto key = file_key<P>::unwrap(who, front.id, slips.subspan(i * slip_size, slip_size));
      if (key || key.error() != errc::unknown_key) return key;
    }
    return failure{errc::unknown_key, rules::no_slip};
  }

  // The last chunk has a known size. Whether it is there, and authentic, tells a whole recording from a truncated one.
  [[nodiscard]] status find_end() {
    constexpr std::size_t whole = end_size + chunk_framing;
    if (size_ - first_ < whole) return {};
    std::array<std::uint8_t, whole> chunk;
    CONCLAVE_CHECK(from_->read(size_ - whole, chunk));
    const auto head = chunk_header::read(chunk);
    if (head.kind != chunk_kind::end || head.size != end_size || !open_chunk(cipher_, mac_, chunk)) return {};
    CONCLAVE_TRY(end_, wire::decode<end_of_recording>(byte_view{chunk}.subspan(chunk_header_size, end_size)));
    index_ = {end_->index_offset, head.number - 1};
    duration_ = head.until;
    return {};
  }

  // ---- chunks --------------------------------------------------------------------------------------------------------

  /// A place where the file ends: its regular end never stands here, so that a recording that has one was altered.
  [[nodiscard]] result<bool> cut() const {
    if (end_) return failure{errc::unauthentic, rules::chunk};
    return false;
  }

  /// read_header(at, out): what claims to be the header of a chunk, not authenticated. False where the file ends before
  /// that chunk does. Errors: unauthentic for what cannot be it; storage.
  [[nodiscard]] result<bool> read_header(const place& at, chunk_header& out) {
    if (at.offset > size_ || size_ - at.offset < chunk_framing) return cut();
    std::array<std::uint8_t, chunk_header_size> raw;
    CONCLAVE_CHECK(from_->read(at.offset, raw));
    out = chunk_header::read(raw);
    if (out.number != at.number || out.kind > chunk_kind::end || out.size > limits::recording_chunk_bytes ||
        (out.kind == chunk_kind::end && out.size != end_size))
      return failure{errc::unauthentic, rules::chunk};
    if (out.whole() > size_ - at.offset) return cut();
    return true;
  }

  /// read_chunk(at, chunk): a whole chunk, authenticated and opened in place. False, errors: likewise.
  [[nodiscard]] result<bool> read_chunk(const place& at, secret_bytes& chunk) {
    chunk_header head;
    CONCLAVE_TRY(const bool there, read_header(at, head));
    if (!there) return false;
    chunk.resize(static_cast<std::size_t>(head.whole()));
    head.write(chunk);
    CONCLAVE_CHECK(from_->read(at.offset + chunk_header_size, byte_span{chunk}.subspan(chunk_header_size)));
    CONCLAVE_CHECK(open_chunk(cipher_, mac_, chunk));
    return true;
  }

  /// accept(at, chunk): goes behind an authentic chunk; its entries. Errors: unauthentic where something follows the end;
  /// malformed where chunks are in an order that no recorder writes.
  [[nodiscard]] result<byte_view> accept(position& at, byte_view chunk) const {
    const chunk_header head = chunk_header::read(chunk);
    const bool entries = head.kind == chunk_kind::entries;
    if (at.past_index != (head.kind == chunk_kind::end)) return failure{errc::malformed, rules::chunk_order};
    at.past_index = !entries;
    at.next.offset += chunk.size();
    ++at.next.number;
    if (head.kind == chunk_kind::end) {
      if (at.next.offset != size_) return failure{errc::unauthentic, rules::after_end};
      at.at_end = true;
    }
    return entries ? chunk.subspan(chunk_header_size, head.size) : byte_view{};
  }

  /// load(): the next chunk; false at the end of the recording.
  [[nodiscard]] result<bool> load() {
    if (position_.at_end) return false;
    CONCLAVE_TRY(const bool there, read_chunk(position_.next, buffer_));
    if (!there) return false;
    position reached = position_;
    CONCLAVE_TRY(const auto entries, accept(reached, buffer_));
    position_ = reached;
    rest_ = conclave::reader{entries};
    return true;
  }

  // ---- the index -----------------------------------------------------------------------------------------------------

  /// load_index(): once. A recording whose index is missing or damaged is searched from its start instead.
  void load_index() {
    if (!end_ || !points_.empty()) return;
    secret_bytes chunk;
    const auto there = read_chunk(index_, chunk);
    if (!there || !*there || chunk_header::read(chunk).kind != chunk_kind::index) return;
    conclave::reader in{byte_view{chunk}.subspan(chunk_header_size, chunk.size() - chunk_framing)};
    const auto stride = in.number<std::uint64_t>();
    std::vector<index_point> points;
    points.reserve(in.rest().size() / 16);
    while (!in.empty()) {
      const auto point = wire::read<index_point>(in);
      if (!point) return;
      points.push_back(*point);
    }
    if (!stride || *stride == 0) return;
    stride_ = *stride;
    points_ = std::move(points);
  }

  /// before(time): the last indexed chunk before which, and in which, nothing is so late; or the first chunk.
  [[nodiscard]] place before(std::uint64_t time) const {
    const auto later = std::ranges::partition_point(points_, [&](const index_point& p) { return p.until < time; });
    if (later == points_.begin()) return {first_, 0};
    const auto last = later - 1;
    return {last->offset, static_cast<std::uint64_t>(last - points_.begin()) * stride_};
  }

  source* from_;
  std::uint64_t size_;
  std::uint64_t first_;  // where the first chunk stands
  file_key<P> key_;
  typename P::extended_nonce_key cipher_;
  header_mac mac_;
  std::optional<end_of_recording> end_;
  place index_;
  std::uint64_t duration_ = 0;
  std::vector<index_point> points_;
  std::uint64_t stride_ = 1;

  position position_;
  secret_bytes buffer_;  // the chunk that is being read
  conclave::reader rest_{byte_view{}};
  std::optional<std::uint64_t> skip_until_;
};

}  // namespace conclave::recording
