// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The table of keys: one entry for each key id, and no more than it has room for.
#include <conclave/sframe/table.hpp>

#include <catch2/catch.hpp>

using conclave::sframe::bounded_table;

TEST_CASE("what is put under a key id that is known takes the place of what was there, and is used last") {
  bounded_table<int> table(2);
  CHECK_FALSE(table.put(7, 1));
  CHECK_FALSE(table.put(9, 2));
  CHECK_FALSE(table.put(7, 3));
  CHECK(table.size() == 2);
  CHECK(table.find(7)->value == 3);
  const auto gone = table.put(8, 4);
  REQUIRE(gone);
  CHECK(gone->kid == 9);
  CHECK(table.find(9) == nullptr);
  CHECK(table.size() == 2);
}
