// Memory: what does an entry cost, what stays after a mass deletion, and how much more is there while writers write?
//
// Every map in a process of its own, whose heap no other map has used. In use is what malloc handed out (mallinfo2), resident
// what the kernel counts (smaps_rollup).
#include <fmt/format.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/contenders.hpp"
#include "bench/support/contender.hpp"
#include "bench/support/program.hpp"

namespace {

using namespace racelab::bench;
using key = std::uint64_t;

constexpr std::size_t loaded_entries = 100'000;

double in_use() {
  const struct mallinfo2 heap = mallinfo2();
  return static_cast<double>(heap.uordblks + heap.hblkhd);
}

double resident() {
  std::ifstream file("/proc/self/smaps_rollup");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("Rss:")) return std::strtod(line.c_str() + 4, nullptr) * 1024;
  return 0;
}

struct footprint {
  double bytes_per_entry = 0;      // in use
  double resident_mb = 0;          // full
  double resident_deleted_mb = 0;  // after 99 of 100 entries were deleted
  double in_use_deleted_mb = 0;    // the same, of malloc's
  double resident_trimmed_mb = 0;  // after malloc_trim()
  double peak_under_writes = 0;    // in use over in use before two writers began
};

template <class Map> void erase_most(Map& map, const std::vector<key>& keys) {
  std::vector<key> doomed;
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (i % 100 != 0) doomed.push_back(keys[i]);
  if constexpr (requires { map.erase_all(doomed); })
    map.erase_all(doomed);
  else
    for (const key each : doomed) map.erase(each);
}

template <class Map> double peak_while_writing() {
  const auto keys = make_keys<key>(loaded_entries);
  const double base = in_use();
  Map map;
  fill(map, *keys);
  const double before = in_use() - base;
  std::atomic<bool> stop{false};
  double most = before;
  {
    std::vector<std::jthread> writers;
    for (std::size_t writer = 0; writer < 2; ++writer)
      writers.emplace_back([&, writer] {
        for (std::size_t i = writer; !stop.load(std::memory_order_relaxed); i = (i + 2) % keys->size()) {
          map.erase((*keys)[i]);
          map.insert((*keys)[i], i);
        }
      });
    // A reader beside them: what it looks at may not be freed.
    std::size_t at = 0;
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
    while (std::chrono::steady_clock::now() < end) {
      for (int i = 0; i < 100; ++i) benchmark::DoNotOptimize(map.find((*keys)[at++ % keys->size()]));
      most = std::max(most, in_use() - base);
    }
    stop = true;
  }
  return most / before;
}

template <class Map> footprint measure(std::size_t entries) {
  footprint found;
  const auto keys = make_keys<key>(entries);
  malloc_trim(0);
  const double base = in_use();
  const double base_resident = resident();
  const auto mb = [](double bytes) { return bytes / 1048576; };
  {
    Map map;
    fill(map, *keys);
    found.bytes_per_entry = (in_use() - base) / static_cast<double>(entries);
    found.resident_mb = mb(resident() - base_resident);
    erase_most(map, *keys);
    found.in_use_deleted_mb = mb(in_use() - base);
    found.resident_deleted_mb = mb(resident() - base_resident);
    malloc_trim(0);
    found.resident_trimmed_mb = mb(resident() - base_resident);
  }
  if constexpr (!for_one_thread<Map>()) found.peak_under_writes = peak_while_writing<Map>();
  return found;
}

template <class Map> void in_a_process_of_its_own(benchmark::State& state, std::size_t entries) {
  for ([[maybe_unused]] auto _ : state) {
    std::array<int, 2> ends{};
    footprint found;
    if (pipe(ends.data()) != 0) {
      state.SkipWithError("no pipe");
      return;
    }
    const pid_t child = fork();
    if (child < 0) {
      state.SkipWithError("no process");
      return;
    }
    if (child == 0) {
      found = measure<Map>(entries);
      _exit(write(ends[1], &found, sizeof found) == static_cast<ssize_t>(sizeof found) ? 0 : 1);
    }
    close(ends[1]);
    const bool whole = read(ends[0], &found, sizeof found) == static_cast<ssize_t>(sizeof found);
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (!whole || status != 0) {
      state.SkipWithError("the map's process failed");
      return;
    }
    state.counters["bytes_per_entry"] = found.bytes_per_entry;
    state.counters["resident_mb"] = found.resident_mb;
    state.counters["resident_deleted_mb"] = found.resident_deleted_mb;
    state.counters["in_use_deleted_mb"] = found.in_use_deleted_mb;
    state.counters["resident_trimmed_mb"] = found.resident_trimmed_mb;
    if (found.peak_under_writes > 0) state.counters["peak_under_writes"] = found.peak_under_writes;
  }
}

void plan(rounds& into, const settings& chosen) {
  const std::size_t entries = chosen.quick ? 10'000 : 1'000'000;
  for_each_contender<contenders>([&]<class Contender>() {
    using map_type = typename Contender::template map<key, std::uint64_t>;
    into.turn(Contender::name, [] {}, [] {});
    into.once(fmt::format("entries={}", entries),
              [entries](benchmark::State& state) { in_a_process_of_its_own<map_type>(state, entries); });
  });
}

void tell(const results& measured) {
  const std::string point = measured.points().front();
  fmt::print(
      "\n{} uint64 keys and values; then 99 of 100 are deleted; then malloc_trim(). Peak: in use at most "
      "while two "
      "threads write and one reads,\nover in use before, {} entries\n",
      point, loaded_entries);
  fmt::print("  {:<22} {:>12} {:>12} {:>12} {:>12} {:>12} {:>12}\n", "", "bytes/entry", "resident MB",
             "deleted MB", "in use MB", "trimmed MB", "peak, times");
  for (const std::string& contender : measured.contenders()) {
    const auto median = [&](const char* quantity) {
      return measured.value(contender, point, quantity).median;
    };
    fmt::print("  {:<22} {:>12.1f} {:>12.1f} {:>12.1f} {:>12.1f} {:>12.1f} {:>12}\n", contender,
               median("bytes_per_entry"), median("resident_mb"), median("resident_deleted_mb"),
               median("in_use_deleted_mb"), median("resident_trimmed_mb"),
               measured.has(contender, point, "peak_under_writes")
                   ? fmt::format("{:.2f}", median("peak_under_writes"))
                   : "-");
  }
}

}  // namespace

int main(int argc, char** argv) {
  return answer(argc, argv,
                {.name = "memory_bench",
                 .asked = "What does an entry cost, what stays after a mass deletion, and how much is there "
                          "while writers write?",
                 .plan = plan,
                 .tell = tell,
                 .plots = {{.file = "memory_entry",
                            .title = "Bytes for an entry, 1,000,000 uint64 keys and values",
                            .quantity = "bytes_per_entry",
                            .unit = "bytes"},
                           {.file = "memory_peak",
                            .title = "Memory in use at most while two threads write, over that before",
                            .quantity = "peak_under_writes",
                            .unit = "times"},
                           {.file = "memory_deleted",
                            .title = "Resident after 99 of 100 entries were deleted",
                            .quantity = "resident_deleted_mb",
                            .unit = "MB"},
                           {.file = "memory_trimmed",
                            .title = "Resident after malloc_trim(), 99 of 100 entries deleted",
                            .quantity = "resident_trimmed_mb",
                            .unit = "MB"}}});
}
