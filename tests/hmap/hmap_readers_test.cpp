// Threads that only read an hmap, under ThreadSanitizer: Go's TestNoRaceMapRR and TestNoRaceMapRangeRange.
// And one race, so that the silence means something.
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <string>
#include <thread>

#include "repro/support/hmap/hmap.hpp"

namespace {

std::atomic<int> reports{0};

using words = racelab::hmap<std::string, int>;

words growing_map() {
  words map;
  for (int i = 0; i < 110; ++i) map.insert("key-" + std::to_string(i), i);
  return map;
}

template <class Work> int reports_of_two_threads(Work work) {
  const int before = reports.load();
  std::thread first(work);
  std::thread second(work);
  first.join();
  second.join();
  return reports.load() - before;
}

TEST(NoRace, MapRR) {
  const words map = growing_map();
  EXPECT_EQ(reports_of_two_threads([&] {
              for (int i = 0; i < 200; ++i) (void)map.find("key-" + std::to_string(i));
              (void)map.size();
            }),
            0);
}

TEST(NoRace, MapRangeRange) {
  const words map = growing_map();
  EXPECT_EQ(reports_of_two_threads([&] {
              std::size_t walked = 0;
              for (int i = 0; i < 10; ++i) map.for_each([&](const std::string&, int) { ++walked; });
              EXPECT_EQ(walked, 1100U);
              EXPECT_EQ(words(map).size(), 110U);
            }),
            0);
}

TEST(Race, MapRWOfOneKeyIsReported) {
  words map = growing_map();
  map.clear();
  map.insert("key-1", 0);
  EXPECT_GT(reports_of_two_threads([&] {
              for (int i = 0; i < 200; ++i) map.insert_or_assign("key-1", i);
            }),
            0)
      << "the map must not order its threads";
}

}  // namespace

// ThreadSanitizer's hook: called for each report.
extern "C" void __tsan_on_report(void* /*report*/) { reports.fetch_add(1, std::memory_order_relaxed); }
extern "C" const char* __tsan_default_options() { return "exitcode=0:suppress_equal_stacks=0"; }
