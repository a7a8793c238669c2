// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// The committed clip, and what ffmpeg found in it.
#pragma once

#include <media/clip.hpp>

#include <catch2/catch.hpp>

#include <fstream>

namespace conclave_test {

using namespace demo;  // the names under test
using conclave::byte_view, conclave::bytes, conclave::errc, conclave::failure;

inline const std::string clip_folder = CONCLAVE_VECTORS "/media/";

/// clip_file(name): the content of a committed file.
[[nodiscard]] inline bytes clip_file(const std::string& name) {
  auto content = read_file(clip_folder + name, std::size_t{1} << 20U);
  INFO(clip_folder + name);
  REQUIRE(content);
  return *std::move(content);
}

/// packet_fact: one line of a framehash file: time and duration in ticks, size, CRC-32.
struct packet_fact {
  std::int64_t time = 0;
  std::uint32_t duration = 0;
  std::size_t size = 0;
  std::uint32_t crc = 0;
};

[[nodiscard]] inline std::vector<packet_fact> packet_facts(const std::string& name) {
  std::ifstream in{clip_folder + name};
  std::vector<packet_fact> out;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    unsigned long size = 0;
    unsigned duration = 0, crc = 0;
    long time = 0;
    REQUIRE(std::sscanf(line.c_str(), "%*d, %*d, %ld, %u, %lu, %x", &time, &duration, &size, &crc) == 4);
    out.push_back({time, duration, size, crc});
  }
  return out;
}

/// crc32(data): that of IEEE 802.3, as zlib and ffmpeg have it.
[[nodiscard]] inline std::uint32_t crc32(byte_view data) {
  std::uint32_t crc = 0xffffffff;
  for (const std::uint8_t octet : data) {
    crc ^= octet;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1U ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
  }
  return ~crc;
}

/// broken(result, rule): it failed by this very rule.
template <class T>
[[nodiscard]] bool broken(const conclave::result<T>& outcome, const conclave::rule& expected) {
  if (outcome) return false;
  UNSCOPED_INFO(outcome.error().message());
  return outcome.error().broken_rule() == &expected;
}

}  // namespace conclave_test
