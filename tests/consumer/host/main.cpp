// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <conclave/secret.hpp>

struct epoch_tag;

int main() { return conclave::secret<epoch_tag>{32}.size() == 32 ? 0 : 1; }
