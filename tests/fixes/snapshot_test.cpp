// A cell of snapshots: readers, handles and writers.
#include "fixes/support/snapshot.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "repro/support/gate.hpp"

namespace {

// Two equal numbers, plain, one on the heap; counts how many of its kind are alive.
class content {
 public:
  explicit content(int is = 0) : first_(is), second_(std::make_unique<int>(is)) {
    if (is < 0) throw std::invalid_argument("negative");
    living.fetch_add(1, std::memory_order_relaxed);
  }
  content(const content&) = delete;
  content& operator=(const content&) = delete;
  ~content() {
    first_ = -1;
    living.fetch_sub(1, std::memory_order_relaxed);
  }

  [[nodiscard]] int get() const { return first_ == *second_ ? first_ : -1; }

  // Relaxed: a count, asked for once those who change it have been joined.
  static int alive() { return living.load(std::memory_order_relaxed); }

 private:
  static inline std::atomic<int> living{0};
  int first_;
  std::unique_ptr<int> second_;
};

using cell_type = racelab::snapshot_cell<content>;

TEST(snapshot_cell, shows_what_was_published_last) {
  cell_type cell(1);
  EXPECT_EQ(cell.read()->get(), 1);
  EXPECT_EQ(cell.read().version(), 1U);
  cell.publish(cell.make(2));
  EXPECT_EQ(cell.read()->get(), 2);
  EXPECT_EQ((*cell.hold()).get(), 2);
  EXPECT_EQ(cell.hold().version(), 2U);
}

TEST(snapshot_cell, frees_an_old_snapshot_at_reclaim) {
  cell_type cell;
  cell.publish(cell.make(2));
  EXPECT_EQ(cell.waiting(), 1U);
  EXPECT_EQ(content::alive(), 2);
  EXPECT_EQ(cell.reclaim(), 1U);
  EXPECT_EQ(content::alive(), 1);
}

TEST(snapshot_cell, keeps_what_a_reader_looks_at) {
  cell_type cell(1);
  {
    const auto old = cell.read();
    for (int i = 2; i < 10; ++i) {
      cell.publish(cell.make(i));
      cell.reclaim();
    }
    EXPECT_EQ(content::alive(), 2) << "all in between are freed";
    EXPECT_EQ(old->get(), 1);
  }
  EXPECT_EQ(cell.reclaim(), 1U);
  EXPECT_EQ(content::alive(), 1);
}

TEST(snapshot_cell, keeps_what_a_handle_holds_and_nothing_else) {
  cell_type cell(1);
  std::optional held(cell.hold());
  std::optional copy(held);
  for (int i = 2; i < 10; ++i) {
    cell.publish(cell.make(i));
    cell.reclaim();
  }
  EXPECT_EQ(cell.waiting(), 0U);
  EXPECT_EQ(content::alive(), 2);
  held.reset();
  EXPECT_EQ((*copy)->get(), 1);
  EXPECT_EQ(copy->version(), 1U);
  copy.reset();
  EXPECT_EQ(content::alive(), 1);
}

TEST(snapshot_cell, is_outlived_by_handles) {
  std::optional<cell_type> cell(std::in_place, 1);
  const auto first = cell->hold();
  cell->publish(cell->make(2));
  auto second = cell->hold();
  cell.reset();
  EXPECT_EQ(content::alive(), 2);
  EXPECT_EQ(first->get(), 1);
  EXPECT_EQ(second->get(), 2);
  second = first;
  EXPECT_EQ(content::alive(), 1);
  EXPECT_EQ(second->get(), 1);
}

TEST(snapshot_handle, can_be_moved_and_what_is_left_copied) {
  const cell_type cell(1);
  auto held = cell.hold();
  const auto moved = std::move(held);
  // NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-cplusplus.Move): that it may be done is what is tested
  const auto of_nothing = held;
  held = moved;
  EXPECT_EQ(held->get(), 1);
}

TEST(compare_publish, succeeds_only_on_the_current_snapshot) {
  cell_type cell(1);
  const auto stale = cell.read();
  {
    auto next = cell.make(2);
    EXPECT_TRUE(cell.compare_publish(cell.read(), next));
  }
  auto late = cell.make(3);
  EXPECT_FALSE(cell.compare_publish(stale, late));
  EXPECT_EQ(late->get(), 3) << "a draft that was not published is as it was";
  EXPECT_EQ(cell.read()->get(), 2);
  EXPECT_TRUE(cell.compare_publish(cell.read(), late));
  EXPECT_EQ(cell.read()->get(), 3);
  EXPECT_EQ(cell.read().version(), 3U);
}

TEST(draft, that_is_not_published_leaves_nothing) {
  {
    const cell_type cell(1);
    {
      const auto unused = cell.make(2);
    }
    EXPECT_EQ(content::alive(), 1);
    EXPECT_THROW(static_cast<void>(cell.make(-1)), std::invalid_argument);
    EXPECT_EQ(cell.read()->get(), 1);
  }
  EXPECT_EQ(content::alive(), 0);
  EXPECT_THROW(const cell_type never(-1), std::invalid_argument);
  EXPECT_EQ(content::alive(), 0);
}

class concurrently : public testing::TestWithParam<int> {
 protected:
  static int threads() { return GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(threads, concurrently, testing::Values(1, 4), testing::PrintToStringParamName());

constexpr int rounds = 500;

// Every thread adds one again and again, by compare-and-swap, so that the sum tells whether one was lost; versions and
// numbers go up together; handles stay what they were.
TEST_P(concurrently, no_publication_is_lost_and_no_snapshot_changes) {
  std::vector<cell_type::handle> kept;
  {
    cell_type cell(1);
    std::vector<std::optional<cell_type::handle>> last(static_cast<std::size_t>(threads()));
    racelab::run_together(threads(), [&](int thread) {
      auto& mine = last[static_cast<std::size_t>(thread)];
      for (int i = 0; i < rounds; ++i) {
        for (bool published = false; !published;) {
          const auto seen = cell.read();
          EXPECT_EQ(static_cast<std::uint64_t>(seen->get()), seen.version());
          auto next = cell.make(seen->get() + 1);
          published = cell.compare_publish(seen, next);
        }
        cell.reclaim();
        auto now = cell.hold();
        if (mine) {
          EXPECT_GT(now.version(), mine->version());
        }
        mine.emplace(std::move(now));
      }
    });
    EXPECT_EQ(cell.read()->get(), threads() * rounds + 1);
    cell.reclaim();
    EXPECT_EQ(cell.waiting(), 0U);
    for (const auto& each : last) kept.push_back(*each);
  }
  EXPECT_LE(content::alive(), threads());
  for (const auto& each : kept) EXPECT_EQ(static_cast<std::uint64_t>(each->get()), each.version());
  kept.clear();
  EXPECT_EQ(content::alive(), 0);
}

// A handle that is copied and dropped on many threads at once is destroyed once, by the last of them.
TEST_P(concurrently, the_last_handle_destroys_its_snapshot) {
  for (int round = 0; round < 50; ++round) {
    auto cell = std::make_unique<cell_type>(round);
    std::vector<std::optional<cell_type::handle>> handles(static_cast<std::size_t>(threads()), cell->hold());
    cell.reset();
    EXPECT_EQ(content::alive(), 1);
    racelab::run_together(threads(), [&](int thread) {
      auto& mine = handles[static_cast<std::size_t>(thread)];
      const auto copy = *mine;
      mine.reset();
      EXPECT_EQ(copy->get(), round);
    });
    EXPECT_EQ(content::alive(), 0);
  }
}

}  // namespace
