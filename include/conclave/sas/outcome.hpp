// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What a verification tells its user: where a run stands, how it ended, who is to blame.
#pragma once

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
  ended,       ///< the run is over: last() says why
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

  /// failed_attempt(): an interceptor may have had a guess.
  [[nodiscard]] bool failed_attempt() const noexcept { return revealed && how != ending::matched; }
};

/// verdict: what another contributor's user said of a run.
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
