// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// conclave: all of it, but for the adapters to delivery and storage.
#pragma once

#include <conclave/meeting/meeting.hpp>
#include <conclave/sas/fingerprint.hpp>
