// Rounds: every contender of a question once, then every contender again, so that all share the machine's weather.
//
// Google Benchmark times a cell (how many iterations, its threads, the clock). Its repetitions follow one another,
// though: a slow minute hits one contender alone. So each repetition is a run of its own here, contender by contender in
// an order that turns, and values are compared within a round.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "bench/support/results.hpp"

namespace racelab::bench {

class rounds {
 public:
  /// `question` is the program's name. Of the turns only those of the contenders in `only` are run (of all, if it is empty),
  /// and of their cells those whose point has every word of `where`.
  explicit rounds(std::string question, std::vector<std::string> only = {}, const std::string& where = {});

  /// A new contender's turn: `set_up` before its cells are run and `tear_down` after them, once in a round. The same
  /// contender may have several turns (one for a small map and one for a large map, say).
  void turn(std::string contender, std::function<void()> set_up, std::function<void()> tear_down);

  /// A cell of the last turn: `work` by so many threads for `seconds` at least. Its counters are its
  /// quantities, and on one thread `ns`: an iteration's time.
  void cell(std::string point, int threads, double seconds, std::function<void(benchmark::State&)> work);

  /// A cell whose work is run once in a round, by one thread, which times itself and sets the counters.
  void once(std::string point, std::function<void(benchmark::State&)> work);

  /// Runs so many rounds and returns the values of all but the first, which warms up. Each value is also written to
  /// `csv` at once, if that is not empty, so that it is not lost to a Ctrl-C. Throws std::runtime_error if a cell called
  /// SkipWithError() or if `csv` can't be written.
  [[nodiscard]] results run(std::size_t times, const std::string& csv);

 private:
  [[nodiscard]] bool wanted(const std::string& point) const;

  struct cell_of {
    std::size_t turn;
    std::string point;
    bool timed;  // or its work sets all quantities
  };
  struct turn_of {
    std::string contender;
    std::function<void()> set_up, tear_down;
    bool has_cells = false;
  };

  // Null for a cell that is left out.
  benchmark::internal::Benchmark* add(std::string point, bool timed,
                                      std::function<void(benchmark::State&)> work);

  std::string question_;
  std::vector<std::string> only_;
  std::vector<std::string> where_;
  std::vector<turn_of> turns_;
  std::vector<cell_of> cells_;
};

}  // namespace racelab::bench
