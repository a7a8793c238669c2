// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a host links that keeps its records in SQLite.
#include <conclave/store/sqlite.hpp>

int main() {
  const auto records = conclave::store::sqlite::open(":memory:");
  const conclave::bytes record(3, 1);
  return records && (*records)->save("ann", 0, record) && (*(*records)->load("ann")).record == record ? 0 : 1;
}
