#include "bench/support/results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace racelab::bench {
namespace {

void remember(std::vector<std::string>& all, const std::string& name) {
  if (std::ranges::find(all, name) == all.end()) all.push_back(name);
}

void write_file(const std::string& path, auto write) {
  std::ofstream file(path);
  write(file);
  if (!file.flush()) throw std::runtime_error(path + ": cannot be written");
}

std::ifstream opened(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + ": cannot be read");
  return file;
}

std::string machine_in(const std::string& path) {
  try {
    return nlohmann::json::parse(opened(path)).at("machine").get<std::string>();
  } catch (const nlohmann::json::exception&) {
    throw std::runtime_error(path + ": is no benchmark's results");
  }
}

// contender,point,quantity,round,value
void add_line(const std::string& line, results& into) {
  std::array<std::string, 5> fields;
  std::istringstream rest(line);
  for (std::string& each : fields) std::getline(rest, each, ',');
  std::size_t used = 0;
  const double value = std::stod(fields.back(), &used);
  if (used != fields.back().size()) throw std::invalid_argument(line);
  into.add(fields[0], fields[1], fields[2], value);
}

}  // namespace

results results::read_from(const std::string& folder, const std::string& question) {
  const std::string path = folder + "/" + question;
  results found(question, machine_in(path + ".json"));
  std::ifstream csv = opened(path + ".csv");
  std::string line;
  std::getline(csv, line);  // the columns' names
  for (std::size_t number = 2; std::getline(csv, line); ++number) {
    try {
      add_line(line, found);
    } catch (const std::logic_error&) {
      throw std::runtime_error(fmt::format("{}.csv:{}: '{}' is no value of a round", path, number, line));
    }
  }
  return found;
}

void results::add(const std::string& contender, const std::string& point, const std::string& quantity,
                  double value) {
  values_[{contender, point, quantity}].push_back(value);
  remember(contenders_, contender);
  remember(points_, point);
  remember(quantities_, quantity);
}

const std::vector<double>& results::rounds_of(const std::string& contender, const std::string& point,
                                              const std::string& quantity) const {
  static const std::vector<double> none;
  const auto at = values_.find({contender, point, quantity});
  return at == values_.end() ? none : at->second;
}

paired_ratio results::value(const std::string& contender, const std::string& point,
                            const std::string& quantity) const {
  const auto& values = rounds_of(contender, point, quantity);
  if (values.empty())
    throw std::out_of_range(
        fmt::format("{}: {} was not measured at '{}' ({})", question_, contender, point, quantity));
  return summarise(values);
}

paired_ratio results::ratio(const std::string& contender, const std::string& reference,
                            const std::string& point, const std::string& quantity) const {
  const auto& values = rounds_of(contender, point, quantity);
  const auto& references = rounds_of(reference, point, quantity);
  if (values.empty() || references.empty())
    throw std::out_of_range(fmt::format("{}: {} and {} were not both measured at '{}' ({})", question_,
                                        contender, reference, point, quantity));
  return summarise_ratios(values, references);
}

void results::write_csv(std::ostream& to) const {
  to << "contender,point,quantity,round,value\n";
  for (const auto& [at, values] : values_) {
    const auto& [contender, point, quantity] = at;
    for (std::size_t round = 0; round < values.size(); ++round)
      to << fmt::format("{},{},{},{},{:.9g}\n", contender, point, quantity, round, values[round]);
  }
}

void results::write_json(std::ostream& to) const {
  nlohmann::ordered_json document{
      {"question", question_}, {"machine", machine_}, {"values", nlohmann::ordered_json::array()}};
  for (const auto& [at, values] : values_) {
    const auto& [contender, point, quantity] = at;
    const auto summary = summarise(values);
    document["values"].push_back({{"contender", contender},
                                  {"point", point},
                                  {"quantity", quantity},
                                  {"median", summary.median},
                                  {"low", summary.low},
                                  {"high", summary.high},
                                  {"rounds", values.size()}});
  }
  to << document.dump(2) << "\n";
}

void results::write_csv_in(const std::string& folder) const {
  write_file(folder + "/" + question_ + ".csv", [this](std::ostream& to) { write_csv(to); });
}

void results::write_json_in(const std::string& folder) const {
  write_file(folder + "/" + question_ + ".json", [this](std::ostream& to) { write_json(to); });
}

void results::print(const std::string& quantity, const std::string& unit, double scale,
                    const std::string& reference) const {
  for (const std::string& point : points_) {
    bool headed = false;
    for (const std::string& contender : contenders_) {
      if (!has(contender, point, quantity)) continue;
      if (!std::exchange(headed, true))
        fmt::print("\n{}\n  {:<26} {:>10}  over {} [95 %]\n", point, "", unit, reference);
      const double median = value(contender, point, quantity).median / scale;
      std::string compared;
      if (contender == reference) {
        compared = "1";
      } else if (has(reference, point, quantity)) {
        const auto over = ratio(contender, reference, point, quantity);
        compared = fmt::format("{:.2f} [{:.2f}, {:.2f}]", over.median, over.low, over.high);
      }
      fmt::print("  {:<26} {:>10.4g}  {}\n", contender, median, compared);
    }
  }
}

}  // namespace racelab::bench
