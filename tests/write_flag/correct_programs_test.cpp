// Ten thousand runs of programs that are correct: the write flag finds nothing.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <latch>
#include <mutex>
#include <random>
#include <semaphore>
#include <shared_mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "repro/support/hmap/hmap.hpp"
#include "repro/support/maps/std_adapter.hpp"
#include "sanitizers/write_flag/checked.hpp"

namespace {

// Through the lab's contract, so that one program runs on each kind of map.
using unordered = racelab::std_adapter<racelab::checked<std::unordered_map<int, int>>>;
using flat = racelab::std_adapter<racelab::checked<boost::unordered_flat_map<int, int>>>;
using go = racelab::hmap<int, int, racelab::write_flag::on>;

constexpr int operations = 20;
constexpr int keys = 16;

template <typename Map> void change(Map& map, std::minstd_rand& random) {
  const int key = static_cast<int>(random() % keys);
  switch (random() % 4) {
    case 0:
      static_cast<void>(map.insert(key, key));
      break;
    case 1:
      map.insert_or_assign(key, key);
      break;
    case 2:
      static_cast<void>(map.erase(key));
      break;
    default:
      if (random() % 8 == 0) map.clear();
  }
}
template <typename Map> void look(const Map& map, std::minstd_rand& random) {
  switch (random() % 4) {
    case 0:
      static_cast<void>(map.size());
      break;
    case 1: {
      const Map copy(map);
      break;
    }
    case 2:
      map.for_each([](int, int) {});
      break;
    default:
      static_cast<void>(map.find(static_cast<int>(random() % keys)));
  }
}

template <typename Body> void run_threads(unsigned count, Body body) {
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < count; ++i)
    threads.emplace_back([&body, i] {
      std::minstd_rand random(i + 1);
      body(random);
    });
}

template <typename Map> void under_a_mutex(unsigned threads) {
  Map map;
  std::mutex mutex;
  run_threads(threads, [&](std::minstd_rand& random) {
    for (int i = 0; i < operations; ++i) {
      const std::scoped_lock lock(mutex);
      change(map, random);
      look(map, random);
    }
  });
}

template <typename Map> void under_a_shared_mutex(unsigned threads) {
  Map map;
  std::shared_mutex mutex;
  run_threads(threads, [&](std::minstd_rand& random) {
    for (int i = 0; i < operations; ++i) {
      if (random() % 2 == 0) {
        const std::unique_lock lock(mutex);
        change(map, random);
      } else {
        const std::shared_lock lock(mutex);
        look(map, random);
      }
    }
  });
}

template <typename Map> void read_by_all_after_one_wrote(unsigned threads) {
  Map map;
  std::thread([&] {
    for (int key = 0; key < keys; ++key) map.insert_or_assign(key, key);
  }).join();
  run_threads(threads, [&](std::minstd_rand& random) {
    for (int i = 0; i < operations; ++i) look(map, random);
  });
}

template <typename Map> void handed_round_by_semaphores(unsigned threads) {
  Map map;
  std::binary_semaphore turn(1);
  run_threads(threads, [&](std::minstd_rand& random) {
    for (int i = 0; i < operations; ++i) {
      turn.acquire();
      change(map, random);
      turn.release();
    }
  });
}

template <typename Map> void published_by_an_atomic(unsigned threads) {
  std::atomic<Map*> published{nullptr};
  run_threads(threads, [&](std::minstd_rand& random) {
    auto mine = new Map;
    for (int i = 0; i < operations; ++i) change(*mine, random);
    Map* const other = published.exchange(mine, std::memory_order_acq_rel);
    if (other == nullptr) return;
    change(*other, random);
    const Map moved(std::move(*other));
    look(moved, random);
    delete other;
  });
  delete published.load();
}

template <typename Map> void each_its_own(unsigned threads) {
  run_threads(threads, [&](std::minstd_rand& random) {
    Map map;
    for (int i = 0; i < operations; ++i) change(map, random);
    look(map, random);
  });
}

template <typename Map> void run_trials(int trials) {
  const auto before = racelab::write_flag::times_found();
  racelab::write_flag::set_policy(racelab::write_flag::policy::report);
  for (int trial = 0; trial < trials; ++trial) {
    const auto threads = 2 + static_cast<unsigned>(trial) % 3;
    switch (trial % 6) {
      case 0:
        under_a_mutex<Map>(threads);
        break;
      case 1:
        under_a_shared_mutex<Map>(threads);
        break;
      case 2:
        read_by_all_after_one_wrote<Map>(threads);
        break;
      case 3:
        handed_round_by_semaphores<Map>(threads);
        break;
      case 4:
        published_by_an_atomic<Map>(threads);
        break;
      default:
        each_its_own<Map>(threads);
    }
  }
  EXPECT_EQ(racelab::write_flag::times_found(), before);
}

TEST(correct_programs, on_a_checked_unordered_map_find_nothing) { run_trials<unordered>(4'000); }
TEST(correct_programs, on_a_checked_flat_map_find_nothing) { run_trials<flat>(3'000); }
TEST(correct_programs, on_the_ported_go_map_find_nothing) { run_trials<go>(3'000); }

// The same loops without a lock are found out, so that the zeros above say something. Two threads are in erase_if
// at once, for each waits there for the other one; neither erases anything.
TEST(correct_programs, are_told_from_one_without_its_lock) {
  const auto before = racelab::write_flag::times_found();
  racelab::write_flag::set_policy(racelab::write_flag::policy::report);
  racelab::checked<std::unordered_map<int, int>> map{{1, 1}};
  std::latch both_inside(2);
  run_threads(2, [&](std::minstd_rand&) {
    erase_if(map, [&](const auto&) {
      both_inside.arrive_and_wait();
      return false;
    });
  });
  EXPECT_GT(racelab::write_flag::times_found(), before);
}

}  // namespace
