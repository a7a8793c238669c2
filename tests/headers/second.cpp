// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "all.hpp"

int headers_in_second();
int headers_in_second() { return TOTAL; }
