// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Sealed recordings: one file on a participant's own disk, of sound, pictures, chat and notes, that the recorder and
/// chosen persons can open, and nobody else. docs/recording.md is the format.
///
///     store::recording_sink file;
///     CONCLAVE_CHECK(file.create("standup.rec"));
///     CONCLAVE_TRY(auto tape, recording::recorder::create(env, file, std::array{me.pub.view(), auditor.pub.view()}));
///     CONCLAVE_CHECK(tape.add({recording::entry_kind::audio, microseconds, got.epoch, got.sender, 0, {}, frame}));
///     CONCLAVE_CHECK(tape.sync());   // every second or so: nothing before it can be lost
///     CONCLAVE_CHECK(tape.close());  // without it the recording says that it was cut
#pragma once

#include <conclave/crypto/provider.hpp>
#include <conclave/meeting/recording/player.hpp>
#include <conclave/meeting/recording/recorder.hpp>
#include <conclave/meeting/recording/text.hpp>

namespace conclave::inline CONCLAVE_ABI::recording {

using recorder = basic_recorder<default_provider>;
using player = basic_player<default_provider>;

}  // namespace conclave::recording
