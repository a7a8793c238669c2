// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A header of a host that only passes conclave's types on.
#pragma once

#include <conclave/fwd.hpp>

/// fill(env): whether it has randomness.
bool fill(conclave::environment& env);
/// The rest of the program names these without seeing them.
conclave::status join(conclave::meeting& room, conclave::mls::group* group, const conclave::meeting_rules& rules);
