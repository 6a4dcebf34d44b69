#include "sanitizers/thread/racing_pair.hpp"

#include <gtest/gtest.h>

namespace racelab::tsan {
namespace {

const racing_pair find_erase = racing_pair_of("find() R vs erase() W").value();
const racing_pair erase_erase = racing_pair_of("erase() W vs erase() W").value();

TEST(RacingPair, IsReadAsAScenarioWritesIt) {
  EXPECT_EQ(find_erase.first.function, "find");
  EXPECT_FALSE(find_erase.first.writes);
  EXPECT_EQ(find_erase.second.function, "erase");
  EXPECT_TRUE(find_erase.second.writes);
  EXPECT_EQ(racing_pair_of("copy R vs move W")->first.function, "constructor");
  EXPECT_EQ(racing_pair_of("find() R vs destructor W")->second.function, "destructor");
  for (const char* wrong :
       {"", "find() R", "find() and erase()", "find() X vs erase() W", "find() R vs erase() W more"})
    EXPECT_FALSE(racing_pair_of(wrong)) << wrong;
}

TEST(RacingPair, BareNamesOfFunctions) {
  EXPECT_EQ(
      bare_name(
          "std::optional<int> racelab::std_adapter<std::unordered_map<int, int>>::find(int const&) const"),
      "find");
  EXPECT_EQ(bare_name("void racelab::hmap<int, int>::for_each<main::$_0>(main::$_0) const"), "for_each");
  EXPECT_EQ(bare_name("racelab::hmap<int, int>::hmap(racelab::hmap<int, int> const&)"), "constructor");
  EXPECT_EQ(bare_name("racelab::hmap<int, int>::~hmap()"), "destructor");
  EXPECT_EQ(bare_name("main::$_0::operator()(int) const"), "operator()");
  EXPECT_EQ(bare_name("operator delete(void*, unsigned long)"), "operator delete");
  EXPECT_EQ(bare_name("main"), "main");
}

TEST(RacingPair, EveryClassOfOursMayBeAMap) {
  EXPECT_EQ(bare_name("std::optional<int> racelab::seed_unlocked_reads<int, int>::find(int const&) const"),
            "find");
  EXPECT_EQ(bare_name("boost::unordered::unordered_flat_map<int, int>::erase(int const&)"), "erase");
}

TEST(RacingPair, WhatIsNotAMapsOperationIsNotTakenForOne) {
  EXPECT_EQ(bare_name("std::string::insert(unsigned long, char const*)"), "string::insert");
  EXPECT_EQ(bare_name("std::vector<int>::clear()"), "vector::clear");
  EXPECT_EQ(bare_name("std::vector<int>::vector(std::vector<int> const&)"), "vector");
  EXPECT_EQ(bare_name("std::unique_ptr<int>::reset(int*)"), "reset");
}

TEST(RacingPair, StacksOfThePairInEitherOrder) {
  const seen_side find{{"operator==", "find", "main"}, false};
  const seen_side erase{{"operator delete", "erase", "main"}, true};
  EXPECT_TRUE(is_of_pair(find_erase, find, erase, true));
  EXPECT_TRUE(is_of_pair(find_erase, erase, find, true));
  EXPECT_FALSE(is_of_pair(find_erase, erase, erase, true));
  EXPECT_FALSE(is_of_pair(find_erase, find, find, false)) << "two reads";
}

TEST(RacingPair, AReadByAWriterIsOfItUnlessExactlyThatIsAsked) {
  const seen_side reads{{"erase"}, false};
  const seen_side writes{{"erase"}, true};
  EXPECT_TRUE(is_of_pair(erase_erase, reads, writes, false));
  EXPECT_FALSE(is_of_pair(erase_erase, reads, writes, true));
  EXPECT_FALSE(is_of_pair(erase_erase, reads, reads, false));
}

TEST(RacingPair, WhatFollowsFromIt) {
  const seen_side find{{"find", "main"}, false};
  const seen_side recycled{{"operator new", "basic_string::insert", "main"}, true};
  const seen_side another_operation{{"clear", "main"}, true};
  EXPECT_TRUE(follows_from_pair(find_erase, find, recycled));
  EXPECT_TRUE(follows_from_pair(find_erase, recycled, find));
  EXPECT_FALSE(follows_from_pair(find_erase, find, another_operation)) << "a race of its own";
  EXPECT_FALSE(follows_from_pair(find_erase, recycled, recycled));
  EXPECT_TRUE(is_outside_of_maps(recycled, recycled));
  EXPECT_FALSE(is_outside_of_maps(recycled, another_operation));
}

TEST(RacingPair, WhatItHasFreedAndIsStillReachable) {
  const seen_side freed{{"operator delete", "erase", "main"}, true};
  const seen_side walks{{"for_each", "main"}, false};
  EXPECT_TRUE(outlives_pair(find_erase, walks, freed));
  EXPECT_TRUE(outlives_pair(find_erase, freed, walks));
  EXPECT_FALSE(outlives_pair(find_erase, walks, walks));
}

TEST(RacingPair, TwoReadsAreWhatIsLeftOfAUseAfterFree) {
  const seen_side reads{{"find", "main"}, false};
  const seen_side writes{{"erase", "main"}, true};
  EXPECT_TRUE(are_two_reads(reads, reads));
  EXPECT_FALSE(are_two_reads(reads, writes));
  EXPECT_FALSE(are_two_reads(writes, reads));
  EXPECT_FALSE(are_two_reads(writes, writes));
  EXPECT_TRUE(outlives_pair(find_erase, reads, reads)) << "so it is the pair's";
}

}  // namespace
}  // namespace racelab::tsan
