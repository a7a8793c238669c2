// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// conclave: all of it, but for the adapters to delivery and storage.
#pragma once

#include <conclave/identity/x509.hpp>
#include <conclave/meeting/early_frames.hpp>
#include <conclave/meeting/gathering.hpp>
#include <conclave/meeting/lobby.hpp>
#include <conclave/meeting/meeting.hpp>
#include <conclave/meeting/presets.hpp>
#include <conclave/meeting/recording.hpp>
#include <conclave/meeting/refresh.hpp>
#include <conclave/otp/enrolment.hpp>
#include <conclave/sas/fingerprint.hpp>

#if CONCLAVE_WITH_BOTAN
#include <conclave/identity/botan_x509.hpp>
#include <conclave/otp/botan_hotp.hpp>
#endif
