// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Opening frames (RFC 9605 4.4.4) of a meeting whose keys come from MLS (5.2).
#pragma once

#include <conclave/sframe/epochs.hpp>
#include <conclave/sframe/receiving_key.hpp>
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

/// open_request: one frame of opener::open_many, with what open() takes and, afterwards, what it would have returned.
struct open_request {
  byte_view frame, metadata;
  byte_span out;
  result<opened> got = errc::misuse;
};

/// opener<P>: all receiving keys of one member. Forged frames cost time and nothing else: until a tag has verified, no
/// key is kept, no window moves, and only failure counters change.
/// It holds at most limits::receiving_keys keys. One that gives way leaves its newest counter behind, so that frames
/// recorded before do not open again, and its wrong tags; four times as many of these are kept.
/// Short tags can be guessed: after limits::forgeries_per_key wrong ones a key id opens nothing more in its epoch
/// (RFC 9605 7.5). Key ids of which no frame has opened are counted together: after as many, no further key id of that
/// epoch comes into use, and those in use stay.
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

  /// end(deadline): no epoch follows: all close at the deadline, or earlier where they have an earlier one, and a frame
  /// of a later epoch is unknown_key, not early.
  void end(steady_time deadline) noexcept { epochs_.end(deadline); }

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
  /// limits::frame_metadata_bytes, a context from limits::streams on, or too many wrong tags before; no_space where
  /// `out` is shorter than the plaintext; replayed; unauthentic; misuse for a forbidden overlap.
  /// On failure as much of `out` as the frame could have filled is zeroed, but by misuse; where `out` overlaps the frame,
  /// only by unauthentic, so that a frame that is early can be opened in place later.
  /// Aliasing: to open in place, `out` starts where the ciphertext does, header::decode(frame)->size() bytes into the
  /// frame. Otherwise it overlaps neither frame nor metadata.
  /// For a key that has opened a frame before it allocates nothing of its own; it takes no lock.
  /// Source: RFC 9605 4.4.4.
  [[nodiscard]] result<opened> open(byte_view frame, byte_view metadata, byte_span out, steady_time now) {
    parts p;
    status done = take_apart(frame, metadata, out, now, p);
    if (done) done = open_parts(p);
    return outcome(done, frame, out, p);
  }

  /// open_in_place(frame, metadata, now): open() with the plaintext where the ciphertext stood.
  [[nodiscard]] result<opened> open_in_place(byte_span frame, byte_view metadata, steady_time now) {
    CONCLAVE_TRY(const header head, header::decode(frame));
    return open(frame, metadata, frame.subspan(head.size()), now);
  }

  /// open_scattered(frame, metadata, out, now): open() for a frame in three places. malformed where the header is not
  /// one header exactly or the tag has not Nt bytes. Aliasing: `out` may start where the body does; nothing else
  /// overlaps it.
  [[nodiscard]] result<opened> open_scattered(const frame_view& frame, byte_view metadata, byte_span out,
                                              steady_time now) {
    parts p;
    status done = take_apart(frame, metadata, out, now, p);
    if (done) done = open_parts(p);
    return outcome(done, frame.body, out, p);
  }

  /// open_many(frames, now): request.got = open(frame, metadata, out, now) for every request in order, worked on side
  /// by side where the provider can (crypto/batch.hpp). No output overlaps anything of another request. Allocates as
  /// open().
  void open_many(std::span<open_request> frames, steady_time now) {
    waiting batch;
    for (open_request& r : frames) {
      parts& p = batch.frames.next();
      status done = take_apart(r.frame, r.metadata, r.out, now, p);
      if (done) {
        if (batch.decides_about(p)) open_waiting(batch);
        if (held_key* const held = keys_.find(p.kid)) {
          done = held->value->history.admits(p.ctr, p.epoch->tag_size);
          if (done) {
            batch.add(p, r, *held);
            if (batch.frames.full()) open_waiting(batch);
            continue;
          }
        } else {
          open_waiting(batch);  // a new key may move the others
          done = open_first(p);
        }
      }
      r.got = outcome(done, r.frame, r.out, p);
    }
    open_waiting(batch);
  }

  /// failures(kid): wrong tags counted under this key id; for a key id of which no frame has opened, under all such ids
  /// of its epoch together. For deciding on limits, and for logs.
  [[nodiscard]] std::uint64_t failures(std::uint64_t kid, steady_time now) noexcept {
    const auto epoch = epochs_.find(kid, now);
    if (!epoch) return 0;
    const held_key* const held = keys_.find(kid);
    return held != nullptr ? held->value->history.failures : (*epoch)->failures;
  }

  /// keys(): receiving keys held.
  [[nodiscard]] std::size_t keys() const noexcept { return keys_.size(); }

 private:
  using open_work = typename frame_key<P>::open_work;
  using key_table = bounded_table<std::unique_ptr<receiving_key<P>>>;
  using held_key = typename key_table::entry;

  /// What stays of a key that gave way.
  struct last_counter {
    std::uint64_t epoch;
    std::uint64_t counter;
    std::uint64_t failures;
  };

  explicit opener(unsigned epoch_bits) noexcept : epochs_{epoch_bits} {}

  /// A frame taken apart, and where it belongs.
  struct parts : open_work {
    std::uint64_t kid;
    live_epoch* epoch;
    kid_fields from;
  };

  /// Frames of keys that are held, until they are opened together. What becomes of one does not depend on another.
  struct waiting {
    conclave::detail::stack_vector<parts, batch_frames> frames;
    std::array<std::uint64_t, batch_frames> kids;  // once more, where they are found at a glance
    std::array<open_request*, batch_frames> requests;
    std::array<held_key*, batch_frames> keys;

    /// `p` is frames.next(), or was before the others were opened.
    void add(const parts& p, open_request& r, held_key& key) noexcept {
      const std::size_t i = frames.size();
      if (&p == &frames[i])
        frames.keep();
      else
        frames.add(p);
      frames[i].key = &key.value->key;
      kids[i] = p.kid;
      requests[i] = &r;
      keys[i] = &key;
    }

    /// True where a frame that waits has the same key and could, by opening or failing, change what becomes of `p`: the
    /// same counter, one that would move the window past it, or the last failure that is allowed.
    [[nodiscard]] bool decides_about(const parts& p) noexcept {
      std::uint64_t same = 0;
      for (std::size_t i = 0; i < frames.size(); ++i) {
        if (kids[i] != p.kid) continue;
        ++same;
        const std::uint64_t other = frames[i].ctr;
        if (other == p.ctr) return true;
        if (other > p.ctr && other - p.ctr >= limits::replay_window) return true;
        if (keys[i]->value->history.failures + same >= limits::forgeries_per_key(p.epoch->tag_size)) return true;
      }
      return false;
    }
  };

  /// Everything that can be said of a frame before its key.
  [[nodiscard]] status take_apart(byte_view frame, byte_view metadata, byte_span out, steady_time now, parts& p) {
    CONCLAVE_TRY(const std::size_t head, decode(frame, p));
    p.header = frame.first(head);
    const byte_view sealed = frame.subspan(head);
    out = out.first(std::min(out.size(), frame.size()));
    if ((overlaps(frame, out) && out.data() != sealed.data()) || overlaps(metadata, out)) return errc::misuse;
    CONCLAVE_CHECK(find_epoch(now, p));
    if (sealed.size() < p.epoch->tag_size) return failure{errc::malformed, rules::complete_tag};
    p.ciphertext = sealed.first(sealed.size() - p.epoch->tag_size);
    p.tag = sealed.last(p.epoch->tag_size);
    return fit(metadata, out, p);
  }
  [[nodiscard]] status take_apart(const frame_view& frame, byte_view metadata, byte_span out, steady_time now,
                                  parts& p) {
    CONCLAVE_TRY(const std::size_t head, decode(frame.header, p));
    if (head != frame.header.size()) return failure{errc::malformed, rules::complete_header};
    p.header = frame.header;
    out = out.first(std::min(out.size(), frame.body.size()));
    const bool apart = !overlaps(metadata, out) && !overlaps(frame.header, out) && !overlaps(frame.tag, out);
    if (!apart || !may_share(frame.body, out)) return errc::misuse;
    CONCLAVE_CHECK(find_epoch(now, p));
    if (frame.tag.size() != p.epoch->tag_size) return failure{errc::malformed, rules::complete_tag};
    p.ciphertext = frame.body;
    p.tag = frame.tag;
    return fit(metadata, out, p);
  }

  /// The size of the header.
  [[nodiscard]] static result<std::size_t> decode(byte_view frame, parts& p) {
    CONCLAVE_TRY(const header& decoded, header::decode(frame));
    p.kid = decoded.kid;  // one by one: a copy of both would wait until they have reached the cache
    p.ctr = decoded.ctr;
    return decoded.size();
  }

  [[nodiscard]] status find_epoch(steady_time now, parts& p) {
    CONCLAVE_TRY(p.epoch, epochs_.find(p.kid, now));
    p.from = p.epoch->layout.decode(p.kid);
    if (p.from.index >= p.epoch->known.leaves) return failure{errc::unknown_key, rules::index_in_tree};
    if (p.from.index == p.epoch->known.own_index) return failure{errc::unknown_key, rules::foreign_frame};
    return {};
  }

  [[nodiscard]] static status fit(byte_view metadata, byte_span out, parts& p) {
    if (p.from.context >= limits::streams || p.ciphertext.size() > limits::frame_bytes ||
        metadata.size() > limits::frame_metadata_bytes)
      return errc::over_limit;
    if (out.size() < p.ciphertext.size()) return errc::no_space;
    p.metadata = metadata;
    p.out = out.first(p.ciphertext.size());
    return {};
  }

  /// What open() returns; where it failed, zeros in `out` as its contract says.
  [[nodiscard]] static result<opened> outcome(const status& done, byte_view frame, byte_span out, const parts& p) {
    if (done) return opened{p.out, p.from.index, p.epoch->number(), p.from.context, p.ctr, p.epoch->late};
    out = out.first(std::min(out.size(), frame.size()));
    if (done.error() != errc::misuse && !overlaps(frame, out)) std::ranges::fill(out, std::uint8_t{0});
    return done.error();
  }

  [[nodiscard]] status open_parts(parts& p) {
    held_key* const held = keys_.find(p.kid);
    if (held == nullptr) return open_first(p);
    receiving_key<P>& key = *held->value;
    CONCLAVE_CHECK(key.history.admits(p.ctr, p.epoch->tag_size));
    const status done = key.key.open(p);
    key.history.settle(p.ctr, done);
    if (done) keys_.use(*held);
    return done;
  }

  /// The first frame of a key id, or the first since its key gave way: the key is kept only if it opens the frame.
  [[nodiscard]] status open_first(const parts& p) {
    live_epoch& epoch = *p.epoch;
    CONCLAVE_CHECK(few_forgeries(epoch.failures, epoch.tag_size));
    frame_history history;
    if (const auto* const last = last_counters_.find(p.kid))
      history = {replay_window<>::closed_up_to(last->value.counter), last->value.failures};
    CONCLAVE_CHECK(history.admits(p.ctr, epoch.tag_size));
    CONCLAVE_TRY(auto key, frame_key<P>::make(epoch.known.suite, p.kid, epoch.secret));
    if (const status done = key.open(p); !done) {
      ++epoch.failures;
      return done;
    }
    conclave::detail::output_guard guard(p.out);  // should memory run out before the frame is known as opened
    history.settle(p.ctr, {});
    auto made = std::make_unique<receiving_key<P>>(receiving_key<P>{epoch.number(), std::move(key), history});
    keys_.make_room();
    last_counters_.make_room();
    const auto gone = keys_.put(p.kid, std::move(made));
    if (gone) {
      const receiving_key<P>& old = *gone->value;
      last_counters_.put(gone->kid, {old.epoch, old.history.replay.newest(), old.history.failures});
    }
    guard.keep();
    return {};
  }

  void open_waiting(waiting& batch) {
    const auto frames = batch.frames.all();
    frame_key<P>::open_many(frames);
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const parts& p = frames[i];
      open_request& r = *batch.requests[i];
      batch.keys[i]->value->history.settle(p.ctr, p.done);
      if (p.done) keys_.use(*batch.keys[i]);
      r.got = outcome(p.done, r.frame, r.out, p);
    }
    batch.frames.clear();
  }

  void forget_closed() {
    keys_.erase_if([&](const auto& key) { return !epochs_.holds(key->epoch); });
    last_counters_.erase_if([&](const last_counter& last) { return !epochs_.holds(last.epoch); });
  }

  epoch_window epochs_;
  key_table keys_{limits::receiving_keys};
  bounded_table<last_counter> last_counters_{4 * limits::receiving_keys};
};

}  // namespace conclave::sframe
