// What every benchmark of a question does: it reads its arguments, runs its rounds, prints, writes and draws.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "bench/support/plot.hpp"
#include "bench/support/results.hpp"
#include "bench/support/rounds.hpp"

namespace racelab::bench {

/// How it was started.
struct settings {
  std::size_t rounds = 9;
  double seconds =
      0.15;  // of a cell in a round, at least: a lock that many share has moods that last longer than that
  std::string folder;               // for CSV, JSON and plots; empty: none
  std::vector<std::string> only{};  // contenders; empty: all
  std::string where{};              // words that a point must have, as in `threads=4 reads=95`
  std::string from{};  // a folder with results that are told again, and nothing is measured; empty: none
  bool quick = false;  // the smallest cells that still show something, for a test
};

struct question {
  std::string name;   // of the program and of its files
  std::string asked;  // in a sentence
  std::function<void(rounds&, const settings&)> plan;
  std::function<void(const results&)> tell;
  std::vector<plot> plots{};
};

/// main() of a benchmark. Exit codes: 0; 2 with one line on stderr for wrong arguments or a folder that can't be written.
[[nodiscard]] int answer(int argc, char** argv, const question& asked);

}  // namespace racelab::bench
