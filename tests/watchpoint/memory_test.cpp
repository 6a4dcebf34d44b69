// Memory that is given back, objects that come to life, and writers that nobody has instrumented.
#include <sys/mman.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include "tests/watchpoint/staging.hpp"

namespace {

using namespace staging;
using watch::record;

class Freed : public Staged {
 protected:
  // One thread is about to read `at`, another one gives its block back. Reading goes on afterwards, from memory
  // that malloc has but not the kernel.
  static void expect_free(std::uint64_t* at, std::uintptr_t start, std::size_t at_least,
                          const std::function<void()>& release, const std::string& where) {
    stage(at, [&] { instrumented::read8(at); }, release);
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(function_at(records[0].stalled.what.pc), "instrumented::read8(…)");
    EXPECT_TRUE(records[0].came.what.release);
    EXPECT_TRUE(records[0].came.what.write);
    EXPECT_EQ(records[0].came.what.address, start);
    EXPECT_GE(records[0].came.what.size, at_least);
    EXPECT_EQ(function_at(records[0].came.what.pc), where);
    EXPECT_TRUE(names(records[0].came.stack, where));
  }
};

TEST_F(Freed, ByFree) {
  auto* block = static_cast<std::uint64_t*>(std::calloc(1, 100));
  expect_free(
      block + 11, reinterpret_cast<std::uintptr_t>(block), 100, [&] { instrumented::give_back(block); },
      "instrumented::give_back(…)");
}

TEST_F(Freed, ByDelete) {
  auto* object = new std::uint64_t(1);
  expect_free(
      object, reinterpret_cast<std::uintptr_t>(object), 8, [&] { instrumented::destroy(object); },
      "instrumented::destroy(…)");
}

TEST_F(Freed, ByDeleteOfAnArray) {
  auto* array = new std::uint64_t[50]{};
  expect_free(
      array + 49, reinterpret_cast<std::uintptr_t>(array), 400, [&] { instrumented::destroy_array(array); },
      "instrumented::destroy_array(…)");
}

TEST_F(Freed, ByDeleteOfAnAlignedObject) {
  auto* object = new instrumented::wide{1};
  expect_free(
      &object->value, reinterpret_cast<std::uintptr_t>(object), 64,
      [&] { instrumented::destroy_wide(object); }, "instrumented::destroy_wide(…)");
}

TEST_F(Freed, ByMunmap) {
  constexpr std::size_t size = 8192;
  void* const start = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(start, MAP_FAILED);
  // Twice, because reading what is unmapped would crash. Unmapping it is no error.
  stage(
      start, [&] { instrumented::unmap(start, size); },
      [&] {
        EXPECT_EQ(munmap(static_cast<char*>(start) + 1, size), -1) << "not a page's start: unmaps nothing";
        EXPECT_EQ(errno, EINVAL);
        EXPECT_EQ(watch::totals().pairs, 0U);
        instrumented::unmap(start, size);
      });
  ASSERT_EQ(records.size(), 1U);
  for (const watch::side* side : {&records[0].stalled, &records[0].came}) {
    EXPECT_TRUE(side->what.release);
    EXPECT_EQ(side->what.address, reinterpret_cast<std::uintptr_t>(start));
    EXPECT_EQ(side->what.size, size);
    EXPECT_EQ(function_at(side->what.pc), "instrumented::unmap(…)");
  }
}

TEST_F(Freed, WhileTheFreeWaits) {
  auto* block = static_cast<std::uint64_t*>(std::calloc(1, 100));
  stage(block, [&] { instrumented::give_back(block); }, [&] { instrumented::write1(block + 5, 1); });
  ASSERT_EQ(records.size(), 1U);
  EXPECT_TRUE(records[0].stalled.what.release);
  EXPECT_FALSE(records[0].came.what.release);
  EXPECT_EQ(records[0].value_before, 0U) << "a block is no number";
}

TEST_F(Freed, FreeingAnotherBlockIsHarmless) {
  auto* block = static_cast<std::uint64_t*>(std::calloc(1, 64));
  auto* other = static_cast<std::uint64_t*>(std::calloc(1, 64));
  expect_not_caught(
      block + 7, [&] { instrumented::read8(block + 7); },
      [&] {
        instrumented::give_back(other);
        instrumented::give_back(nullptr);
        instrumented::destroy(nullptr);
      });
  std::free(block);
}

class Vptr : public Staged {
 protected:
  alignas(8) std::array<std::byte, 8> place_{};
};

TEST_F(Vptr, IsReadWhileAnotherTypeIsConstructed) {
  instrumented::shape* some = instrumented::make_triangle(place_.data());
  stage(
      place_.data(), [&] { instrumented::corners_of(some); },
      [&] { instrumented::make_square(place_.data()); });
  ASSERT_EQ(records.size(), 1U);
  EXPECT_FALSE(records[0].stalled.what.write);
  EXPECT_TRUE(records[0].came.what.write);
  EXPECT_EQ(records[0].came.what.size, 8U);
  EXPECT_TRUE(names(records[0].came.stack, "instrumented::make_square(…)"));
}

TEST_F(Vptr, ThatIsThereAlreadyIsNotWritten) {
  instrumented::shape* some = instrumented::make_square(place_.data());
  stage_without_meeting(
      place_.data(), [&] { instrumented::corners_of(some); },
      [&](std::thread&) { instrumented::make_square(place_.data()); });
  EXPECT_EQ(watch::totals().pairs, 0U);
}

class Changed : public Staged {};

// This file is not instrumented.
[[gnu::noinline]] void write_unseen(std::uint32_t* at) { *const_cast<volatile std::uint32_t*>(at) = 99; }

TEST_F(Changed, ByCodeThatIsNotInstrumented) {
  std::uint32_t value = 98;
  std::uint32_t seen = 0;
  stage_without_meeting(
      &value, [&] { seen = instrumented::read4(&value); }, [&](std::thread&) { write_unseen(&value); });
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].what, record::kind::changed);
  EXPECT_EQ(records[0].value_before, 98U);
  EXPECT_EQ(records[0].value_after, 99U);
  EXPECT_EQ(function_at(records[0].stalled.what.pc), "instrumented::read4(…)");
  EXPECT_TRUE(names(records[0].stalled.stack, "instrumented::read4(…)"));
  EXPECT_EQ(records[0].came.what.pc, 0U);
  EXPECT_EQ(records[0].came.stack.size, 0U);
  EXPECT_EQ(watch::totals().changed, 1U);
  EXPECT_EQ(watch::totals().pairs, 0U);
  EXPECT_EQ(seen, 99U);
}

TEST_F(Changed, NotIfNobodyWrites) {
  std::uint32_t value = 98;
  stage_without_meeting(&value, [&] { instrumented::read4(&value); }, [](std::thread&) {});
  EXPECT_EQ(watch::totals().stalls, 1U);
  EXPECT_EQ(watch::totals().changed, 0U);
}

TEST_F(Changed, NotErrnoByTheStallItself) {
  // The system calls of a stall set errno while the program is about to read it.
  int seen = 0;
  watch::set_decide([](const watch::access& what, std::uint32_t) -> watch::stall {
    if (what.address != reinterpret_cast<std::uintptr_t>(&errno)) return {};
    return {.microseconds = 100};
  });
  std::thread([&] {
    errno = 42;
    seen = static_cast<int>(instrumented::read4(&errno));
  }).join();
  EXPECT_EQ(watch::totals().stalls, 1U);
  EXPECT_EQ(watch::totals().changed, 0U);
  EXPECT_EQ(seen, 42);
}

}  // namespace
