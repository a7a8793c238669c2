// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
bool first();
bool second();

int main() { return first() && second() ? 0 : 1; }
