// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The bytes of a sealed recording, version 1: docs/recording.md describes them and argues for them.
#pragma once

#include <conclave/codec/wire.hpp>
#include <conclave/crypto/concepts.hpp>
#include <conclave/limits.hpp>

namespace conclave::inline CONCLAVE_ABI::recording {

namespace rules {
inline constexpr rule magic{"this is no recording, or no key slip", "recording 2, 5"};
inline constexpr rule version{"the recording has another version", "recording 2"};
inline constexpr rule header_complete{"the recording ends in its header", "recording 2"};
inline constexpr rule slip_count{"the recording is made out to nobody, or to too many", "recording 2"};
inline constexpr rule header_mac{"the header of the recording was altered", "recording 2"};
inline constexpr rule file_key{"the key that was given is not the key of this recording", "recording 3"};
inline constexpr rule no_slip{"nothing here is made out to this key", "recording 3"};
inline constexpr rule other_recording{"the key slip belongs to another recording", "recording 5"};
inline constexpr rule chunk{"a chunk of the recording was altered, or is not the one that stood here", "recording 4"};
inline constexpr rule after_end{"something follows the end of the recording", "recording 4"};
inline constexpr rule chunk_order{"a chunk stands where none of its kind may", "recording 4"};
inline constexpr rule index{"the index of the recording does not fit its chunks", "recording 4"};
inline constexpr rule text{"this is no text in UTF-8", "recording 4"};
}  // namespace rules

inline constexpr std::string_view magic = "conclave recording", slip_magic = "conclave key slip";
inline constexpr std::uint16_t version = 1;

/// file_id: names a recording, and commits to its key.
using file_id = std::array<std::uint8_t, 32>;
/// header_mac: proves the header, and ties every chunk to it.
using header_mac = std::array<std::uint8_t, 32>;

/// entry_kind: what an entry holds. Unknown numbers are legal values, which who does not know them leaves out.
enum class entry_kind : std::uint8_t {
  audio = 1,  ///< an encoded frame
  video,
  chat,   ///< text in UTF-8
  note,   ///< likewise
  event,  ///< whatever else the application wants to know when it plays
};

/// entry: one thing that was recorded. `sender` is the leaf of who is said to have sent it, `epoch` that of the meeting,
/// `time` counts in microseconds from the start of the recording; entries stand in the order in which they were added,
/// whatever their times. Views: those of an entry that is read live until the next call of the player.
struct entry {
  entry_kind kind{};
  std::uint64_t time = 0;
  std::uint64_t epoch = 0;
  std::uint32_t sender = 0;
  std::uint32_t stream = 0;
  byte_view name;  ///< how the sender is called, where that matters: at most limits::name_bytes
  byte_view data;  ///< at most limits::frame_bytes
  static constexpr auto fields(auto& self) {
    return std::tie(self.kind, self.time, self.epoch, self.sender, self.stream, self.name, self.data);
  }
};

/// entry_size(e): bytes of its encoding.
[[nodiscard]] constexpr std::size_t entry_size(const entry& e) noexcept {
  return 25 + varint_size(e.name.size()) + e.name.size() + varint_size(e.data.size()) + e.data.size();
}

// ---- the header ------------------------------------------------------------------------------------------------------

inline constexpr std::size_t slip_size = 80;  ///< Nenc, then the file key and a tag
inline constexpr std::size_t header_front_size = magic.size() + 2 + 32 + 2;

[[nodiscard]] constexpr std::size_t header_size(std::size_t slips) noexcept {
  return header_front_size + slips * slip_size + std::tuple_size_v<header_mac>;
}

/// header_front: what a header says before its slips.
struct header_front {
  file_id id{};
  std::uint16_t slips = 0;
};

/// read_header_front(raw): the first header_front_size bytes. Errors: malformed; unsupported for another version.
[[nodiscard]] inline result<header_front> read_header_front(byte_view raw) {
  conclave::reader in{raw};
  CONCLAVE_TRY(const auto text, in.take(magic.size()));
  if (as_text(text) != magic) return failure{errc::malformed, rules::magic};
  CONCLAVE_TRY(const auto number, in.number<std::uint16_t>());
  if (number != version) return failure{errc::unsupported, rules::version};
  header_front out;
  CONCLAVE_TRY(out.id, wire::read<file_id>(in));
  CONCLAVE_TRY(out.slips, in.number<std::uint16_t>());
  if (out.slips == 0 || out.slips > limits::recording_recipients) return failure{errc::malformed, rules::slip_count};
  return out;
}

// ---- chunks ----------------------------------------------------------------------------------------------------------

enum class chunk_kind : std::uint8_t { entries, index, end };

inline constexpr std::size_t chunk_header_size = extended_nonce_size + 8 + 4;
inline constexpr std::size_t chunk_framing = chunk_header_size + aead_tag_size;

/// chunk_header: what stands in the clear before a sealed chunk, and is authenticated with it. Its nonce is its first 24
/// bytes: drawn at random, with the number of the chunk and its kind.
struct chunk_header {
  std::array<std::uint8_t, 15> random{};
  std::uint64_t number = 0;  ///< from 0, over chunks of all kinds
  chunk_kind kind{};
  std::uint64_t until = 0;  ///< the latest time of any entry in this chunk or before it
  std::uint32_t size = 0;   ///< of the plaintext

  void write(byte_span to) const noexcept {
    std::ranges::copy(random, to.begin());
    store_be(number, to.subspan(15));
    to[23] = static_cast<std::uint8_t>(kind);
    store_be(until, to.subspan(24));
    store_be(size, to.subspan(32));
  }
  [[nodiscard]] static chunk_header read(byte_view from) noexcept {
    chunk_header out;
    std::ranges::copy(from.first(15), out.random.begin());
    out.number = load_be<std::uint64_t>(from.subspan(15));
    out.kind = static_cast<chunk_kind>(from[23]);
    out.until = load_be<std::uint64_t>(from.subspan(24));
    out.size = load_be<std::uint32_t>(from.subspan(32));
    return out;
  }
  /// whole(): bytes of the chunk, header and tag included.
  [[nodiscard]] std::uint64_t whole() const noexcept { return std::uint64_t{size} + chunk_framing; }
};

/// index_point: where a chunk stands, and its `until`. An index has one for each `stride`-th chunk of entries, from 0.
struct index_point {
  std::uint64_t offset = 0, until = 0;
  static constexpr auto fields(auto& self) { return std::tie(self.offset, self.until); }
};

/// end_of_recording: the plaintext of the last chunk, whose size never changes, so that it is found from behind.
struct end_of_recording {
  std::uint64_t index_offset = 0, entries = 0;
  static constexpr auto fields(auto& self) { return std::tie(self.index_offset, self.entries); }
};
inline constexpr std::size_t end_size = 16;

namespace detail {

[[nodiscard]] inline std::array<std::uint8_t, 32 + chunk_header_size> chunk_aad(const header_mac& mac,
                                                                                byte_view chunk) noexcept {
  std::array<std::uint8_t, 32 + chunk_header_size> aad;
  std::ranges::copy(chunk.first(chunk_header_size), std::ranges::copy(mac, aad.begin()).out);
  return aad;
}

}  // namespace detail

/// seal_chunk(key, mac, chunk), open_chunk(key, mac, chunk): in place; `chunk` is a header, the plaintext or ciphertext
/// that it speaks of, and room for a tag, or the tag. Errors: open says unauthentic, and zeroes the plaintext.
template <extended_nonce_key_type Key>
[[nodiscard]] status seal_chunk(Key& key, const header_mac& mac, byte_span chunk) {
  const byte_span body = chunk.subspan(chunk_header_size, chunk.size() - chunk_framing);
  return key.seal(chunk.first(extended_nonce_size), detail::chunk_aad(mac, chunk), body, body,
                  chunk.last(aead_tag_size));
}
template <extended_nonce_key_type Key>
[[nodiscard]] status open_chunk(Key& key, const header_mac& mac, byte_span chunk) {
  const byte_span body = chunk.subspan(chunk_header_size, chunk.size() - chunk_framing);
  if (!key.open(chunk.first(extended_nonce_size), detail::chunk_aad(mac, chunk), body, chunk.last(aead_tag_size), body))
    return failure{errc::unauthentic, rules::chunk};
  return {};
}

}  // namespace conclave::recording
