// What sync_map allocates: Go's MapRangeNoAllocations and MapClearOneAllocation, and more of the kind.
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "fixes/sync_map.hpp"

namespace {
std::atomic<int> allocations{0};
}  // namespace

void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);  // a count, of one thread
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

template <class Operation> int allocations_of(Operation operation) {
  const int before = allocations.load(std::memory_order_relaxed);
  operation();
  return allocations.load(std::memory_order_relaxed) - before;
}

class SyncMapAllocations : public testing::Test {
 protected:
  SyncMapAllocations() {
    for (int key = 0; key < 100; ++key) map_.store(key, key);
    map_.range([](int, int) { return true; });
  }
  racelab::sync_map<int, int> map_;
};

TEST_F(SyncMapAllocations, MapRangeNoAllocations) {
  EXPECT_EQ(allocations_of([this] { map_.range([](int, int) { return true; }); }), 0);
}

TEST_F(SyncMapAllocations, MapClearOneAllocation) {
  EXPECT_EQ(allocations_of([this] { map_.clear(); }), 1);  // the new read table
}

TEST_F(SyncMapAllocations, ReadingAndDeletingAllocateNothing) {
  EXPECT_EQ(allocations_of([this] {
              EXPECT_EQ(map_.load(7), 7);
              EXPECT_FALSE(map_.load(1000).has_value());
              EXPECT_EQ(map_.load_or_store(7, 8).first, 7);
              EXPECT_FALSE(map_.compare_and_swap(7, 8, 9));
              EXPECT_EQ(map_.load_and_delete(7), 7);
            }),
            0);
}

TEST_F(SyncMapAllocations, StoringToAKeyOfTheReadTableAllocatesTheValueAlone) {
  EXPECT_EQ(allocations_of([this] { map_.store(7, 8); }), 1);
}

}  // namespace
