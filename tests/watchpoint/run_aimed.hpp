// Runs a watched program with a plan, and reads what it leaves: the sites that it visited and its events, as whoever
// aims does.
#pragma once

#include <algorithm>
#include <cstring>

#include "sanitizers/watchpoint/evidence.hpp"
#include "stacks/symbolise.hpp"
#include "tests/support/scratch.hpp"
#include "tests/watchpoint/run_watched.hpp"

/// The filled entries of an evidence file. `key` is 0 in those that are not.
template <class Entry> std::vector<Entry> read_evidence(const std::string& path, std::uint64_t Entry::* key) {
  std::ifstream file(path, std::ios::binary);
  racelab::watch::evidence_header header{};
  file.read(reinterpret_cast<char*>(&header), sizeof header);
  std::vector<Entry> found;
  if (!file || std::memcmp(header.magic, racelab::watch::evidence_magic, sizeof header.magic) != 0 ||
      header.entry_size != sizeof(Entry))
    return found;
  const std::uint64_t used = std::min(header.used.load(), header.capacity);
  for (std::uint64_t i = 0; i < used; ++i) {
    Entry entry{};
    file.read(reinterpret_cast<char*>(&entry), sizeof entry);
    if (entry.*key != 0) found.push_back(entry);
  }
  return found;
}

/// A visited site with names.
struct named_site {
  racelab::watch::site_entry entry;
  std::string function;  // as stacks::short_name has it
  std::string place;     // MODULE+0xOFFSET
};

struct aimed_run : watched_run {
  std::vector<named_site> sites;
  std::vector<racelab::watch::event_entry> events;

  [[nodiscard]] std::vector<racelab::watch::event_entry> of_kind(racelab::watch::event_kind kind) const {
    auto found = events;
    std::erase_if(found, [kind](const auto& each) { return each.kind != kind; });
    return found;
  }
  using watched_run::of_kind;

  /// The first site in a function whose name has this in it; an empty one if there is none.
  [[nodiscard]] named_site site_in(const std::string& function) const {
    for (const named_site& each : sites)
      if (each.function.find(function) != std::string::npos) return each;
    return {};
  }
};

inline std::uintptr_t number_in(const nlohmann::json& hex) {
  return std::stoull(hex.get<std::string>(), nullptr, 16);
}

/// Names for the pcs of a run, by the last `modules` line of its log.
class named_modules {
 public:
  explicit named_modules(const watched_run& run) {
    for (const auto& line : run.of_kind("modules")) {
      modules_.clear();
      for (const auto& each : line.at("modules"))
        modules_.push_back({each.at("path"), number_in(each.at("base")), number_in(each.at("end"))});
    }
    std::vector<racelab::stacks::loaded_module> loaded;
    for (const one& each : modules_)
      if (std::filesystem::exists(each.path)) loaded.push_back({each.path, each.base});
    names_ = std::make_unique<racelab::stacks::symboliser>(loaded);
  }

  [[nodiscard]] std::string function(std::uintptr_t pc) const {
    return racelab::stacks::short_name(names_->resolve(std::span(&pc, 1), false).front().function);
  }
  /// True if a function with this in its name is on the stack, inlined ones too.
  [[nodiscard]] bool on_stack(const nlohmann::json& stack, const std::string& function) const {
    std::vector<std::uintptr_t> pcs;
    for (const auto& pc : stack) pcs.push_back(number_in(pc));
    return std::ranges::any_of(names_->resolve(pcs, false), [&](const racelab::stacks::frame& each) {
      return each.function.find(function) != std::string::npos;
    });
  }
  [[nodiscard]] std::string place(std::uintptr_t pc) const {
    for (const one& each : modules_) {
      if (pc < each.base || pc >= each.end) continue;
      std::ostringstream text;
      text << (&each == modules_.data() ? "-" : each.path) << "+0x" << std::hex << pc - each.base;
      return text.str();
    }
    return "";
  }

 private:
  struct one {
    std::string path;
    std::uintptr_t base;
    std::uintptr_t end;
  };
  std::vector<one> modules_;
  std::unique_ptr<racelab::stacks::symboliser> names_;
};

/// `plan` is the text of the plan; none if empty.
inline aimed_run run_aimed(const std::string& path, const std::string& plan, environment variables = {}) {
  const scratch_file plan_file(plan);
  const scratch_file sites_file;
  const scratch_file events_file;
  if (!plan.empty()) variables.emplace_back("RACELAB_WATCH_PLAN", plan_file.path());
  variables.emplace_back("RACELAB_WATCH_SITES", sites_file.path());
  variables.emplace_back("RACELAB_WATCH_EVENTS", events_file.path());
  aimed_run run{run_watched(path, variables), {}, {}};
  const named_modules names(run);
  for (const auto& entry : read_evidence(sites_file.path(), &racelab::watch::site_entry::pc))
    run.sites.push_back({entry, names.function(entry.pc), names.place(entry.pc)});
  run.events = read_evidence(events_file.path(), &racelab::watch::event_entry::time_ns);
  return run;
}
