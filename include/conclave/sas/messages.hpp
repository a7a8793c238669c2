// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The messages of a verification run. They travel as MLS application messages, which sign them and bind them to an
/// epoch; message::is() tells them from whatever else an application says there.
#pragma once

#include <conclave/codec/wire.hpp>
#include <conclave/crypto/concepts.hpp>
#include <conclave/sas/forms.hpp>

namespace conclave::inline CONCLAVE_ABI::sas {

namespace rules {
inline constexpr rule known_message{"a message of a verification run of an unknown version or type",
                                    "sas/messages.hpp"};
inline constexpr rule known_form{"a code in an unknown form", "sas/messages.hpp"};
inline constexpr rule sorted_contributors{"contributors are not 2 or more different leaves in ascending order",
                                          "sas/messages.hpp"};
inline constexpr rule few_contributors{"a run with too many contributors", "limits.hpp"};
inline constexpr rule known_result{"a result is neither 0 nor 1", "sas/messages.hpp"};
}  // namespace rules

enum class message_type : std::uint8_t { start = 1, commit = 2, reveal = 3, abort = 4, result = 5 };

using run_id = std::array<std::uint8_t, 16>;
using nonce = std::array<std::uint8_t, 32>;

/// SasStart: who starts is one of the contributors.
struct start_message {
  std::uint64_t epoch = 0;
  sas::form form{};
  std::uint8_t min_bits = 0;
  wire::list<std::uint32_t> contributors;  ///< leaf indexes
  static constexpr auto fields(auto& self) { return std::tie(self.epoch, self.form, self.min_bits, self.contributors); }
};

/// abort_reason: why a member gives a run up. Unknown numbers are legal.
enum class abort_reason : std::uint8_t {
  declined = 1,           ///< the user does not want to
  cancelled = 2,          ///< the user has had enough
  missing = 3,            ///< `leaf` did not answer in time
  out_of_turn = 4,        ///< `leaf` sent what was not its turn
  wrong_commitment = 5,   ///< what `leaf` revealed is not what it committed to here: the meeting may be intercepted
  busy = 6,               ///< another run is on
  backing_off = 7,        ///< too soon after a failure
  too_many_failures = 8,  ///< no more runs in this epoch or meeting
  too_weak = 9,           ///< the form or min_bits is not what the meeting asks for
};

struct abort_message {
  abort_reason reason{};
  std::uint32_t leaf = 0;
  static constexpr auto fields(auto& self) { return std::tie(self.reason, self.leaf); }
};

/// message: any of them; only the member that belongs to `type` is set. A view of its encoding.
struct message {
  static constexpr std::array<std::uint8_t, 4> mark{'c', 's', 'a', 's'};
  static constexpr std::uint8_t version = 1;

  message_type type{};
  sas::run_id run_id{};
  start_message start;
  byte_view commitment;
  sas::nonce nonce{};
  abort_message abort;
  bool match = false;

  /// is(application_data): true where these are meant as one.
  [[nodiscard]] static bool is(byte_view application_data) noexcept {
    return application_data.size() >= mark.size() && equal(application_data.first(mark.size()), mark);
  }

  /// read: Errors: malformed, unsupported (version, type, form), over_limit (contributors).
  [[nodiscard]] static result<message> read(reader& in) {
    message out;
    CONCLAVE_TRY(const auto head, in.take(mark.size()));
    if (!equal(head, mark)) return failure{errc::malformed, rules::known_message};
    CONCLAVE_TRY(const auto seen, in.number<std::uint8_t>());
    if (seen != version) return failure{errc::unsupported, rules::known_message};
    CONCLAVE_TRY(out.type, wire::read<message_type>(in));
    CONCLAVE_TRY(out.run_id, wire::read<sas::run_id>(in));
    switch (out.type) {
      case message_type::start: {
        CONCLAVE_TRY(out.start, wire::read<start_message>(in));
        CONCLAVE_CHECK(check(out.start));
        return out;
      }
      case message_type::commit: {
        CONCLAVE_TRY(out.commitment, in.opaque());
        return out;
      }
      case message_type::reveal: {
        CONCLAVE_TRY(out.nonce, wire::read<sas::nonce>(in));
        return out;
      }
      case message_type::abort: {
        CONCLAVE_TRY(out.abort, wire::read<abort_message>(in));
        return out;
      }
      case message_type::result: {
        CONCLAVE_TRY(const auto match, in.number<std::uint8_t>());
        if (match > 1) return failure{errc::malformed, rules::known_result};
        out.match = match == 1;
        return out;
      }
    }
    return failure{errc::unsupported, rules::known_message};
  }

  void write(auto& out) const {
    out.raw(mark);
    out.number(version);
    wire::write(out, type);
    out.raw(run_id);
    switch (type) {
      case message_type::start: wire::write(out, start); break;
      case message_type::commit: out.opaque(commitment); break;
      case message_type::reveal: out.raw(nonce); break;
      case message_type::abort: wire::write(out, abort); break;
      case message_type::result: out.number(static_cast<std::uint8_t>(match)); break;
    }
  }

 private:
  [[nodiscard]] static status check(const start_message& start) {
    if (!parameters(start.form)) return failure{errc::unsupported, rules::known_form};
    if (start.contributors.size() > limits::verification_contributors)
      return failure{errc::over_limit, rules::few_contributors};
    if (start.contributors.size() < 2) return failure{errc::malformed, rules::sorted_contributors};
    std::optional<std::uint32_t> before;
    for (const std::uint32_t leaf : start.contributors) {
      if (before && leaf <= *before) return failure{errc::malformed, rules::sorted_contributors};
      before = leaf;
    }
    return {};
  }
};

}  // namespace conclave::sas
