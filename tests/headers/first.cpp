// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "all.hpp"

#include <cstdio>

int headers_in_second();

int main() {
  std::printf("%d headers; left out: %s\n", TOTAL, *ABSENT == '\0' ? "none" : ABSENT);
  return headers_in_second() == TOTAL ? 0 : 1;
}
