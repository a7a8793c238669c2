// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Group, observer and meeting: instantiated once for all programs, in instantiation.cpp, which saves the compiler minutes.
#pragma once

#include <conclave/meeting/meeting.hpp>
#include <conclave/mls/observer.hpp>

extern template class conclave::mls::basic_group<conclave::default_provider>;
extern template class conclave::mls::basic_observer<conclave::default_provider>;
extern template class conclave::basic_meeting<conclave::default_provider>;
