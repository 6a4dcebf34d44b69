#include "sanitizers/thread/records.hpp"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace racelab::tsan {
namespace {

using nlohmann::json;

std::uintptr_t address_of(const json& text) { return std::stoull(text.get<std::string>(), nullptr, 16); }

std::vector<std::uintptr_t> stack_of(const json& object) {
  std::vector<std::uintptr_t> stack;
  for (const json& pc : object.at("stack")) stack.push_back(address_of(pc));
  return stack;
}

recorded_report report_of(const json& object) {
  recorded_report report{.process = object.at("process"),
                         .kind = object.at("kind"),
                         .base = address_of(object.at("base")),
                         .accesses = {},
                         .stacks = {}};
  for (const json& access : object.at("accesses"))
    report.accesses.push_back({.thread = access.at("thread"),
                               .address = address_of(access.at("address")),
                               .size = access.at("size"),
                               .write = access.at("write"),
                               .atomic = access.at("atomic"),
                               .stack = stack_of(access)});
  for (const json& stack : object.at("stacks")) report.stacks.push_back(stack_of(stack));
  return report;
}

}  // namespace

std::vector<recorded_report> read_records(const std::filesystem::path& file) {
  std::vector<recorded_report> reports;
  std::ifstream in(file);
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    try {
      reports.push_back(report_of(json::parse(line)));
    } catch (const std::exception& error) {
      if (in.eof()) break;
      throw std::runtime_error(
          fmt::format("{}:{}: no record of a report: {}", file.string(), number, error.what()));
    }
  }
  return reports;
}

}  // namespace racelab::tsan
