// What the rounds of a benchmark measured: each value with its round, so that two contenders are compared within a round.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bench/support/machine.hpp"
#include "bench/support/paired.hpp"

namespace racelab::bench {

/// The values of one benchmark. A contender is what is compared; a point is where (`threads=4 reads=95%`, as `axis=value`
/// pairs); a quantity has its unit in its name (`ops_per_s`, `read_ns`).
class results {
 public:
  explicit results(std::string question) : results(std::move(question), this_machine()) {}

  /// What FOLDER/QUESTION.csv and FOLDER/QUESTION.json have. Throws std::runtime_error that names the file, and the line, if one
  /// can't be read.
  [[nodiscard]] static results read_from(const std::string& folder, const std::string& question);

  /// A value of a round. Rounds count from 0; a contender may be missing from a point, but not from some of its rounds.
  void add(const std::string& contender, const std::string& point, const std::string& quantity, double value);

  /// The median over the rounds and its 95 % interval. Throws std::out_of_range if there is no such value.
  [[nodiscard]] paired_ratio value(const std::string& contender, const std::string& point,
                                   const std::string& quantity) const;

  /// The same of the contender's value over the reference's in the same round.
  [[nodiscard]] paired_ratio ratio(const std::string& contender, const std::string& reference,
                                   const std::string& point, const std::string& quantity) const;

  /// The value over the rounds, in their order; empty if there is none.
  [[nodiscard]] const std::vector<double>& rounds_of(const std::string& contender, const std::string& point,
                                                     const std::string& quantity) const;

  [[nodiscard]] bool has(const std::string& contender, const std::string& point,
                         const std::string& quantity) const {
    return !rounds_of(contender, point, quantity).empty();
  }

  /// In the order of their first values.
  [[nodiscard]] const std::vector<std::string>& contenders() const noexcept { return contenders_; }
  [[nodiscard]] const std::vector<std::string>& points() const noexcept { return points_; }
  [[nodiscard]] const std::vector<std::string>& quantities() const noexcept { return quantities_; }
  [[nodiscard]] const std::string& question() const noexcept { return question_; }
  /// That they were measured on.
  [[nodiscard]] const std::string& machine() const noexcept { return machine_; }

  /// contender,point,quantity,round,value: a line for each value.
  void write_csv(std::ostream& to) const;

  /// An object: question, machine, and `values`, an array of {contender, point, quantity, median, low, high, rounds}.
  void write_json(std::ostream& to) const;

  /// FOLDER/QUESTION.csv, and FOLDER/QUESTION.json. Throws std::runtime_error if it can't be written.
  void write_csv_in(const std::string& folder) const;
  void write_json_in(const std::string& folder) const;

  /// A table for people: a block for each point, a line for each contender, with `quantity` in units of `scale` and its
  /// ratio to the reference. `unit` heads the column.
  void print(const std::string& quantity, const std::string& unit, double scale,
             const std::string& reference) const;

 private:
  using key = std::tuple<std::string, std::string, std::string>;

  results(std::string question, std::string machine)
      : question_(std::move(question)), machine_(std::move(machine)) {}

  std::string question_;
  std::string machine_;
  std::map<key, std::vector<double>> values_;
  std::vector<std::string> contenders_;
  std::vector<std::string> points_;
  std::vector<std::string> quantities_;
};

}  // namespace racelab::bench
