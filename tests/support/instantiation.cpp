// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "instantiation.hpp"

template class conclave::mls::basic_group<conclave::default_provider>;
template class conclave::mls::basic_observer<conclave::default_provider>;
template class conclave::basic_meeting<conclave::default_provider>;
