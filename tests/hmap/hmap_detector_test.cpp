// hmap's write flag on one thread: in which order it calls its detector, and that it looks where it must.
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "repro/support/hmap/hmap.hpp"
#include "tests/hmap/hmap_peek.hpp"

namespace {

using racelab::hmap_peek;
using racelab::write_flag::misuse;
namespace map_flag = racelab::map_flag;

std::string name_of(misuse what) {
  switch (what) {
    case misuse::writes:
      return "writes";
    case misuse::read_and_write:
      return "read_and_write";
    case misuse::iteration_and_write:
      return "iteration_and_write";
    case misuse::clone_and_write:
      return "clone_and_write";
    case misuse::len_and_write:
      return "len_and_write";
    case misuse::destroyed_in_use:
      return "destroyed_in_use";
    case misuse::moved_in_use:
      return "moved_in_use";
  }
  return "?";
}

// Writes down what it is told of one map, and lets it carry on.
struct recorder {
  static constexpr bool enabled = true;
  static inline std::vector<std::string> calls;
  static inline const void* watched = nullptr;

  static void note(const void* map, const std::string& call) {
    if (map == watched) calls.push_back(call);
  }
  static void entered(const void* map) { note(map, "entered"); }
  static void left(const void* map) { note(map, "left"); }
  static void found(misuse what, const void* map, std::atomic<std::uint8_t>&) { note(map, name_of(what)); }
};

using calls = std::vector<std::string>;
using checked = racelab::hmap<int, int, recorder>;

void set_flag(const checked& map, std::uint8_t bits) { hmap_peek::flags(map) = bits; }

// The calls about `map` while `run` runs.
template <class Run> calls calls_of(const checked& map, Run run) {
  recorder::calls.clear();
  recorder::watched = &map;
  run();
  recorder::watched = nullptr;
  return recorder::calls;
}

checked map_of(int size) {
  checked map;
  for (int i = 0; i < size; ++i) map.insert(i, i);
  return map;
}

TEST(Detector, EveryChangeEntersAndLeavesAndReadersDoNeither) {
  checked map = map_of(5);
  const calls pair = {"entered", "left"};
  EXPECT_EQ(calls_of(map, [&] { map.insert(100, 1); }), pair);
  EXPECT_EQ(calls_of(map, [&] { map.insert(100, 1); }), pair) << "a known key too";
  EXPECT_EQ(calls_of(map, [&] { map.insert_or_assign(100, 2); }), pair);
  EXPECT_EQ(calls_of(map, [&] { map.erase(100); }), pair);
  EXPECT_EQ(calls_of(map, [&] { map.erase(100); }), pair) << "an absent key too";
  EXPECT_EQ(calls_of(map, [&] { map.erase_if_equal(1, 7); }), pair);
  const calls none;
  EXPECT_EQ(calls_of(map, [&] { EXPECT_EQ(map.find(1), 1); }), none);
  EXPECT_EQ(calls_of(map, [&] { EXPECT_EQ(map.size(), 5U); }), none);
  EXPECT_EQ(calls_of(map, [&] { map.for_each([](int, int) {}); }), none);
  EXPECT_EQ(calls_of(map, [&] { const checked copy(map); }), none);
  EXPECT_EQ(calls_of(map, [&] { map.clear(); }), pair);
  EXPECT_EQ(calls_of(map, [&] { map.erase(1); }), none) << "as in Go, an empty map is not changed";
  EXPECT_EQ(calls_of(map, [&] { map.clear(); }), none);
  EXPECT_EQ(hmap_peek::flags(map) & map_flag::hashWriting, 0);
}

// Another thread's write is played by the flag, set by hand.
TEST(Detector, FindsTheFlagOfAnotherWriter) {
  for (const int size : {0, 1, 5, 100}) {
    SCOPED_TRACE(size);
    checked map = map_of(size);
    const auto seen = [&](auto run) {
      set_flag(map, map_flag::hashWriting);
      calls found = calls_of(map, run);
      set_flag(map, 0);
      return found.empty() ? std::string() : found.front();
    };
    EXPECT_EQ(seen([&] { (void)map.find(0); }), "read_and_write");
    EXPECT_EQ(seen([&] { (void)map.size(); }), "len_and_write");
    EXPECT_EQ(seen([&] { map.for_each([](int, int) {}); }), "iteration_and_write");
    EXPECT_EQ(seen([&] { const checked copy(map); }), "clone_and_write");
    EXPECT_EQ(seen([&] { map.insert(0, 0); }), "writes");
    EXPECT_EQ(seen([&] { map.insert_or_assign(0, 0); }), "writes");
    EXPECT_EQ(seen([&] { map.erase(0); }), "writes");
    EXPECT_EQ(seen([&] { map.erase_if_equal(0, 0); }), "writes");
    EXPECT_EQ(seen([&] { map.clear(); }), "writes");
    EXPECT_EQ(seen([&] { const checked next(std::move(map)); }), "moved_in_use");
  }
}

TEST(Detector, TheSecondWriterClearsTheFlagSoThatBothFindItGone) {
  checked map = map_of(5);
  set_flag(map, map_flag::hashWriting);
  EXPECT_EQ(calls_of(map, [&] { map.erase(1); }), (calls{"writes", "entered", "writes", "left"}));
  EXPECT_EQ(hmap_peek::flags(map) & map_flag::hashWriting, 0);
}

TEST(Detector, AWriterFindsTheMarkOfTheThreadThatCaughtIt) {
  checked map = map_of(5);
  set_flag(map, racelab::write_flag::caught_bit);
  EXPECT_EQ(calls_of(map, [&] { map.erase(1); }), (calls{"entered", "writes", "left"}));
  EXPECT_EQ(calls_of(map, [&] { map.erase(2); }), (calls{"entered", "left"}))
      << "the mark goes with the write";
}

TEST(Detector, AnIterationLooksOnceAStep) {
  checked map = map_of(5);
  std::size_t steps = 0;
  const calls found = calls_of(map, [&] {
    map.for_each([&](int, int) {
      ++steps;
      set_flag(map, map_flag::hashWriting);
    });
  });
  EXPECT_EQ(steps, 5U);
  EXPECT_EQ(found, calls(5, "iteration_and_write"));
  set_flag(map, 0);
}

TEST(Detector, SeesDestructionInUse) {
  alignas(checked) std::byte memory[sizeof(checked)];
  auto* map = new (memory) checked(map_of(5));
  set_flag(*map, map_flag::hashWriting);
  const calls found = calls_of(*map, [&] { map->~checked(); });
  EXPECT_EQ(found.front(), "destroyed_in_use");
}

TEST(Detector, SwitchedOffLeavesTheFlagAlone) {
  racelab::hmap<int, int> map;
  map.insert(1, 1);
  hmap_peek::flags(map) = map_flag::hashWriting;
  EXPECT_EQ(map.find(1), 1);
  EXPECT_TRUE(map.erase(1));
  EXPECT_EQ(hmap_peek::flags(map), map_flag::hashWriting);
}

}  // namespace
