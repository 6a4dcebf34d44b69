#include "sanitizers/verdict/meetings.hpp"

#include <gtest/gtest.h>

namespace {

using namespace racelab::verdict;

constexpr place writer{.module = 0, .offset = 0x100};
constexpr place reader{.module = 0, .offset = 0x200};
constexpr place elsewhere{.module = 0, .offset = 0x300};

event at(place pc, unsigned thread, unsigned visit, std::uint64_t time_ns, std::uint64_t address,
         event::kind what = event::kind::visit) {
  return {.what = what,
          .access = pc == writer ? touch::write : touch::read,
          .atomic = false,
          .thread = thread,
          .visit = visit,
          .size = 8,
          .time_ns = time_ns,
          .address = address,
          .pc = pc};
}

TEST(Meetings, TwoIndexRangesMeetAtOneElement) {
  std::vector<event> events;
  for (unsigned i = 0; i < 1000; ++i) {
    events.push_back(at(writer, 2, i, std::uint64_t{2} * i, 0x1000 + std::uint64_t{8} * i));
    events.push_back(at(reader, 3, i, std::uint64_t{2} * i + 1, 0x1000 + std::uint64_t{8} * (999 + i)));
  }
  const auto found = meetings_of(events, {writer}, {reader});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].first.thread, 3U);
  EXPECT_EQ(found[0].first.visit, 0U);
  EXPECT_EQ(found[0].second.thread, 2U);
  EXPECT_EQ(found[0].second.visit, 999U);
}

TEST(Meetings, NeighboursOfOneGranuleHideNothing) {
  event first = at(writer, 2, 0, 0, 0x1000);
  event neighbour = at(writer, 2, 1, 1, 0x1004);
  event later = at(reader, 3, 7, 2, 0x1000);
  for (event* each : {&first, &neighbour, &later}) each->size = 4;
  const auto found = meetings_of({first, neighbour, later}, {writer}, {reader});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].first.visit, 0U);
  EXPECT_EQ(found[0].second.visit, 7U);
}

TEST(Meetings, ShortGapsComeFirst) {
  const auto found = meetings_of(
      {at(writer, 2, 0, 0, 0x1000), at(reader, 3, 0, 5'000'000, 0x1000), at(writer, 2, 1, 5'100'000, 0x1000)},
      {writer}, {reader});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_DOUBLE_EQ(found[0].gap_ms(), 0.1);
  EXPECT_DOUBLE_EQ(found[1].gap_ms(), 5.0);
}

TEST(Meetings, OneThreadOrTwoReadsOrTwoAtomicsAreNone) {
  EXPECT_TRUE(
      meetings_of({at(writer, 2, 0, 0, 0x1000), at(reader, 2, 0, 1, 0x1000)}, {writer}, {reader}).empty());
  EXPECT_TRUE(
      meetings_of({at(reader, 2, 0, 0, 0x1000), at(reader, 3, 0, 1, 0x1000)}, {reader}, {reader}).empty());
  event one = at(writer, 2, 0, 0, 0x1000);
  event other = at(reader, 3, 0, 1, 0x1000);
  one.atomic = other.atomic = true;
  EXPECT_TRUE(meetings_of({one, other}, {writer}, {reader}).empty());
  other.atomic = false;
  EXPECT_EQ(meetings_of({one, other}, {writer}, {reader}).size(), 1U);
}

TEST(Meetings, OtherSitesAndOtherBytesAreNone) {
  EXPECT_TRUE(
      meetings_of({at(elsewhere, 2, 0, 0, 0x1000), at(writer, 3, 0, 1, 0x1000)}, {writer}, {reader}).empty());
  EXPECT_TRUE(
      meetings_of({at(writer, 2, 0, 0, 0x1000), at(reader, 3, 0, 1, 0x1008)}, {writer}, {reader}).empty());
}

TEST(Meetings, AccessAcrossTwoGranulesIsSeenFromEither) {
  const event wide = at(writer, 2, 0, 0, 0x1004);
  EXPECT_EQ(meetings_of({wide, at(reader, 3, 0, 1, 0x1008)}, {writer}, {reader}).size(), 1U);
  EXPECT_EQ(meetings_of({wide, at(reader, 3, 0, 1, 0x1000)}, {writer}, {reader}).size(), 1U);
}

TEST(Meetings, AtMostSoMany) {
  std::vector<event> events;
  for (unsigned i = 0; i < 10'000; ++i)
    events.push_back(at(i % 2 == 0 ? writer : reader, 2 + i % 2, i, i, 0x1000));
  EXPECT_EQ(meetings_of(events, {writer}, {reader}, 10).size(), 10U);
}

TEST(DelayedVisits, FirstConflictingVisitAfterTheStallBeganCounts) {
  const auto found = delayed_visits(
      {at(reader, 3, 0, 500'000, 0x1000), at(writer, 2, 0, 1'000'000, 0x1000, event::kind::stall_began),
       at(reader, 3, 1, 2'000'000, 0x2000), at(writer, 2, 0, 6'000'000, 0x1000, event::kind::stall_ended),
       at(reader, 3, 2, 6'500'000, 0x1000)},
      writer, {writer, reader});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_DOUBLE_EQ(found[0].point.stalled_ms, 5.0);
  EXPECT_DOUBLE_EQ(found[0].point.came_ms, 5.5);
  EXPECT_EQ(found[0].thread, 3U);
}

TEST(DelayedVisits, StallInBetweenSpoilsIt) {
  EXPECT_TRUE(
      delayed_visits({at(writer, 2, 0, 1, 0x1000, event::kind::stall_began),
                      at(writer, 2, 0, 5, 0x1000, event::kind::stall_ended),
                      at(writer, 4, 0, 6, 0x2000, event::kind::stall_began), at(reader, 3, 0, 9, 0x1000)},
                     writer, {writer, reader})
          .empty());
}

TEST(DelayedVisits, StallThatIsStillUnderWaySpoilsIt) {
  EXPECT_TRUE(
      delayed_visits({at(reader, 3, 0, 0, 0x2000, event::kind::stall_began),
                      at(writer, 2, 0, 1, 0x1000, event::kind::stall_began),
                      at(writer, 2, 0, 5, 0x1000, event::kind::stall_ended),
                      at(reader, 3, 0, 8, 0x2000, event::kind::stall_ended), at(reader, 3, 1, 9, 0x1000)},
                     writer, {writer, reader})
          .empty());
}

TEST(DelayedVisits, OnlyOfThisStallAndTheseSites) {
  const std::vector<event> events{at(writer, 2, 0, 1'000'000, 0x1000, event::kind::stall_began),
                                  at(writer, 2, 0, 5'000'000, 0x1000, event::kind::stall_ended),
                                  at(reader, 3, 0, 6'000'000, 0x1000), at(writer, 4, 0, 7'000'000, 0x1000)};
  EXPECT_TRUE(delayed_visits(events, reader, {writer, reader}).empty());
  const auto found = delayed_visits(events, writer, {writer});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_DOUBLE_EQ(found[0].point.came_ms, 6.0);
}

TEST(DelayedVisits, NobodyCameOrTheStallDidNotEnd) {
  EXPECT_TRUE(delayed_visits({at(writer, 2, 0, 1, 0x1000, event::kind::stall_began),
                              at(writer, 2, 0, 2, 0x1000, event::kind::stall_ended)},
                             writer, {writer, reader})
                  .empty());
  EXPECT_TRUE(
      delayed_visits({at(writer, 2, 0, 1, 0x1000, event::kind::stall_began), at(reader, 3, 0, 2, 0x1000)},
                     writer, {writer, reader})
          .empty());
}

}  // namespace
