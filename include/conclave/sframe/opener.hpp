// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Opening frames (RFC 9605 4.4.4) of a meeting whose keys come from MLS (5.2).
#pragma once

#include <conclave/sframe/epochs.hpp>
#include <conclave/sframe/frame_key.hpp>
#include <conclave/sframe/replay.hpp>
#include <conclave/sframe/table.hpp>

#include <memory>

namespace conclave::inline CONCLAVE_ABI::sframe {

namespace rules {
inline constexpr rule index_in_tree{"the sender's index lies outside the tree", "RFC 9605 5.2"};
inline constexpr rule foreign_frame{"the key id is one this party itself seals under", "RFC 9605 4.4.1"};
inline constexpr rule complete_tag{"the frame is too short to hold a tag", "RFC 9605 4.2"};
}  // namespace rules

/// opened: a frame that was authentic. What the tag proves is that a member of `epoch` sealed it. Which one is that
/// member's claim: every member has the keys of all others and can seal as any of them, also with a counter so high that
/// the real sender's frames fall behind the replay window. SFrame cannot prevent that (RFC 9605 7.2).
struct opened {
  byte_span bytes;       ///< the plaintext, at the front of the output buffer
  std::uint32_t sender;  ///< leaf index in that epoch's tree
  std::uint64_t epoch;
  std::uint64_t context;  ///< which of the sender's streams
  std::uint64_t counter;
  bool late;  ///< the epoch was already retired
};

/// opener<P>: all receiving keys of one member. Forged frames cost time and nothing else: until a tag has verified, no
/// key is kept, no window moves, and only failure counters change.
/// It holds at most limits::receiving_keys keys. One that gives way leaves its newest counter behind, so that frames
/// recorded before do not open again; four times as many such counters are kept.
/// Threads: one at a time, epochs included.
template <crypto_provider P>
class opener {
 public:
  /// make(E): an opener for key ids with E epoch bits, without epochs. over_limit where E leaves no room for an index.
  [[nodiscard]] static result<opener> make(unsigned epoch_bits) {
    CONCLAVE_CHECK(P::ready());
    CONCLAVE_CHECK(kid_layout::make(epoch_bits, 1));
    return opener(epoch_bits);
  }

  /// add_epoch(parameters, base): frames of this epoch open from now on. An epoch that is 2^E or more behind it closes,
  /// as RFC 9605 5.2 demands, and the oldest where limits::sframe_open_epochs are open.
  /// Errors: misuse where it is not newer than all before, own_index is outside the tree, or the base key is empty;
  /// over_limit for more than limits::leaves, or key ids that do not fit 64 bits; unsupported.
  [[nodiscard]] status add_epoch(const epoch_parameters& known, const base_key& base) {
    if (known.own_index >= known.leaves) return errc::misuse;
    CONCLAVE_TRY(const kid_layout layout, epochs_.layout(known.leaves));
    CONCLAVE_TRY(sframe_secret secret, extract<P>(known.suite, base));
    CONCLAVE_TRY(const auto row, parameters(known.suite));
    CONCLAVE_CHECK(epochs_.add(live_epoch{known, layout, row.Nt, std::move(secret)}));
    forget_closed();
    return {};
  }

  /// retire_before(epoch, deadline): all older epochs close at the deadline, or stay with an earlier one they have;
  /// until then their frames open and are marked late. So a removal shortens the overlap of every epoch before it.
  void retire_before(std::uint64_t epoch, steady_time deadline) noexcept { epochs_.retire_before(epoch, deadline); }

  /// purge(now): wipes the keys of epochs whose deadline has come; open() refuses their frames in any case. Returns the
  /// next deadline, when to call again; steady_time::max() where there is none.
  steady_time purge(steady_time now) {
    const steady_time next = epochs_.purge(now);
    forget_closed();
    return next;
  }

  /// open(frame, metadata, out, now): checks and decrypts one frame; `metadata` is what the sender gave to seal.
  /// Errors: malformed; unknown_key for an index outside the tree, an epoch never open here, or a key id of our own (a
  /// frame that came back: sending keys open nothing); early where the epoch is one of the next few: keep the frame and
  /// try again; stale_epoch where it has closed; over_limit for more than limits::frame_bytes or
  /// limits::frame_metadata_bytes, or a context from limits::streams on; no_space where `out` is shorter than the
  /// plaintext; replayed; unauthentic; misuse for a forbidden overlap.
  /// On failure as much of `out` as the frame could have filled is zeroed; where `out` overlaps the frame, only by
  /// unauthentic, so that a frame that is early can be opened in place later.
  /// Aliasing: to open in place, `out` starts where the ciphertext does, header::decode(frame)->size() bytes into the
  /// frame. Otherwise it overlaps neither frame nor metadata.
  /// For a key that has opened a frame before it allocates nothing of its own; it takes no lock.
  /// Source: RFC 9605 4.4.4.
  [[nodiscard]] result<opened> open(byte_view frame, byte_view metadata, byte_span out, steady_time now) {
    out = out.first(std::min(out.size(), frame.size()));
    auto done = open_checked(frame, metadata, out, now);
    if (!done && !overlaps(frame, out)) std::ranges::fill(out, std::uint8_t{0});
    return done;
  }

  /// failures(kid): wrong tags counted under this key id; for a key id of which no frame has opened, under all such ids
  /// of its epoch together. For deciding on limits, and for logs.
  [[nodiscard]] std::uint64_t failures(std::uint64_t kid, steady_time now) noexcept {
    const auto epoch = epochs_.find(kid, now);
    if (!epoch) return 0;
    const auto* const held = keys_.find(kid);
    return held != nullptr ? held->value->failures : (*epoch)->failures;
  }

  /// keys(): receiving keys held.
  [[nodiscard]] std::size_t keys() const noexcept { return keys_.size(); }

 private:
  struct receiving_key {
    std::uint64_t epoch;
    frame_key<P> key;
    replay_window<> replay;
    std::uint64_t failures = 0;
  };
  /// What stays of a key that gave way.
  struct last_counter {
    std::uint64_t epoch;
    std::uint64_t counter;
  };

  explicit opener(unsigned epoch_bits) noexcept : epochs_{epoch_bits} {}

  /// A frame taken apart, and where it goes.
  struct parts {
    header head;
    byte_view encoded_head, metadata, sealed;
    byte_span out;
  };

  [[nodiscard]] result<opened> open_checked(byte_view frame, byte_view metadata, byte_span out, steady_time now) {
    CONCLAVE_TRY(const header head, header::decode(frame));
    const byte_view sealed = frame.subspan(head.size());
    if ((overlaps(frame, out) && out.data() != sealed.data()) || overlaps(metadata, out)) return errc::misuse;

    CONCLAVE_TRY(live_epoch* const epoch, epochs_.find(head.kid, now));
    const kid_fields from = epoch->layout.decode(head.kid);
    if (from.index >= epoch->known.leaves) return failure{errc::unknown_key, rules::index_in_tree};
    if (from.index == epoch->known.own_index) return failure{errc::unknown_key, rules::foreign_frame};
    if (sealed.size() < epoch->tag_size) return failure{errc::malformed, rules::complete_tag};
    const std::size_t size = sealed.size() - epoch->tag_size;
    if (from.context >= limits::streams || size > limits::frame_bytes || metadata.size() > limits::frame_metadata_bytes)
      return errc::over_limit;
    if (out.size() < size) return errc::no_space;

    const parts p{head, frame.first(head.size()), metadata, sealed, out.first(size)};
    auto* const held = keys_.find(head.kid);
    CONCLAVE_CHECK(held != nullptr ? open_with(*held, p) : open_first(*epoch, p));
    return opened{p.out, from.index, epoch->number(), from.context, head.ctr, epoch->late};
  }

  [[nodiscard]] status open_with(auto& held, const parts& p) {
    receiving_key& key = *held.value;
    CONCLAVE_CHECK(key.replay.check(p.head.ctr));
    if (const status good = key.key.open(p.head.ctr, p.encoded_head, p.metadata, p.sealed, p.out); !good) {
      ++key.failures;
      return good;
    }
    key.replay.commit(p.head.ctr);
    keys_.use(held);
    return {};
  }

  /// The first frame of a key id, or the first since its key gave way: the key is kept only if it opens the frame.
  [[nodiscard]] status open_first(live_epoch& epoch, const parts& p) {
    const auto* const last = last_counters_.find(p.head.kid);
    auto replay = last != nullptr ? replay_window<>::closed_up_to(last->value.counter) : replay_window<>{};
    CONCLAVE_CHECK(replay.check(p.head.ctr));
    CONCLAVE_TRY(auto key, frame_key<P>::make(epoch.known.suite, p.head.kid, epoch.secret));
    if (const status good = key.open(p.head.ctr, p.encoded_head, p.metadata, p.sealed, p.out); !good) {
      ++epoch.failures;
      return good;
    }
    replay.commit(p.head.ctr);
    const auto gone =
        keys_.put(p.head.kid, std::make_unique<receiving_key>(receiving_key{epoch.number(), std::move(key), replay}));
    if (gone) last_counters_.put(gone->kid, {gone->value->epoch, gone->value->replay.newest()});
    return {};
  }

  void forget_closed() {
    keys_.erase_if([&](const auto& key) { return !epochs_.holds(key->epoch); });
    last_counters_.erase_if([&](const last_counter& last) { return !epochs_.holds(last.epoch); });
  }

  epoch_window epochs_;
  bounded_table<std::unique_ptr<receiving_key>> keys_{limits::receiving_keys};
  bounded_table<last_counter> last_counters_{4 * limits::receiving_keys};
};

}  // namespace conclave::sframe
