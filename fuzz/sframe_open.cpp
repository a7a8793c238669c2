// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// A relay's whole repertoire against an opener: the input is a script that seals frames, changes, repeats and invents
/// them, begins and ends epochs, and lets time pass. The oracle is a second receiver below that works on maps, searches
/// epochs by trying numbers, and decrypts with support/sframe_reference.hpp: after every step both agree on the error
/// code or on every field of the frame, so nothing that failed has changed anything. A third one is given the same frames
/// many at a time, by open_many, and says of each what the first has said.
#include <conclave/crypto/provider.hpp>
#include <conclave/sframe/opener.hpp>

#include <support/sframe_reference.hpp>

#include "support/oracle.hpp"

#include <map>
#include <set>

namespace {

using namespace conclave;
using sframe::cipher_suite;

using conclave_fuzz::require, conclave_fuzz::script;

struct epoch {
  std::uint64_t number;
  int suite;
  std::uint32_t leaves, own;
  steady_time closes = steady_time::max();
  bool late = false;

  [[nodiscard]] bytes base_key() const { return sframe_reference::big_endian(number * 7919 + 1, 16); }
};

/// The receiver of the oracle.
class slow_receiver {
 public:
  explicit slow_receiver(unsigned epoch_bits) : E_{epoch_bits} {}

  struct outcome {
    errc code{};
    std::uint32_t sender = 0;
    std::uint64_t epoch = 0, context = 0, counter = 0;
    bool late = false;
    bytes plaintext{};
  };

  [[nodiscard]] std::uint64_t low(std::uint64_t number) const { return number % (std::uint64_t{1} << E_); }
  [[nodiscard]] static unsigned index_bits(std::uint32_t leaves) {
    unsigned S = 0;
    while ((std::uint64_t{1} << S) < leaves) ++S;
    return S;
  }

  void add(const epoch& fresh) {
    std::erase_if(epochs, [&](const auto& e) { return e.first + (std::uint64_t{1} << E_) <= fresh.number; });
    if (epochs.size() == limits::sframe_open_epochs) epochs.erase(epochs.begin());
    if (!began_) first_ = fresh.number;
    began_ = true;
    newest = fresh.number;
    epochs.emplace(fresh.number, fresh);
  }

  [[nodiscard]] outcome open(byte_view frame, byte_view metadata, std::size_t room, steady_time now) {
    const auto named = sframe_reference::numbers(frame);
    if (!named) return {errc::malformed};
    const auto [kid, ctr, head] = *named;
    const epoch* in = nullptr;
    for (const auto& [number, e] : epochs)
      if (low(number) == low(kid)) in = &e;
    if (in == nullptr || in->closes <= now) return {in != nullptr ? errc::stale_epoch : missing(kid)};

    const unsigned S = index_bits(in->leaves);
    const auto index = static_cast<std::uint32_t>((kid >> E_) % (std::uint64_t{1} << S));
    const std::uint64_t context = kid >> E_ >> S;
    if (index >= in->leaves || index == in->own) return {errc::unknown_key};
    const std::size_t Nt = sframe_reference::Nt(in->suite);
    if (frame.size() < head + Nt) return {errc::malformed};
    if (context >= limits::streams || metadata.size() > limits::frame_metadata_bytes) return {errc::over_limit};
    if (room < frame.size() - head - Nt) return {errc::no_space};

    std::set<std::uint64_t>& seen = seen_[{in->number, kid}];
    const std::uint64_t top = seen.empty() ? 0 : *seen.rbegin();
    if (seen.contains(ctr) || (ctr < top && top - ctr >= limits::replay_window)) return {errc::replayed};
    auto decrypted = sframe_reference::decrypt(in->suite, in->base_key(), metadata, frame);
    if (!decrypted) return {errc::unauthentic};
    seen.insert(ctr);
    return {errc{}, index, in->number, context, ctr, in->late, std::move(decrypted->plaintext)};
  }

  std::map<std::uint64_t, epoch> epochs;
  std::uint64_t newest = 0;

 private:
  /// Why no open epoch has the low bits of this key id.
  [[nodiscard]] errc missing(std::uint64_t kid) const {
    if (!began_) return errc::unknown_key;
    const std::uint64_t half = (std::uint64_t{1} << E_) / 2;
    for (std::uint64_t n = 1; n <= std::min<std::uint64_t>(half, limits::sframe_early_epochs); ++n)
      if (low(newest + n) == low(kid)) return errc::early;
    for (std::uint64_t n = newest;; --n) {
      if (low(n) == low(kid)) return errc::stale_epoch;
      if (n == first_) return errc::unknown_key;
    }
  }

  unsigned E_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::set<std::uint64_t>> seen_;
  std::uint64_t first_ = 0;
  bool began_ = false;
};

class match {
 public:
  explicit match(unsigned epoch_bits)
      : fast_{*sframe::opener<default_provider>::make(epoch_bits)},
        batched_{*sframe::opener<default_provider>::make(epoch_bits)},
        slow_{epoch_bits} {}

  void play(script in) {
    begin_epoch(in);
    for (int steps = 0; !in.empty() && steps < 64; ++steps) {
      const std::uint8_t step = in.byte() % 8;
      if (step >= 5) open_batch();
      switch (step) {
        case 0:
        case 1: seal(in); break;
        case 2: change(in); break;
        case 3: repeat(in); break;
        case 4: offer(to_bytes(in.take(in.byte())), {}, 255); break;
        case 5: begin_epoch(in); break;
        case 6: end_epochs(in); break;
        case 7: now_ += steady_time{in.byte()}; break;
      }
    }
    open_batch();
    // whatever happened, a good frame of the newest epoch opens, and opens once
    begin_epoch(in);
    const auto& e = slow_.epochs.at(slow_.newest);
    const bytes good = frame_of(e, e.own == 0 ? 1 : 0, 0, 0, {}, bytes(33, 1));
    require(offer(good, {}, 33) == errc{}, "a good frame opens");
    require(offer(good, {}, 33) == errc::replayed, "and opens once");
    open_batch();
  }

 private:
  struct sealed_frame {
    bytes frame, metadata;
  };

  [[nodiscard]] bytes frame_of(const epoch& e, std::uint32_t index, std::uint64_t context, std::uint64_t ctr,
                               byte_view metadata, byte_view plaintext) const {
    const std::uint64_t kid =
        (((context << slow_receiver::index_bits(e.leaves)) + index) << epoch_bits()) + slow_.low(e.number);
    return sframe_reference::encrypt(e.suite, e.base_key(), kid, ctr, metadata, plaintext);
  }
  [[nodiscard]] unsigned epoch_bits() const {
    return static_cast<unsigned>(std::bit_width(slow_.low(~std::uint64_t{0})));
  }

  /// An authentic frame of an epoch that is open, was open or will be.
  void seal(script& in) {
    epoch e =
        slow_.epochs.empty()
            ? epoch{slow_.newest, 4, 5, 0}
            : std::next(slow_.epochs.begin(), static_cast<std::ptrdiff_t>(in.byte() % slow_.epochs.size()))->second;
    const std::uint8_t shift = in.byte();
    if (shift < 16) e.number += shift % 5;
    const std::uint32_t index = in.byte() % (1U << slow_receiver::index_bits(e.leaves));
    const std::uint64_t context = in.byte() % (limits::streams + 2);
    const std::uint64_t ctr = in.number();
    sealed_frame made;
    made.metadata = to_bytes(in.take(in.byte() % 16));
    made.frame = frame_of(e, index, context, ctr, made.metadata, in.take(in.byte() % 64));
    offer(made.frame, made.metadata, 64);
    if (frames_.size() < 32) frames_.push_back(std::move(made));
  }

  void change(script& in) {
    if (frames_.empty()) return;
    sealed_frame copy = frames_[in.byte() % frames_.size()];
    const std::uint8_t how = in.byte();
    bytes& target = how % 8 == 7 ? copy.metadata : copy.frame;
    const std::size_t at = target.empty() ? 0 : in.byte() % target.size();
    switch (how % 4) {
      case 0: target.resize(at); break;
      case 1: target.insert(target.begin() + static_cast<std::ptrdiff_t>(at), in.byte()); break;
      case 2: target.erase(target.begin(), target.begin() + static_cast<std::ptrdiff_t>(at)); break;
      case 3:
        if (!target.empty()) target[at] = static_cast<std::uint8_t>(target[at] ^ in.byte());
        break;
    }
    offer(copy.frame, copy.metadata, in.byte());
  }

  void repeat(script& in) {
    if (frames_.empty()) return;
    const sealed_frame& again = frames_[in.byte() % frames_.size()];
    offer(again.frame, again.metadata, in.byte());
  }

  void begin_epoch(script& in) {
    const std::uint8_t b = in.byte();
    // without the suites whose tags could be guessed, and too many guesses at which end a key
    constexpr int suites[] = {4, 5, 1, 2, 6, 7, 4, 5};
    epoch fresh{slow_.newest + 1 + b % 4U, suites[b / 4 % 8], in.byte() % 100U + 2, 0};
    fresh.own = in.byte() % fresh.leaves;
    if (!sframe::supports<default_provider>(static_cast<cipher_suite>(fresh.suite))) fresh.suite = 4;
    const auto base = sframe::base_key::copy_of(fresh.base_key());
    const sframe::epoch_parameters known{fresh.number, static_cast<cipher_suite>(fresh.suite), fresh.leaves, fresh.own};
    for (auto* const each : {&fast_, &batched_}) {
      require(each->add_epoch(known, *base).has_value(), "an epoch that is newer can be added");
      require(!each->add_epoch(known, *base), "and only once");
    }
    slow_.add(fresh);
  }

  void end_epochs(script& in) {
    const std::uint64_t before = slow_.newest + 1 - std::min<std::uint64_t>(slow_.newest, in.byte() % 4);
    const steady_time deadline = now_ + steady_time{in.byte()};
    for (auto* const each : {&fast_, &batched_}) each->retire_before(before, deadline);
    for (auto& [number, e] : slow_.epochs) {
      if (number >= before) continue;
      e.late = true;
      e.closes = std::min(e.closes, deadline);
    }
    if (in.byte() % 2 == 0) return;
    for (auto* const each : {&fast_, &batched_}) each->purge(now_);
    std::erase_if(slow_.epochs, [&](const auto& e) { return e.second.closes <= now_; });
  }

  /// Gives a frame to both receivers and compares; returns what they say.
  errc offer(const bytes& frame, const bytes& metadata, std::size_t room) {
    const auto expected = slow_.open(frame, metadata, room, now_);
    bytes out(room, 0xaa);
    const auto got = fast_.open(frame, metadata, out, now_);
    const errc code = got ? errc{} : got.error().code();
    batch_.push_back({frame, metadata, bytes(room, 0xaa), out, code, got ? *got : sframe::opened{}});
    if (batch_.size() >= 24) open_batch();
    require(code == expected.code, "both receivers give the same code");
    if (!got) {
      const byte_view touched = byte_view{out}.first(std::min(room, frame.size()));
      require(std::ranges::all_of(touched, [](std::uint8_t b) { return b == 0; }), "a failure leaves zeros");
      return code;
    }
    require(equal(got->bytes, expected.plaintext), "both receivers read the same plaintext");
    require(got->bytes.data() == out.data(), "the plaintext is at the front of the buffer");
    require(got->sender == expected.sender && got->epoch == expected.epoch && got->context == expected.context &&
                got->counter == expected.counter && got->late == expected.late,
            "both receivers name the same sender, epoch, context and counter");
    return code;
  }

  struct offered {
    bytes frame, metadata, out, expected_out;
    errc expected;
    sframe::opened opened;  // its bytes are gone, their number is not
  };

  /// What was offered one by one, all together.
  void open_batch() {
    std::vector<sframe::open_request> requests;
    for (offered& o : batch_) requests.push_back({o.frame, o.metadata, o.out});
    batched_.open_many(requests, now_);
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      const offered& o = batch_[i];
      const auto& got = requests[i].got;
      require((got ? errc{} : got.error().code()) == o.expected, "a batch gives another code");
      require(o.out == o.expected_out, "a batch leaves other bytes");
      if (got)
        require(got->bytes.size() == o.opened.bytes.size() && got->sender == o.opened.sender &&
                    got->epoch == o.opened.epoch && got->context == o.opened.context &&
                    got->counter == o.opened.counter && got->late == o.opened.late,
                "a batch names another sender, epoch, context or counter");
    }
    batch_.clear();
  }

  sframe::opener<default_provider> fast_, batched_;
  std::vector<offered> batch_;
  slow_receiver slow_;
  std::vector<sealed_frame> frames_;
  steady_time now_{0};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  script in(byte_view{data, size});
  constexpr unsigned widths[] = {8, 8, 8, 2, 1, 0, 16, 4};
  match(widths[in.byte() % 8]).play(in);
  return 0;
}
