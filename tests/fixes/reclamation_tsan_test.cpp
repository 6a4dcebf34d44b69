// What ThreadSanitizer says of the ways to keep a snapshot while it is read: why the remedies are made of hazard
// pointers (docs/reclamation.md). Each program is correct on x86-64 and replaces a snapshot that another thread reads.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "fixes/support/snapshot.hpp"
#include "repro/support/gate.hpp"
#include "tests/support/tsan_reports.hpp"

namespace {

constexpr int trials = 20;

// One thread reads, another one replaces what it has read: long after that, but nothing else orders the two.
template <class Way> int trials_reported_when_read_then_replaced() {
  return tsan_reports::trials_reported(trials, [] {
    // On the heap: the runtime remembers only the last few accesses to a word, and main's stack has seen many.
    const auto way = std::make_unique<Way>();
    std::atomic<bool> has_read{false};
    racelab::run_together(
        [&] {
          EXPECT_EQ(way->read(), 0);
          has_read.store(true, std::memory_order_relaxed);
        },
        [&] {
          while (!has_read.load(std::memory_order_relaxed)) std::this_thread::yield();
          way->replace(1);
        });
  });
}

template <class Way> int trials_reported_when_read_while_replaced() {
  return tsan_reports::trials_reported(trials, [] {
    Way way;
    racelab::run_together(
        [&] {
          for (int i = 0; i < 200; ++i) way.replace(i);
        },
        [&] {
          for (int i = 0; i < 200; ++i) EXPECT_GE(way.read(), 0);
        });
  });
}

class our_cell {
 public:
  void replace(int value) {
    cell_.publish(cell_.make(value));
    cell_.reclaim();
  }

 protected:
  racelab::snapshot_cell<int> cell_{0};
};

class hazard_pointer : public our_cell {
 public:
  int read() { return *cell_.read(); }
};

class handle : public our_cell {
 public:
  int read() { return *cell_.hold(); }
};

TEST(thread_sanitizer, is_silent_about_hazard_pointers) {
  EXPECT_EQ(trials_reported_when_read_then_replaced<hazard_pointer>(), 0);
  EXPECT_EQ(trials_reported_when_read_while_replaced<hazard_pointer>(), 0);
}

TEST(thread_sanitizer, is_silent_about_handles) {
  EXPECT_EQ(trials_reported_when_read_then_replaced<handle>(), 0);
  EXPECT_EQ(trials_reported_when_read_while_replaced<handle>(), 0);
}

// Its load() unlocks with relaxed order: nothing orders its read of the pointer before the next store()'s write.
#if defined(_GLIBCXX_RELEASE) && _GLIBCXX_RELEASE == 12
class atomic_shared_ptr {
 public:
  int read() { return *current_.load(); }
  void replace(int value) { current_.store(std::make_shared<const int>(value)); }

 private:
  std::atomic<std::shared_ptr<const int>> current_{std::make_shared<const int>(0)};
};

TEST(thread_sanitizer, reports_the_atomic_shared_ptr_of_libstdcxx_12) {
  EXPECT_EQ(trials_reported_when_read_then_replaced<atomic_shared_ptr>(), trials);
}
#endif

// The counter-check: a reader without protection is reported.
class nothing {
 public:
  nothing() = default;
  nothing(const nothing&) = delete;
  nothing& operator=(const nothing&) = delete;
  ~nothing() { delete current_.load(); }

  int read() { return *current_.load(); }
  void replace(int value) { delete current_.exchange(new int(value)); }

 private:
  std::atomic<int*> current_{new int(0)};
};

TEST(thread_sanitizer, reports_a_reader_that_protects_nothing) {
  EXPECT_EQ(trials_reported_when_read_then_replaced<nothing>(), trials);
}

}  // namespace
