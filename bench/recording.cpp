// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Sealed recordings in memory, by the bytes of an entry: recording/{write,read}/<bytes>; recording/seek/<chunks>, to random
/// times.
#include "allocations.hpp"

#include <conclave/meeting/recording.hpp>

#include <random>
#include <string>

namespace {

using namespace conclave;
namespace rec = conclave::recording;

/// overwritten: a sink that keeps one chunk's worth of what it is given, so that the recorder is what is measured.
class overwritten final : public rec::sink {
 public:
  [[nodiscard]] status write(std::uint64_t, byte_view data) override {
    memory_.resize(std::max(memory_.size(), data.size()));
    std::ranges::copy(data, memory_.begin());
    return {};
  }
  [[nodiscard]] status sync() override { return {}; }

 private:
  bytes memory_;
};

class memory final : public rec::sink, public rec::source {
 public:
  bytes content;
  [[nodiscard]] status write(std::uint64_t, byte_view data) override {
    append(content, data);
    return {};
  }
  [[nodiscard]] status sync() override { return {}; }
  [[nodiscard]] result<std::uint64_t> size() override { return std::uint64_t{content.size()}; }
  [[nodiscard]] status read(std::uint64_t offset, byte_span out) override {
    std::ranges::copy(byte_view{content}.subspan(static_cast<std::size_t>(offset), out.size()), out.begin());
    return {};
  }
};

rec::entry frame(std::uint64_t time, byte_view data) { return {rec::entry_kind::video, time, 1, 2, 1, {}, data}; }

void write(benchmark::State& state, std::size_t size) {
  system_environment env;
  overwritten to;
  const auto me = *rec::generate_person<default_provider>(env);
  auto tape = *rec::recorder::create(env, to, std::array{me.pub.view()});
  const bytes data(size, 0x5a);
  std::uint64_t time = 0;
  bool good = true;
  for (int i = 0; i < 1000; ++i) good &= tape.add(frame(time++, data)).has_value();  // its buffer has grown
  const std::uint64_t before = conclave_bench::allocations();
  for (auto _ : state) good &= tape.add(frame(time++, data)).has_value();
  conclave_bench::report_allocations(state, conclave_bench::allocations() - before);
  if (!good) state.SkipWithError("an entry was not taken");
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
}

/// record(to, me, size, total): so many bytes of entries.
void record(memory& to, const hpke::key_pair& me, std::size_t size, std::size_t total) {
  system_environment env;
  auto tape = *rec::recorder::create(env, to, std::array{me.pub.view()});
  const bytes data(size, 0x5a);
  for (std::size_t i = 0; i < total / size; ++i) (void)tape.add(frame(i, data)).has_value();
  (void)tape.close().has_value();
}

void read(benchmark::State& state, std::size_t size) {
  system_environment env;
  memory file;
  const auto me = *rec::generate_person<default_provider>(env);
  record(file, me, size, std::size_t{1} << 24U);
  auto tape = *rec::player::open(file, me);
  bool good = true;
  for (auto _ : state) {
    auto e = tape.next();
    if (e && !*e) {
      tape.rewind();
      e = tape.next();
    }
    good &= e && *e && (*e)->data.size() == size;
    benchmark::ClobberMemory();
  }
  if (!good) state.SkipWithError("an entry was not read");
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
}

void seek(benchmark::State& state, std::size_t chunks) {
  system_environment env;
  memory file;
  const auto me = *rec::generate_person<default_provider>(env);
  constexpr std::size_t size = limits::recording_chunk_target - 64;  // one entry in each chunk
  record(file, me, size, size * chunks);
  auto tape = *rec::player::open(file, me);
  std::minstd_rand dice(1);
  bool good = true;
  for (auto _ : state) {
    const std::uint64_t time = dice() % chunks;
    good &= tape.seek(time).has_value();
    const auto e = tape.next();
    good &= e && *e && (*e)->time == time;
  }
  if (!good) state.SkipWithError("a time was not found");
}

[[maybe_unused]] const bool added = [] {
  for (const std::size_t size : {160U, 1200U, 16384U, 1048576U}) {
    benchmark::RegisterBenchmark(("recording/write/" + std::to_string(size)).c_str(), write, size);
    benchmark::RegisterBenchmark(("recording/read/" + std::to_string(size)).c_str(), read, size);
  }
  benchmark::RegisterBenchmark("recording/seek/1000", seek, 1000U);
  return true;
}();

}  // namespace
