// Arguments: what every benchmark with paired rounds is started with.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

namespace racelab::bench {

struct arguments {
  std::size_t rounds = 0;
  bool check = false;
  std::string json{};
  std::string folder{};  // for results; empty: none
};

/// --rounds N, --check, --results DIR and, if it `writes_json`, --json FILE, or DIR/PROGRAM.json where there is a DIR. False, with a line on stderr that begins with `program`, for
/// anything else and for fewer than 6 rounds.
[[nodiscard]] inline bool read_arguments(int argc, char** argv, const char* program, bool writes_json,
                                         arguments& into) {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--check") {
      into.check = true;
    } else if (argument == "--rounds" && i + 1 < argc) {
      into.rounds = static_cast<std::size_t>(std::strtoul(argv[++i], nullptr, 10));
    } else if (argument == "--results" && i + 1 < argc) {
      into.folder = argv[++i];
      if (writes_json) into.json = into.folder + "/" + program + ".json";
    } else if (writes_json && argument == "--json" && i + 1 < argc) {
      into.json = argv[++i];
    } else {
      std::fprintf(stderr, "%s: unknown argument '%s' (--rounds N, --results DIR, %s--check)\n", program,
                   argument.c_str(), writes_json ? "--json FILE, " : "");
      return false;
    }
  }
  if (into.rounds < 6) {
    std::fprintf(stderr, "%s: --rounds: at least 6, or there is no 95 %% interval\n", program);
    return false;
  }
  return true;
}

/// What main() of `program` returns: `run`'s exit code, or 2 with one line on stderr for what it throws.
[[nodiscard]] int exit_code_of(const char* program, auto run) {
  try {
    return run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", program, error.what());
    return 2;
  }
}

}  // namespace racelab::bench
