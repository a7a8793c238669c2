// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A meeting across processes: each participant is one, and all they share is a Redis server, or a cluster of them. Many
// commit at the same time; some are killed and come back, and so is the server.
#include "redis/stage.hpp"

#include <CLI/CLI.hpp>

int main(int argc, char** argv) {
  demo::plan chosen;
  demo::part part;
  int index = -1;
  std::vector<int> ports;
  chosen.out = "redis-demo";
  CLI::App app{"conclave: a meeting of many processes through Redis"};
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--people", chosen.people, "how many processes")->check(CLI::Range(3, 200));
  app.add_option("--epochs", chosen.epochs, "how many there are to be")->check(CLI::Range(10, 10'000));
  app.add_option("--contenders", chosen.contenders, "how many commit at the same time")->check(CLI::Range(1, 200));
  app.add_option("--messages", chosen.messages, "how many each person sends")->check(CLI::Range(0, 1000));
  app.add_option("--kills", chosen.kills, "how many participants are killed; with none, the server is not either");
  app.add_option("--nodes", chosen.nodes, "how many servers: 1, or a cluster of them")->check(CLI::IsMember({1, 3, 5}));
  app.add_option("--out", chosen.out, "a folder for all of their files");
  app.add_option("--seconds", chosen.seconds, "how long it may take")->check(CLI::Range(10, 3600));
  app.add_option("--part", index, "what a participant's own process is started with")->group("");
  app.add_option("--dies-after", part.dies_after)->group("");
  app.add_option("--port", ports)->group("")->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  CLI11_PARSE(app, argc, argv);

  chosen.out = std::filesystem::absolute(chosen.out).string();  // redis-server changes its folder
  std::string bad;
  if (index >= 0) {
    part.folder = chosen.out;
    part.index = static_cast<std::size_t>(index);
    part.people = chosen.people;
    part.epochs = chosen.epochs;
    part.contenders = chosen.contenders;
    part.messages = chosen.messages;
    part.seconds = chosen.seconds;
    for (const int port : ports) part.nodes.push_back({"127.0.0.1", port});
    bad = demo::participant(part).run();
  } else {
    chosen.program = std::filesystem::read_symlink("/proc/self/exe").string();
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    bad = demo::stage(chosen).run();
  }
  if (!bad.empty()) std::fprintf(stderr, "redis: %s\n", bad.c_str());
  return bad.empty() ? 0 : 1;
}
