#include "bench/support/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/algorithm/string.hpp>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include "bench/support/machine.hpp"
#include "bench/support/words.hpp"

namespace racelab::bench {
namespace {

// Okabe and Ito's colours, which people tell apart however they see them, and again with another mark.
constexpr std::array colours = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"};

// Where on the axis a point is, if it is of the plot.
std::optional<std::string> place(const plot& drawn, const std::string& point) {
  if (!has_words(point, words(drawn.where))) return std::nullopt;
  for (const std::string& each : words(point))
    if (each.starts_with(drawn.axis + "=")) return each.substr(drawn.axis.size() + 1);
  return std::nullopt;
}

// A string of gnuplot's.
std::string quoted(std::string text) {
  boost::replace_all(text, "\\", "\\\\");
  boost::replace_all(text, "\"", "\\\"");
  boost::replace_all(text, "\n", "\\n");
  return "\"" + text + "\"";
}

paired_ratio value_of(const plot& drawn, const results& measured, const std::string& contender,
                      const std::string& point) {
  return drawn.over.empty() ? measured.value(contender, point, drawn.quantity)
                            : measured.ratio(contender, drawn.over, point, drawn.quantity);
}

bool has_value(const plot& drawn, const results& measured, const std::string& contender,
               const std::string& point) {
  return measured.has(contender, point, drawn.quantity) &&
         (drawn.over.empty() || (contender != drawn.over && measured.has(drawn.over, point, drawn.quantity)));
}

std::string numbers(const paired_ratio& of, double scale) {
  return fmt::format("{:.6g} {:.6g} {:.6g}\n", of.median / scale, of.low / scale, of.high / scale);
}

std::string preamble(const plot& drawn) {
  return fmt::format(
      "set title noenhanced\nset grid lc rgb '#dddddd'\nset border 3\nset xtics nomirror\nset ytics "
      "nomirror\n"
      "set title {}\nset xlabel {}\nset ylabel {} noenhanced\n",
      quoted(drawn.title + "\n" + this_machine()), quoted(drawn.axis_title), quoted(drawn.unit));
}

std::string script_of_bars(const plot& drawn, const results& measured) {
  std::string rows;
  std::vector<double> lowest;
  for (const std::string& contender : measured.contenders())
    for (const std::string& point : measured.points()) {
      if (!has_words(point, words(drawn.where)) || !has_value(drawn, measured, contender, point)) continue;
      const paired_ratio value = value_of(drawn, measured, contender, point);
      rows += quoted(contender) + " " + numbers(value, drawn.scale);
      lowest.push_back(value.low / drawn.scale);
      break;
    }
  if (rows.empty()) return {};
  // A bar has no foot on a logarithmic axis: it begins below all of them.
  const std::string upwards =
      drawn.by_ten ? fmt::format("set logscale y\nset yrange [{:.3g}:*]\n", std::ranges::min(lowest) / 2)
                   : "set yrange [0:*]\n";
  return fmt::format(
      "$d << EOD\n{}EOD\n{}unset key\nset rmargin 14\nset xtics rotate by -40 noenhanced\n"
      "set style fill solid 0.6\nset xrange [-0.6:{}]\n{}"
      "plot $d using 0:2:3:4:(0.7):xtic(1) with boxerrorbars lc rgb '{}'\n",
      rows, preamble(drawn), static_cast<double>(lowest.size()) - 0.4, upwards, colours.front());
}

std::string script_of_lines(const plot& drawn, const results& measured) {
  std::string data;
  std::vector<std::string> curves;
  std::set<double> on_axis;
  for (const std::string& contender : measured.contenders()) {
    std::map<double, std::string> rows;
    for (const std::string& point : measured.points())
      if (const auto x = place(drawn, point); x && has_value(drawn, measured, contender, point))
        rows[std::stod(*x)] = *x + " " + numbers(value_of(drawn, measured, contender, point), drawn.scale);
    if (rows.empty()) continue;
    const std::size_t n = curves.size();
    data += fmt::format("$d{} << EOD\n", n);
    for (const auto& [x, row] : rows) {
      data += row;
      on_axis.insert(x);
    }
    data += "EOD\n";
    const auto look = fmt::format("lc rgb '{}' lw 2 pt {}", colours.at(n % colours.size()), 4 + n);
    curves.push_back(fmt::format(
        "$d{0} using 1:2:3:4 with yerrorbars {1} notitle, $d{0} using 1:2 with linespoints {1} title {2}", n,
        look, quoted(contender)));
  }
  if (curves.empty()) return {};
  std::string script = data + preamble(drawn) + "set key noenhanced outside right top\n";
  if (drawn.logarithmic) script += "set logscale x 2\n";
  // Where only some points were measured, gnuplot finds no range by itself.
  if (on_axis.size() == 1)
    script += fmt::format("set xrange [{}:{}]\n", *on_axis.begin() * 0.5, *on_axis.begin() * 2 + 1);
  // A ratio of 2 is as far from 1 as one of 1/2.
  script += drawn.over.empty() ? "set yrange [0:*]\n" : "set logscale y\nset format y \"%g\"\n";
  return script + "plot " + boost::join(curves, ", \\\n     ") + "\n";
}

}  // namespace

std::string script_of(const plot& drawn, const results& measured) {
  return drawn.axis.empty() ? script_of_bars(drawn, measured) : script_of_lines(drawn, measured);
}

bool draw(const plot& drawn, const results& measured, const std::string& folder) {
  const std::string script = script_of(drawn, measured);
  // NOLINTNEXTLINE(cert-env33-c): fixed commands, here and below
  if (script.empty() || std::system("command -v gnuplot > /dev/null 2>&1") != 0) return false;
  const std::string stem = folder + "/" + drawn.file;
  const std::string whole = fmt::format(
      "set terminal svg size 960,540 font 'sans,14' background 'white'\nset output {0}\n{2}"
      "set terminal pngcairo size 1920,1080 font 'sans,24'\nset output {1}\nreplot\n",
      quoted(stem + ".svg"), quoted(stem + ".png"), script);
  std::ofstream file(stem + ".gp");
  if (!(file << whole).flush()) throw std::runtime_error(stem + ".gp: cannot be written");
  FILE* const gnuplot = popen("gnuplot", "w");  // NOLINT(cert-env33-c)
  if (gnuplot == nullptr) throw std::runtime_error(stem + ".gp: gnuplot cannot be started");
  const bool taken = std::fputs(whole.c_str(), gnuplot) >= 0;
  if (pclose(gnuplot) != 0 || !taken) throw std::runtime_error(stem + ".gp: gnuplot failed");
  return true;
}

}  // namespace racelab::bench
