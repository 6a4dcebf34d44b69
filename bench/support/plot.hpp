// Plots that a slide can carry, by gnuplot: SVG and PNG.
#pragma once

#include <string>

#include "bench/support/results.hpp"

namespace racelab::bench {

/// A quantity over one axis of the points, a line for each contender, with the 95 % intervals. Without an axis: at the one point
/// that is wanted, a bar for each contender.
struct plot {
  std::string file{};  // without folder and extension
  std::string title{};
  std::string axis{};        // of the points, as `axis=number`: what is to the right; empty: the contenders
  std::string axis_title{};  // with its unit
  bool logarithmic = true;   // the axis to the right, by two
  std::string where{};  // only points that have these `axis=value` pairs, separated by spaces; empty: all
  std::string quantity{};
  std::string unit{};   // heads the axis upwards
  bool by_ten = false;  // the axis upwards, logarithmic, for bars that differ by orders of magnitude
  double scale = 1;     // values are divided by it
  std::string over{};   // a contender whose ratio is drawn instead of the value; empty: none
};

/// gnuplot's script for it, the data in it. Empty if no point has the axis and the quantity.
[[nodiscard]] std::string script_of(const plot& drawn, const results& measured);

/// Writes FOLDER/FILE.gp, and by gnuplot FOLDER/FILE.svg and FOLDER/FILE.png. False if there is no gnuplot, or nothing to
/// draw. Throws std::runtime_error if gnuplot fails.
bool draw(const plot& drawn, const results& measured, const std::string& folder);

}  // namespace racelab::bench
