// Hazard pointers: what is protected is not reclaimed, what is not is, and slots come back.
#include "fixes/support/hazard.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "repro/support/gate.hpp"

namespace {

using racelab::hazard_object;
#ifdef RACELAB_BARRIER_BY_READER
using racelab::hazard_pointer;
using racelab::retire_list;
#else
using hazard_pointer = racelab::asymmetric_hazard_pointer;
using retire_list = racelab::asymmetric_retire_list;
#endif

// Both numbers are plain: whoever reads them after the object's end, or before it was published, races.
class counted final : public hazard_object {
 public:
  explicit counted(int is) : first(is), second(std::make_unique<int>(is)) {
    living.fetch_add(1, std::memory_order_relaxed);
  }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  ~counted() override {
    first = -1;
    living.fetch_sub(1, std::memory_order_relaxed);
  }

  // Relaxed: a count, asked for once those who change it have been joined.
  static int alive() { return living.load(std::memory_order_relaxed); }

  int first;
  std::unique_ptr<int> second;

 private:
  static inline std::atomic<int> living{0};
};

int slots() {
  int count = 0;
  for (const auto* each = racelab::detail::hazard_slots().load(); each != nullptr; each = each->next) ++count;
  return count;
}

TEST(retired_object, is_reclaimed_at_once_if_nobody_protects_it) {
  retire_list retired;
  retired.retire(*new counted(1));
  EXPECT_EQ(counted::alive(), 0);
  EXPECT_EQ(retired.waiting(), 0U);
}

TEST(retired_object, waits_for_who_protects_it) {
  retire_list retired;
  std::atomic<counted*> source{new counted(1)};
  {
    hazard_pointer looking;
    counted* const seen = looking.protect(source);
    retired.retire(*source.exchange(new counted(2)));
    EXPECT_EQ(retired.reclaim(), 0U);
    EXPECT_EQ(retired.waiting(), 1U);
    EXPECT_EQ(*seen->second, 1);
  }
  EXPECT_EQ(retired.reclaim(), 1U);
  EXPECT_EQ(counted::alive(), 1);
  retired.retire(*source.exchange(nullptr));
  EXPECT_EQ(counted::alive(), 0);
}

TEST(retired_object, waits_until_the_last_of_several_lets_go) {
  retire_list retired;
  std::atomic<counted*> source{new counted(1)};
  std::optional<hazard_pointer> one(std::in_place);
  std::optional<hazard_pointer> other(std::in_place);
  one->protect(source);
  other->protect(source);
  retired.retire(*source.exchange(nullptr));
  one.reset();
  EXPECT_EQ(retired.reclaim(), 0U);
  other->reset_protection();
  EXPECT_EQ(retired.reclaim(), 1U);
}

TEST(retired_object, waits_for_each_of_a_hundred_readers) {
  constexpr std::size_t many = 100;  // more than are noted down while the list is looked through
  retire_list retired;
  std::array<std::atomic<counted*>, many> sources{};
  std::vector<std::unique_ptr<hazard_pointer>> readers;
  for (std::size_t i = 0; i < many; ++i) {
    sources.at(i) = new counted(static_cast<int>(i));
    readers.push_back(std::make_unique<hazard_pointer>());
    readers.back()->protect(sources.at(i));
  }
  for (auto& source : sources) retired.defer(*source.exchange(nullptr));
  EXPECT_EQ(retired.reclaim(), 0U);
  EXPECT_EQ(counted::alive(), static_cast<int>(many));
  readers.pop_back();
  EXPECT_EQ(retired.reclaim(), 1U);
  readers.resize(many / 2);
  EXPECT_EQ(retired.reclaim(), many / 2 - 1);
  readers.clear();
  EXPECT_EQ(retired.reclaim(), many / 2);
  EXPECT_EQ(counted::alive(), 0);
}

TEST(retired_object, is_let_go_by_protecting_another) {
  retire_list retired;
  std::atomic<counted*> source{new counted(1)};
  hazard_pointer looking;
  looking.protect(source);
  retired.retire(*source.exchange(new counted(2)));
  looking.protect(source);
  EXPECT_EQ(retired.reclaim(), 1U);
  retired.retire(*source.exchange(nullptr));
  EXPECT_EQ(looking.protect(source), nullptr);
  EXPECT_EQ(retired.reclaim(), 1U);
}

TEST(retired_object, waits_for_its_batch) {
  retire_list retired;
  for (int i = 0; i < 3; ++i) retired.retire(*new counted(i), 4);
  EXPECT_EQ(counted::alive(), 3);
  retired.retire(*new counted(3), 4);
  EXPECT_EQ(counted::alive(), 0);
}

TEST(retired_object, waits_for_reclaim_if_deferred) {
  retire_list retired;
  EXPECT_EQ(retired.defer(*new counted(1)), 1U);
  EXPECT_EQ(retired.defer(*new counted(2)), 2U);
  EXPECT_EQ(counted::alive(), 2);
  EXPECT_EQ(retired.reclaim(), 2U);
  EXPECT_EQ(counted::alive(), 0);
}

TEST(retired_object, is_reclaimed_at_the_lists_end) {
  {
    retire_list retired;
    retired.defer(*new counted(1));
  }
  EXPECT_EQ(counted::alive(), 0);
}

TEST(retired_object, may_retire_others_when_it_is_destroyed) {
  class parent final : public hazard_object {
   public:
    explicit parent(retire_list& list) : list_(list) {}
    parent(const parent&) = delete;
    parent& operator=(const parent&) = delete;
    // NOLINTNEXTLINE(bugprone-unhandled-exception-at-new): a test may end there
    ~parent() override { list_.retire(*new counted(1)); }

   private:
    retire_list& list_;
  };
  retire_list retired;
  retired.retire(*new parent(retired));
  EXPECT_EQ(counted::alive(), 0);
  EXPECT_EQ(retired.waiting(), 0U);
}

// The short way to make a hazard_pointer looks at the thread's first slot alone.
TEST(hazard_pointer_made_with_its_source, has_a_slot_of_its_own) {
  retire_list retired;
  std::array<std::atomic<counted*>, 7> sources{};
  std::vector<std::unique_ptr<hazard_pointer>> readers;
  for (auto& source : sources) {
    source = new counted(1);
    counted* seen = nullptr;
    readers.push_back(std::make_unique<hazard_pointer>(source, seen));
    EXPECT_EQ(seen, source.load());
  }
  const hazard_pointer protects_nothing;
  for (auto& source : sources) retired.defer(*source.exchange(nullptr));
  EXPECT_EQ(retired.reclaim(), 0U);
  for (std::size_t left = readers.size(); left != 0; --left) {
    readers.erase(readers.begin());  // the first comes back first, and is not the last one's
    EXPECT_EQ(retired.reclaim(), 1U);
  }
  EXPECT_EQ(counted::alive(), 0);
}

TEST(hazard_pointer_made_with_its_source, leaves_alone_the_slot_of_one_that_protects_nothing_yet) {
  retire_list retired;
  std::atomic<counted*> first{new counted(1)};
  std::atomic<counted*> second{new counted(2)};
  hazard_pointer early;
  {
    counted* seen = nullptr;
    const hazard_pointer late(first, seen);
    early.protect(second);
    retired.defer(*first.exchange(nullptr));
    retired.defer(*second.exchange(nullptr));
    EXPECT_EQ(retired.reclaim(), 0U);
  }
  EXPECT_EQ(retired.reclaim(), 1U);
  early.reset_protection();
  EXPECT_EQ(retired.reclaim(), 1U);
}

TEST(hazard_slot, is_used_again) {
  {
    const std::array<hazard_pointer, 6> warm;
  }
  const int before = slots();
  for (int i = 0; i < 100; ++i) const std::array<hazard_pointer, 6> at_once;
  EXPECT_EQ(slots(), before);
}

TEST(hazard_slot, comes_back_from_a_thread_that_has_ended) {
  const auto use = [] { const std::array<hazard_pointer, 6> at_once; };
  std::thread(use).join();
  const int before = slots();
  for (int i = 0; i < 20; ++i) std::thread(use).join();
  EXPECT_EQ(slots(), before);
}

// A thread_local that was made before the thread's first hazard pointer is destroyed after the thread has given its
// slots back.
TEST(hazard_slot, can_still_be_had_while_a_thread_ends) {
  struct late_reader {
    late_reader() = default;
    late_reader(const late_reader&) = delete;
    late_reader& operator=(const late_reader&) = delete;
    ~late_reader() {
      // NOLINTNEXTLINE(bugprone-unhandled-exception-at-new): a test may end there
      std::atomic<counted*> source{new counted(7)};
      retire_list retired;
      hazard_pointer looking;
      const counted* const seen = looking.protect(source);
      retired.retire(*source.exchange(nullptr));
      EXPECT_EQ(seen->first, 7);
    }
  };
  const auto body = [] {
    const thread_local late_reader last;
    const hazard_pointer first;
  };
  std::thread(body).join();
  const int before = slots();
  for (int i = 0; i < 50; ++i) std::thread(body).join();  // more than there are slots, if each lost one
  EXPECT_EQ(slots(), before);
  EXPECT_EQ(counted::alive(), 0);
}

// One that is destroyed after its thread has given its slots back keeps what it protects, though the next thread may have the slot.
TEST(hazard_slot, stays_with_a_pointer_that_outlives_the_threads_slots) {
  static std::atomic<counted*> source{nullptr};
  static retire_list retired;
  static std::atomic<int> kept{0};
  struct late_reader {
    late_reader() = default;
    late_reader(const late_reader&) = delete;
    late_reader& operator=(const late_reader&) = delete;
    ~late_reader() {
      std::thread([] {
        std::atomic<counted*> other{
            new counted(2)};  // NOLINT(bugprone-unhandled-exception-at-new): a test may end there
        counted* seen = nullptr;
        const hazard_pointer looking(other, seen);
        EXPECT_EQ(seen->first, 2);
        delete other.exchange(nullptr);
      }).join();
      if (retired.reclaim() == 0) ++kept;
      EXPECT_EQ(seen->first, 1);
      looking.reset();
    }
    std::optional<hazard_pointer> looking;
    counted* seen = nullptr;
  };
  for (int i = 0; i < 20; ++i) {
    source = new counted(1);
    std::thread([] {
      thread_local late_reader last;
      last.looking.emplace(source, last.seen);
      retired.defer(*source.exchange(nullptr));
    }).join();
    EXPECT_EQ(retired.reclaim(), 1U);
  }
  EXPECT_EQ(kept.load(), 20);
  EXPECT_EQ(counted::alive(), 0);
}

class concurrently : public testing::TestWithParam<int> {
 protected:
  static int threads() { return GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(threads, concurrently, testing::Values(1, 4), testing::PrintToStringParamName());

TEST_P(concurrently, readers_see_whole_objects_while_all_replace_them) {
  {
    retire_list retired;
    std::atomic<counted*> source{new counted(0)};
    std::atomic<std::size_t> most_waiting{0};
    racelab::run_together(threads(), [&](int thread) {
      hazard_pointer looking;
      for (int i = 0; i < 20'000; ++i) {
        const counted* const seen = looking.protect(source);
        EXPECT_EQ(seen->first, *seen->second);
        if (i % 64 == 0) std::this_thread::yield();  // so that they meet, whatever a thread's turn lasts
        if (i % 4 == thread % 4) {
          looking.reset_protection();
          retired.retire(*source.exchange(new counted(i)));
          if (const auto waiting = retired.waiting(); waiting > most_waiting.load()) most_waiting = waiting;
        }
      }
    });
    // It depends on how many threads there are, each with some in its hands, and not on how many were ever retired.
    EXPECT_LE(most_waiting.load(), 10 * static_cast<std::size_t>(threads()));
    retired.retire(*source.exchange(nullptr));
    EXPECT_EQ(counted::alive(), static_cast<int>(retired.waiting()));
    EXPECT_EQ(retired.waiting(), 0U);
  }
  EXPECT_EQ(counted::alive(), 0);
}

// Who only reads looks through no slots, and so has no order with the writer but that of protect().
TEST(several_threads, readers_see_whole_objects_while_another_thread_replaces_them) {
  retire_list retired;
  std::atomic<counted*> source{new counted(0)};
  racelab::run_together(4, [&](int thread) {
    hazard_pointer looking;
    for (int i = 0; i < 10'000; ++i) {
      if (i % 64 == 0) std::this_thread::yield();
      if (thread == 0) {
        retired.retire(*source.exchange(new counted(i)));
      } else {
        const counted* const seen = looking.protect(source);
        EXPECT_EQ(seen->first, *seen->second);
      }
    }
  });
  retired.retire(*source.exchange(nullptr));
  EXPECT_EQ(retired.waiting(), 0U);
  EXPECT_EQ(counted::alive(), 0);
}

TEST(several_threads, one_thread_reclaims_what_another_defers) {
  retire_list retired;
  racelab::run_together(
      [&] {
        for (int i = 0; i < 1000; ++i) retired.defer(*new counted(i));
      },
      [&] {
        for (std::size_t reclaimed = 0; reclaimed < 1000;) {
          reclaimed += retired.reclaim();
          std::this_thread::yield();
        }
      });
  EXPECT_EQ(retired.waiting(), 0U);
  EXPECT_EQ(counted::alive(), 0);
}

// Each makes its own for every look, as a lookup does.
TEST_P(concurrently, short_lived_readers_see_whole_objects_while_all_replace_them) {
  retire_list retired;
  std::atomic<counted*> source{new counted(0)};
  racelab::run_together(threads(), [&](int thread) {
    for (int i = 0; i < 20'000; ++i) {
      {
        counted* seen = nullptr;
        const hazard_pointer looking(source, seen);
        EXPECT_EQ(seen->first, *seen->second);
      }
      if (i % 64 == 0) std::this_thread::yield();
      if (i % 4 == thread % 4) retired.retire(*source.exchange(new counted(i)));
    }
  });
  retired.retire(*source.exchange(nullptr));
  EXPECT_EQ(retired.waiting(), 0U);
  EXPECT_EQ(counted::alive(), 0);
}

std::atomic<int> replaced{0};
std::atomic<bool> finished{false};

// A signal stops the reader wherever it is, also between its load of the pointer and its announcement, until the writer
// has replaced the object once more and reclaimed what nobody protects.
TEST(several_threads, a_reader_may_be_stopped_anywhere) {
  struct sigaction wait_for_the_writer{};
  wait_for_the_writer.sa_handler = [](int) {
    for (const int before = replaced; replaced == before && !finished;)
      sched_yield();  // signal-safe: a system call
  };
  struct sigaction old{};
  ASSERT_EQ(sigaction(SIGUSR1, &wait_for_the_writer, &old), 0);
  finished = false;
  retire_list retired;
  std::atomic<counted*> source{new counted(0)};
  std::atomic<bool> reading{false};
  int torn = 0;
  std::thread reader([&] {
    {
      const hazard_pointer warm;  // nothing below allocates: the writer has to
    }
    while (!finished) {
      counted* seen = nullptr;
      hazard_pointer looking(source, seen);
      torn += seen->first == *seen->second ? 0 : 1;
      seen = looking.protect(source);
      torn += seen->first == *seen->second ? 0 : 1;
      reading = true;
    }
  });
  while (!reading) std::this_thread::yield();
  for (int i = 0; i < 2000; ++i) {
    pthread_kill(reader.native_handle(), SIGUSR1);
    if (i % 8 == 0) std::this_thread::yield();
    retired.retire(*source.exchange(new counted(i)));
    ++replaced;
  }
  finished = true;
  reader.join();
  sigaction(SIGUSR1, &old, nullptr);
  EXPECT_EQ(torn, 0);
  retired.retire(*source.exchange(nullptr));
  EXPECT_EQ(counted::alive(), 0);
}

}  // namespace
