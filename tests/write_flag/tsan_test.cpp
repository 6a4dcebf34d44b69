// The write flag hides no race from LLVM's ThreadSanitizer: a racy program on a checked map is reported every time,
// also when the flag has found it first.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "repro/support/gate.hpp"
#include "repro/support/hmap/hmap.hpp"
#include "sanitizers/write_flag/checked.hpp"
#include "tests/support/tsan_reports.hpp"

namespace {

constexpr int trials = 20;

// How many of the trials had a report.
template <typename Race> int trials_reported(Race race) {
  racelab::write_flag::set_handler([](const racelab::write_flag::finding&) {});
  const int reported = tsan_reports::trials_reported(trials, race);
  racelab::write_flag::set_handler(nullptr);
  return reported;
}

using checked_map = racelab::checked<std::unordered_map<int, int>>;
using go_map = racelab::hmap<int, int, racelab::write_flag::on>;

TEST(under_thread_sanitizer, two_writers_of_a_checked_map_are_reported) {
  EXPECT_EQ(trials_reported([] {
              checked_map map;
              map.reserve(1000);
              racelab::run_together(2, [&](int thread) {
                for (int i = 0; i < 50; ++i) map.insert_or_assign(thread * 100 + i, i);
              });
            }),
            trials);
}

// One thread's single operation long after the other one's: no edge comes from the flag.
template <typename First, typename Second>
int trials_reported_one_after_the_other(First first, Second second) {
  return trials_reported([&] {
    checked_map map;
    std::atomic<bool> done{false};
    racelab::run_together(
        [&] {
          first(map);
          done.store(true, std::memory_order_relaxed);
        },
        [&] {
          while (!done.load(std::memory_order_relaxed)) std::this_thread::yield();
          second(map);
        });
  });
}

TEST(under_thread_sanitizer, writes_that_only_happened_not_to_overlap_are_reported) {
  EXPECT_EQ(trials_reported_one_after_the_other([](checked_map& map) { map.emplace(1, 1); },
                                                [](checked_map& map) { map.emplace(2, 2); }),
            trials);
}

TEST(under_thread_sanitizer, a_read_that_only_happened_not_to_overlap_is_reported) {
  EXPECT_EQ(trials_reported_one_after_the_other([](checked_map& map) { map.emplace(1, 1); },
                                                [](checked_map& map) { EXPECT_TRUE(map.contains(1)); }),
            trials);
}

TEST(under_thread_sanitizer, two_writers_of_the_ported_go_map_are_reported) {
  EXPECT_EQ(trials_reported([] {
              go_map map(1000);
              racelab::run_together(2, [&](int thread) {
                for (int i = 0; i < 50; ++i) map.insert_or_assign(thread * 100 + i, i);
              });
            }),
            trials);
}

// The counter-check: with a lock there is no report, so those above are about the map, not about the detector.
TEST(under_thread_sanitizer, a_locked_program_is_not_reported) {
  EXPECT_EQ(trials_reported([] {
              checked_map map;
              std::mutex mutex;
              racelab::run_together(2, [&](int thread) {
                for (int i = 0; i < 50; ++i) {
                  const std::scoped_lock lock(mutex);
                  map.insert_or_assign(thread * 100 + i, i);
                }
              });
            }),
            0);
}

// And the detector at work, with findings by the thousand, has no race of its own: no report without a map.
TEST(under_thread_sanitizer, the_detector_itself_is_not_reported) {
  const auto before = racelab::write_flag::times_found();
  EXPECT_EQ(trials_reported([] {
              std::atomic<std::uint8_t> flags{0};
              racelab::run_together(4, [&](int) {
                for (int i = 0; i < 20; ++i) {
                  racelab::write_flag::on::entered(&flags);
                  racelab::write_flag::on::found(racelab::write_flag::misuse::writes, &flags, flags);
                  racelab::write_flag::on::left(&flags);
                }
              });
            }),
            0);
  EXPECT_GT(racelab::write_flag::times_found() - before, 0U);
}

}  // namespace
