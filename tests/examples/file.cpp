// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include "support/folder.hpp"

#include <csignal>

#include <sys/resource.h>
#include <sys/stat.h>

using namespace conclave_test;

TEST_CASE("file: read up to a cap") {
  const folder here;
  const bytes content(50'000, 0x5a);
  REQUIRE(write_file(here / "a", content));
  CHECK(*read_file(here / "a", 50'000) == content);
  CHECK(read_file(here / "a", 49'999).error() == errc::over_limit);
  CHECK(read_file(here / "a", 0).error() == errc::over_limit);
  REQUIRE(write_file(here / "empty", {}));
  CHECK((*read_file(here / "empty", 0)).empty());
  CHECK(broken(read_file(here / "b", 1), rules::file_exists));
  CHECK(read_file(here / "b", 1).error() == errc::storage);
  CHECK(broken(read_file(here / "", 1), rules::file_readable));  // a folder
  CHECK(read_file("/dev/zero", 100'000).error() == errc::over_limit);
}

TEST_CASE("file: replaced in one step, or not at all") {
  const folder here;
  REQUIRE(write_file(here / "a", conclave::as_bytes("old")));
  REQUIRE(write_file(here / "a", conclave::as_bytes("new")));
  CHECK(conclave::as_text(*read_file(here / "a", 9)) == "new");
  CHECK(here.names() == std::vector<std::string>{"a"});

  // a disk that takes no more than 1000 bytes
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  rlimit small = before;
  small.rlim_cur = 1000;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto written = write_file(here / "a", bytes(50'000, 0x5a));
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, handler);
  CHECK(broken(written, rules::file_writable));
  CHECK(written.error() == errc::storage);
  CHECK(conclave::as_text(*read_file(here / "a", 9)) == "new");
  CHECK(here.names() == std::vector<std::string>{"a"});

  REQUIRE(::mkdir((here / "folder").c_str(), 0700) == 0);
  CHECK(broken(write_file(here / "folder", {}), rules::file_writable));
  CHECK(broken(write_file(here / "none/a", {}), rules::file_exists));
  CHECK(here.names() == std::vector<std::string>{"a", "folder"});
}

TEST_CASE("file: failures are told with the file's name") {
  CHECK(explain("x.ivf", failure{errc::malformed, rules::ivf_signature}) ==
        "x.ivf: this is not an IVF file (IVF header, bytes 0 to 3)");
  CHECK(explain("x", errc::storage) == "x: the store failed");
}
