// What does the write flag cost? checked<Map> against Map, on one thread, as paired ratios.
//
//   write_flag_bench [--rounds N] [--json FILE] [--check]
//
// Eight cells for each map: find, and erase with insert; 1,000 and 1,000,000 entries; uint64 and string keys. Each
// operation is a call of a function of its own: it stands for one in a program that does something else between two.
// A round times every cell once, both sides next to one another, and gives one geometric mean over the cells.
// --check exits 1 if a bar is broken.
//
// Two things cost more than what is measured, and are kept out of it:
// - Where the nodes of two maps happen to lie. Both sides work on one and the same map, through its flag and past it;
//   each on new keys, so that neither warms the cache for the other.
// - Where the code happens to lie: three no-ops in the right place change some of the cells by 20 %. Each side
//   exists in many copies that lie differently, and the rounds take them in turn. After C. Curtsinger and E. Berger,
//   "Stabilizer: statistically sound performance evaluation" (2013).
#include <fmt/format.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bench/support/arguments.hpp"
#include "bench/support/machine.hpp"
#include "bench/support/paired.hpp"
#include "sanitizers/write_flag/checked.hpp"

namespace {

using namespace racelab;

constexpr std::size_t keys_for_each_side = 5'000;
constexpr std::size_t layouts = 32;

template <class Key> Key key(std::uint64_t i) {
  if constexpr (std::is_same_v<Key, std::string>)
    return "key-" + std::to_string(i);
  else
    return i * 0x9e3779b97f4a7c15U;
}

// Something that depends on every operation, so that none is optimised away.
void keep(std::uint64_t value) { asm volatile("" : : "r"(value) : "memory"); }

// The operations, and the loops over them, in one of the layouts: so many bytes from where they would be.
template <std::size_t Layout> struct code {
  [[gnu::always_inline]] static void shift() { asm volatile(".skip %c0, 0x90" : : "i"(1 + 7 * Layout)); }

  template <class Map>
  [[gnu::noinline]] static std::uint64_t find(Map& map, const typename Map::key_type& key) {
    const auto at = map.find(key);
    return at == map.end() ? 0 : at->second;
  }
  template <class Map>
  [[gnu::noinline]] static bool erase_and_insert(Map& map, const typename Map::key_type& key) {
    const bool erased = map.erase(key) == 1;
    return map.try_emplace(key, std::uint64_t{1}).second && erased;
  }

  template <class Map>
  [[gnu::noinline]] static void find_all(Map& map, const std::vector<typename Map::key_type>& wanted) {
    shift();
    for (const auto& each : wanted) keep(find(map, each));
  }
  template <class Map>
  [[gnu::noinline]] static void erase_and_insert_all(Map& map,
                                                     const std::vector<typename Map::key_type>& wanted) {
    shift();
    for (const auto& each : wanted) keep(erase_and_insert(map, each) ? 1 : 0);
  }
};

// Calls work(code<layout>()).
template <class Work> void in_layout(std::size_t layout, Work work) {
  [&]<std::size_t... Each>(std::index_sequence<Each...>) {
    ((Each == layout ? work(code<Each>()) : void()), ...);
  }(std::make_index_sequence<layouts>());
}

template <class Map> std::unique_ptr<Map> filled(std::size_t entries) {
  auto map = std::make_unique<Map>();
  for (std::uint64_t i = 0; i < entries; ++i) map->emplace(key<typename Map::key_type>(i), i);
  return map;
}

struct cell {
  std::string operation;
  std::string keys;
  std::size_t entries = 0;
  std::vector<double> ratios = {};  // checked over plain
  std::vector<double> plain_ns = {};
  std::function<void()> build = [] {};
  std::function<void(std::size_t round, cell&)> measure = {};
  std::function<void()> drop = [] {};
};

// Two cells, find and erase+insert, that share a map.
template <template <class, class> class Map, class Key>
void add_cells(std::vector<cell>& cells, const std::string& keys, std::size_t entries) {
  struct shared_map {
    std::unique_ptr<checked<Map<Key, std::uint64_t>>> map;
    std::vector<Key> wanted = std::vector<Key>(keys_for_each_side);
    std::mt19937_64 random;
  };
  const auto both = std::make_shared<shared_map>();

  const auto build = [both, entries] { both->map = filled<checked<Map<Key, std::uint64_t>>>(entries); };
  const auto drop = [both] { *both = {}; };
  const auto measured_by = [both, entries](auto work_on) {
    return [both, entries, work_on](std::size_t round, cell& into) {
      const auto time = [&](auto& map, std::size_t layout) {
        // New keys each time: erase+insert moves entries next to those it has just touched, so a second pass in the
        // same order would find them side by side.
        for (Key& each : both->wanted) each = key<Key>(both->random() % entries);
        const auto start = std::chrono::steady_clock::now();
        in_layout(layout % layouts, [&](auto code) { work_on(code, map, both->wanted); });
        return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
      };
      // In 64 rounds every layout of the one side meets every one of the other.
      const bool plain_first = round % 2 == 0;
      double plain = plain_first ? time(both->map->unwatched(), round) : 0;
      const double watched = time(*both->map, round + round / layouts);
      if (!plain_first) plain = time(both->map->unwatched(), round);
      into.ratios.push_back(watched / plain);
      into.plain_ns.push_back(plain / static_cast<double>(keys_for_each_side));
    };
  };
  cells.push_back(
      {.operation = "find",
       .keys = keys,
       .entries = entries,
       .build = build,
       .measure = measured_by([](auto code, auto& map, const auto& wanted) { code.find_all(map, wanted); })});
  cells.push_back({.operation = "erase+insert",
                   .keys = keys,
                   .entries = entries,
                   .measure = measured_by([](auto code, auto& map, const auto& wanted) {
                     code.erase_and_insert_all(map, wanted);
                   }),
                   .drop = drop});
}

struct contest {
  std::string map;
  double bar = 0;
  std::vector<cell> cells;
  std::vector<double> means;  // geometric, one for each round
};

template <template <class, class> class Map> contest contest_of(const std::string& name, double bar) {
  contest result{.map = name, .bar = bar, .cells = {}, .means = {}};
  for (const std::size_t entries : {std::size_t{1'000}, std::size_t{1'000'000}}) {
    add_cells<Map, std::uint64_t>(result.cells, "uint64", entries);
    add_cells<Map, std::string>(result.cells, "key-%d", entries);
  }
  return result;
}

void run(contest& what, std::size_t rounds) {
  what.means.assign(rounds, 0);
  // One map at a time: eight of a million entries would only fight for the cache.
  for (std::size_t i = 0; i < what.cells.size(); i += 2) {
    what.cells[i].build();
    for (cell* one : {&what.cells[i], &what.cells[i + 1]}) {
      cell warm = *one;
      warm.measure(0, warm);
      for (std::size_t round = 0; round < rounds; ++round) {
        one->measure(round, *one);
        what.means[round] += std::log(one->ratios.back()) / static_cast<double>(what.cells.size());
      }
    }
    what.cells[i + 1].drop();
  }
  for (double& mean : what.means) mean = std::exp(mean);
}

template <class Key, class Value> using std_map = std::unordered_map<Key, Value>;
template <class Key, class Value> using flat_map = boost::unordered_flat_map<Key, Value>;

std::string shown(const bench::paired_ratio& ratio) {
  return fmt::format("{:.3f} [{:.3f}, {:.3f}]", ratio.median, ratio.low, ratio.high);
}

}  // namespace

int main(int argc, char** argv) {
  bench::arguments given{.rounds = 256};
  if (const auto end = bench::read_arguments(
          argc, argv,
          {.name = "write_flag_bench",
           .asked = "What does the write flag cost? checked<Map> against Map, on one thread.",
           .bar = "exit 1 if a bar is broken",
           .writes_json = true},
          given))
    return *end;

  fmt::print("The write flag on one thread: time with it over time without, {} rounds\n{}\n\n", given.rounds,
             bench::this_machine());
  fmt::print("{:<22} {:<13} {:<7} {:>9}  {:<22} {:>12}\n", "map", "operation", "keys", "entries",
             "ratio [95 %]", "ns without");
  std::vector<contest> contests{contest_of<std_map>("std::unordered_map", 1.05),
                                contest_of<flat_map>("unordered_flat_map", 1.12)};
  std::string rows;
  int broken = 0;
  for (contest& each : contests) {
    run(each, given.rounds);
    for (const cell& one : each.cells) {
      const auto ratio = bench::summarise(one.ratios);
      const double ns = bench::median_of(one.plain_ns);
      fmt::print("{:<22} {:<13} {:<7} {:>9}  {:<22} {:>12.1f}\n", each.map, one.operation, one.keys,
                 one.entries, shown(ratio), ns);
      rows += fmt::format(
          R"({}{{"map":"{}","operation":"{}","keys":"{}","entries":{},"ratio":{:.4f},"ci95":[{:.4f},{:.4f}],"ns":{:.2f}}})",
          rows.empty() ? "" : ",\n", each.map, one.operation, one.keys, one.entries, ratio.median, ratio.low,
          ratio.high, ns);
    }
    const auto mean = bench::summarise(each.means);
    // Broken is what the whole interval says: a neighbour's load moves the median by a hundredth.
    const bool breaks = mean.low > each.bar;
    broken += breaks ? 1 : 0;
    const char* verdict = mean.median <= each.bar ? "holds" : "undecided";
    if (breaks) verdict = "BROKEN";
    fmt::print("{:<22} {:<31}  {:<22} bar {:.2f}: {}\n\n", each.map, "geometric mean", shown(mean), each.bar,
               verdict);
    rows += fmt::format(
        R"(,{}{{"map":"{}","operation":"geometric mean","ratio":{:.4f},"ci95":[{:.4f},{:.4f}],"bar":{}}})",
        "\n", each.map, mean.median, mean.low, mean.high, each.bar);
  }
  if (!given.json.empty()) {
    std::ofstream file(given.json);
    file << "{\"machine\":\"" << bench::this_machine() << "\",\"rounds\":" << given.rounds << ",\"rows\":[\n"
         << rows << "]}\n";
    if (!file.flush()) {
      fmt::print(stderr, "write_flag_bench: {}: {}\n", given.json, std::strerror(errno));
      return 2;
    }
  }
  return given.check && broken != 0 ? 1 : 0;
}
