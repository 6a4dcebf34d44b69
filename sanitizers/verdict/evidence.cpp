#include "sanitizers/verdict/evidence.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <system_error>
#include <tuple>
#include <utility>

#include "sanitizers/watchpoint/evidence.hpp"

namespace racelab::verdict {
namespace {

using json = nlohmann::json;

std::uint64_t number(const json& hex) {
  const auto& text = hex.get_ref<const std::string&>();
  std::uint64_t value = 0;
  const std::string_view digits = std::string_view(text).substr(text.starts_with("0x") ? 2 : 0);
  std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return value;
}

touch touch_of(bool write, bool release) {
  if (release) return touch::free;
  return write ? touch::write : touch::read;
}

std::memory_order order_of(std::uint8_t atomic) {
  return static_cast<std::memory_order>(atomic == 0 ? 0 : atomic - 1);
}

// Where one process has its modules.
class address_space {
 public:
  void add(std::uint32_t module, std::uint64_t base, std::uint64_t end) {
    ranges_[end] = {.base = base, .module = module};
  }

  [[nodiscard]] place at(std::uint64_t pc) const {
    const auto found = ranges_.lower_bound(pc);
    if (found == ranges_.end() || pc < found->second.base) return {.module = 0, .offset = pc};
    return {.module = found->second.module, .offset = pc - found->second.base};
  }

 private:
  struct range {
    std::uint64_t base = 0;
    std::uint32_t module = 0;
  };
  std::map<std::uint64_t, range> ranges_;  // by their ends
};

class reader {
 public:
  explicit reader(module_table& modules) : modules_(&modules) {}

  void read_log(const std::filesystem::path& file) {
    std::ifstream log(file);
    for (std::string line; std::getline(log, line);) {
      try {
        take(json::parse(line));
      } catch (const json::exception&) {
        ++found_.unread;  // the process died while it wrote, or the disk was full
      }
    }
  }

  void read_sites(const std::filesystem::path& file) {
    for (const watch::site_entry& each : entries<watch::site_entry>(file)) {
      if (each.pc == 0) continue;
      found_.sites.push_back({.pc = first_process().at(each.pc),
                              .visits = each.visits,
                              .size = each.size,
                              .access = touch_of(each.write != 0, each.release != 0),
                              .atomic = each.atomic != 0,
                              .several_threads = each.threads > 1});
    }
  }

  void read_events(const std::filesystem::path& file) {
    for (const watch::event_entry& each : entries<watch::event_entry>(file)) {
      if (each.pc == 0) continue;  // claimed by a thread that was killed before it wrote
      found_.events.push_back({.what = static_cast<event::kind>(each.kind),
                               .access = touch_of(each.write != 0, each.release != 0),
                               .atomic = each.atomic != 0,
                               .order = order_of(each.atomic),
                               .thread = each.thread,
                               .visit = each.visit,
                               .size = each.size,
                               .time_ns = each.time_ns,
                               .address = each.address,
                               .value = each.value,
                               .pc = first_process().at(each.pc)});
    }
    std::ranges::sort(found_.events, [](const event& a, const event& b) {
      return std::tie(a.time_ns, a.thread, a.what) < std::tie(b.time_ns, b.thread, b.what);
    });
  }

  evidence take_found() { return std::move(found_); }

 private:
  void take(const json& line) {
    const auto& kind = line.at("kind").get_ref<const std::string&>();
    const long process = line.at("process").get<long>();
    if (first_ == 0) first_ = process;
    // A forked child has its parent's modules where they were, and says nothing of them.
    const address_space& space = spaces_.try_emplace(process, spaces_[first_]).first->second;
    if (kind == "modules") {
      address_space& fresh = spaces_[process] = {};
      for (const json& each : line.at("modules"))
        fresh.add(modules_->id(each.at("path").get_ref<const std::string&>()), number(each.at("base")),
                  number(each.at("end")));
    } else if (kind == "pair" || kind == "changed") {
      caught_pair pair{.stalled = side(line.at("stalled"), space),
                       .came = std::nullopt,
                       .value_before = number(line.at("value_before")),
                       .value_after = 0,
                       .writes = std::nullopt};
      if (kind == "pair") pair.came = side(line.at("came"), space);
      if (kind == "changed") pair.value_after = number(line.at("value_after"));
      if (line.contains("written_by")) pair.writes = writes_of(line, space);
      found_.caught.push_back(std::move(pair));
    } else if (kind == "others") {
      bystanders all{.stalled = side(line.at("stalled"), space), .threads = {}};
      for (const json& each : line.at("threads")) all.threads.push_back(stack_of(each, space));
      found_.others.push_back(std::move(all));
    } else if (kind == "deadlock") {
      deadlock cycle;
      for (const json& each : line.at("threads"))
        cycle.waiters.push_back({.where = stack_of(each, space),
                                 .waits_for = each.at("waits_for").get<std::string>(),
                                 .holds = each.at("holds").get<std::vector<std::string>>()});
      found_.deadlocks.push_back(std::move(cycle));
    } else if (kind == "nested_lock") {
      found_.nested_locks.push_back({.where = stack_of(line, space),
                                     .mutex = line.at("mutex").get<std::string>(),
                                     .held = line.at("held").get<std::vector<std::string>>(),
                                     .alive = line.at("alive").get<std::set<unsigned>>()});
    } else {
      ++found_.unread;
    }
  }

  static unseen_writes writes_of(const json& line, const address_space& space) {
    unseen_writes found{.watched = line.at("watched").get<bool>(),
                        .mapped_twice = line.at("mapped_twice").get<bool>(),
                        .by = {}};
    for (const json& each : line.at("written_by"))
      found.by.push_back({.pc = space.at(number(each.at("after"))), .atomic = each.at("atomic").get<bool>()});
    return found;
  }

  static std::vector<place> trace(const json& pcs, const address_space& space) {
    std::vector<place> all;
    for (const json& each : pcs) all.push_back(space.at(number(each)));
    return all;
  }

  static thread_stack stack_of(const json& from, const address_space& space) {
    thread_stack result{.thread = from.at("thread").get<unsigned>(),
                        .stack = trace(from.at("stack"), space),
                        .created_by = {}};
    if (const auto creator = from.find("created_by"); creator != from.end())
      result.created_by = trace(*creator, space);
    return result;
  }

  static party side(const json& from, const address_space& space) {
    const auto& access = from.at("access").get_ref<const std::string&>();
    return {.thread = from.at("thread").get<unsigned>(),
            .access = touch_of(access == "write", access == "free"),
            .atomic = from.at("atomic").get<bool>(),
            .address = number(from.at("address")),
            .size = from.at("size").get<std::uint64_t>(),
            .visit = from.at("visit").get<std::uint64_t>(),
            .pc = space.at(number(from.at("pc"))),
            .stack = trace(from.at("stack"), space),
            .created_by = trace(from.at("created_by"), space)};
  }

  const address_space& first_process() { return spaces_[first_]; }

  template <class Entry> static std::vector<Entry> entries(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::array<char, 64> start{};
    static_assert(sizeof(watch::evidence_header) == start.size());
    if (!in.read(start.data(), start.size())) return {};
    std::uint64_t entry_size = 0;
    std::uint64_t capacity = 0;
    std::uint64_t used = 0;
    std::memcpy(&entry_size, start.data() + offsetof(watch::evidence_header, entry_size), sizeof entry_size);
    std::memcpy(&capacity, start.data() + offsetof(watch::evidence_header, capacity), sizeof capacity);
    std::memcpy(&used, start.data() + offsetof(watch::evidence_header, used), sizeof used);
    if (entry_size != sizeof(Entry)) return {};
    // A program that writes where it should not may have written here.
    std::error_code error;
    const std::uint64_t there = (std::filesystem::file_size(file, error) - start.size()) / sizeof(Entry);
    std::vector<Entry> all(error ? 0 : std::min({used, capacity, there}));
    in.read(reinterpret_cast<char*>(all.data()), static_cast<std::streamsize>(all.size() * sizeof(Entry)));
    all.resize(static_cast<std::size_t>(in.gcount()) / sizeof(Entry));
    return all;
  }

  module_table* modules_;
  std::map<long, address_space> spaces_;
  long first_ = 0;  // the process that wrote first
  evidence found_;
};

}  // namespace

std::string_view name(touch what) noexcept {
  static constexpr std::array<std::string_view, 3> names{"read", "write", "free"};
  return names[static_cast<std::size_t>(what)];
}

evidence read_evidence(const evidence_files& files, module_table& modules) {
  reader from(modules);
  from.read_log(files.log);
  if (!files.sites.empty()) from.read_sites(files.sites);
  if (!files.events.empty()) from.read_events(files.events);
  return from.take_found();
}

}  // namespace racelab::verdict
