// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What a verification tells its user: where a run stands, how it ended, who is to blame.
#pragma once

#include <conclave/limits.hpp>
#include <conclave/sas/messages.hpp>

#include <vector>

namespace conclave::inline CONCLAVE_ABI::sas {

/// phase: where a run stands with this member.
enum class phase : std::uint8_t {
  idle,        ///< no run is on
  invited,     ///< somebody asks this member to take part; its user has not answered
  committing,  ///< waiting for the commitments of the others
  revealing,   ///< this member has revealed; waiting for the others
  ready,       ///< the code exists; the user has not asked for it
  comparing,   ///< the code is on the screen; the user has not decided
};

/// notice: what a message meant for the user.
enum class notice : std::uint8_t {
  nothing,     ///< nothing to see yet
  invitation,  ///< ask the user: take_part() or decline()
  others,      ///< other people verify the meeting
  code_ready,  ///< offer to show the code
  ended,       ///< the run is over: last() says why, where this member had committed to it
  result,      ///< another contributor's user has decided: results()
};

/// ending: how a run ended for this member.
enum class ending : std::uint8_t {
  matched,     ///< this member's user said that the codes are the same
  differed,    ///< or that they differ: the meeting is intercepted, or somebody misread
  aborted,     ///< somebody gave up
  undecided,   ///< nobody decided in time
  epoch_over,  ///< people came or left
};

/// aborted: who gave up, perhaps this member itself, and what the message said.
struct aborted {
  std::uint32_t by = 0;
  abort_message why;
};

/// outcome: one run that is over.
struct outcome {
  sas::run_id run_id{};
  std::uint64_t epoch = 0;
  std::vector<std::uint32_t> contributors;
  ending how{};
  sas::aborted aborted;                ///< where it was
  std::vector<std::uint32_t> missing;  ///< who had not answered when the time was up
  bool revealed = false;               ///< this member had revealed
  bool had_code = false;               ///< everybody had, so there was a code to compare

  /// failed_attempt(): an interceptor may have had a guess.
  [[nodiscard]] bool failed_attempt() const noexcept { return revealed && how != ending::matched; }

  /// save(writer), load(reader): for snapshots. Errors: malformed, over_limit.
  void save(auto& out) const {
    out.raw(run_id);
    out.number(epoch);
    out.opaque(wire::encode_items(contributors));
    wire::write(out, how);
    out.number(aborted.by);
    wire::write(out, aborted.why);
    out.opaque(wire::encode_items(missing));
    out.number(static_cast<std::uint8_t>(revealed));
    out.number(static_cast<std::uint8_t>(had_code));
  }
  [[nodiscard]] static result<outcome> load(reader& in) {
    outcome out;
    const auto load_leaves = [&](std::vector<std::uint32_t>& into) -> status {
      CONCLAVE_TRY(const auto leaves, wire::read<wire::list<std::uint32_t>>(in));
      if (leaves.size() > limits::verification_contributors) return errc::over_limit;
      into.assign(leaves.begin(), leaves.end());
      return {};
    };
    CONCLAVE_TRY(out.run_id, wire::read<sas::run_id>(in));
    CONCLAVE_TRY(out.epoch, in.number<std::uint64_t>());
    CONCLAVE_CHECK(load_leaves(out.contributors));
    CONCLAVE_TRY(out.how, wire::read<ending>(in));
    if (out.how > ending::epoch_over) return errc::malformed;
    CONCLAVE_TRY(out.aborted.by, in.number<std::uint32_t>());
    CONCLAVE_TRY(out.aborted.why, wire::read<abort_message>(in));
    CONCLAVE_CHECK(load_leaves(out.missing));
    CONCLAVE_TRY(const auto had_revealed, in.number<std::uint8_t>());
    CONCLAVE_TRY(const auto code, in.number<std::uint8_t>());
    out.revealed = had_revealed != 0;
    out.had_code = code != 0;
    return out;
  }
};

/// verdict: what another contributor's user said of a run. A claim: that the codes differ can be a lie, and proves no
/// more than who said it.
struct verdict {
  std::uint32_t leaf = 0;
  bool match = false;
};

/// verified_state: who compared the code of which epoch.
struct verified_state {
  std::uint64_t epoch = 0;
  std::vector<std::uint32_t> contributors;
};

}  // namespace conclave::sas
