// The checker against histories whose answer is known: written by hand, made to be legal, or small enough for trying
// every order.
#include "tests/linear/checker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "tests/linear/report.hpp"
#include "tests/linear/written_by_hand.hpp"

namespace racelab::linear {
namespace {

using operations = std::vector<operation>;

bool linearizable(const operations& all) { return !check_key(all).has_value(); }

constexpr auto nothing = std::nullopt;

TEST(Specification, OfEachOperationInEachState) {
  struct row {
    operation what;
    state before;
    bool legal;
    state after;
  };
  const during when{1, 2};
  const std::vector<row> rows{
      {find(when, nothing), nothing, true, nothing},
      {find(when, nothing), 5, false, nothing},
      {find(when, 5), 5, true, 5},
      {find(when, 5), 6, false, nothing},
      {insert(when, 7, true), nothing, true, 7},
      {insert(when, 7, true), 5, false, nothing},
      {insert(when, 7, false), 5, true, 5},
      {insert(when, 7, false), nothing, false, nothing},
      {assign(when, 7), nothing, true, 7},
      {assign(when, 7), 5, true, 7},
      {erase(when, 5), 5, true, nothing},
      {erase(when, 5), 6, false, nothing},
      {erase(when, 5), nothing, false, nothing},
      {erase(when, nothing), nothing, true, nothing},
      {erase(when, nothing), 5, false, nothing},
      {erase_if_equal(when, 5, true), 5, true, nothing},
      {erase_if_equal(when, 5, true), 6, false, nothing},
      {erase_if_equal(when, 5, true), nothing, false, nothing},
      {erase_if_equal(when, 5, false), 6, true, 6},
      {erase_if_equal(when, 5, false), nothing, true, nothing},
      {erase_if_equal(when, 5, false), 5, false, nothing},
      {clear(when), 5, true, nothing},
      {clear(when), nothing, true, nothing},
  };
  for (const auto& each : rows) {
    state holds = each.before;
    SCOPED_TRACE(call_text(each.what) + " " + result_text(each.what) + " where " + text(each.before) + " is");
    ASSERT_EQ(take_effect(each.what, holds), each.legal);
    if (each.legal) {
      EXPECT_EQ(holds, each.after);
    }
  }
}

TEST(Checker, AcceptsWhatOneThreadSees) {
  EXPECT_TRUE(linearizable({}));
  EXPECT_TRUE(linearizable({insert({1, 2}, 5, true), insert({3, 4}, 6, false), find({5, 6}, 5),
                            erase_if_equal({7, 8}, 6, false), erase_if_equal({9, 10}, 5, true),
                            erase({11, 12}, nothing), assign({13, 14}, 7), clear({15, 16}),
                            find({17, 18}, nothing)}));
}

TEST(Checker, AnOperationHappensAtAnyMomentOfItsCall) {
  EXPECT_TRUE(linearizable({assign({1, 10}, 5), find({2, 3}, nothing)}));
  EXPECT_TRUE(linearizable({assign({1, 10}, 5), find({2, 3}, 5)}));
  EXPECT_TRUE(linearizable({assign({1, 10}, 5), find({2, 3}, nothing), find({4, 5}, 5)}));
  EXPECT_FALSE(linearizable({assign({1, 10}, 5), find({2, 3}, 5), find({4, 5}, nothing)}));
}

TEST(Checker, RejectsAValueThatIsNoLongerThere) {
  EXPECT_FALSE(linearizable({assign({1, 2}, 5), assign({3, 4}, 6), find({5, 6}, 5)}));
  EXPECT_TRUE(linearizable({assign({1, 2}, 5), assign({3, 6}, 6), find({5, 7}, 5)}));
}

TEST(Checker, RejectsAValueThatNobodyStored) {
  EXPECT_FALSE(linearizable({assign({1, 2}, 5), find({1, 3}, torn)}));
}

TEST(Checker, RejectsALostErase) {
  EXPECT_FALSE(linearizable({assign({1, 2}, 5), erase({3, 4}, 5), find({5, 6}, 5)}));
}

TEST(Checker, RejectsAnEntryThatIsErasedTwice) {
  EXPECT_FALSE(linearizable({assign({1, 2}, 5), erase({3, 6}, 5), erase({4, 7}, 5)}));
  EXPECT_FALSE(linearizable({assign({1, 2}, 5), erase({3, 6}, 5), erase_if_equal({4, 7}, 5, true)}));
}

TEST(Checker, RejectsTwoInsertsThatBothWin) {
  EXPECT_FALSE(linearizable({insert({1, 4}, 5, true), insert({2, 3}, 6, true)}));
  EXPECT_TRUE(linearizable({insert({1, 4}, 5, true), insert({2, 3}, 6, true), clear({1, 5})}));
}

// A clear() that finds nothing to remove yet may find it later: it is not to be put first.
TEST(Checker, DoesNotSpendAClearWhereItIsOfNoUse) {
  EXPECT_TRUE(linearizable({clear({1, 6}), assign({2, 3}, 5), find({4, 5}, 5), find({7, 8}, nothing)}));
}

TEST(Checker, CarriesEveryStateOverACut) {
  const operations either{assign({1, 3}, 5), assign({2, 4}, 6)};
  for (const value last : {value{5}, value{6}}) {
    auto all = either;
    all.push_back(find({5, 6}, last));
    EXPECT_TRUE(linearizable(all));
    all.push_back(find({7, 8}, 11 - last));
    EXPECT_FALSE(linearizable(all));
  }
}

TEST(CounterExample, IsWhatCannotBeExplainedAndNoMore) {
  operations all{assign({1, 2}, 1), assign({3, 4}, 2), erase({5, 6}, 2), assign({7, 8}, 3)};
  all.push_back(by_thread(1, assign({9, 12}, 4)));
  all.push_back(by_thread(2, find({10, 11}, 3)));        // legal, and of no use for the proof
  all.push_back(by_thread(2, find({13, 16}, 3)));        // stale
  all.push_back(by_thread(3, assign({14, 20}, 5)));      // not over when the stale read is
  all.push_back(by_thread(1, find({15, 17}, nothing)));  // wrong too, but later
  all.push_back(assign({21, 22}, 6));
  const auto found = check_key(all);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(text(*found),
            "no order of these operations on key 0 explains their results\n"
            "  before them: 4\n"
            "      from       to  thread  operation                             result\n"
            "        13       16       2  find(0)                               3\n"
            "        14    later       3  insert_or_assign(0, 5)                \n");
}

// Threads that each do one thing after another on a real map of one key, at moments inside of their calls.
operations legal_history(std::mt19937& random, int threads, int calls) {
  const auto below = [&random](int bound) {
    return std::uniform_int_distribution<int>(0, bound - 1)(random);
  };
  struct moment {
    int thread;
    time_point at;
  };
  std::vector<moment> moments;
  for (int i = 0; i < calls; ++i)
    moments.push_back({below(threads), static_cast<time_point>(i) * 1000 + 1'000'000});
  operations all;
  state holds;
  for (std::size_t i = 0; i < moments.size(); ++i) {
    const auto [thread, at] = moments[i];
    // The call may last from half way to its thread's last moment to half way to the next one.
    const auto same_thread = [thread = thread](const moment& other) { return other.thread == thread; };
    const auto next =
        std::find_if(moments.begin() + static_cast<std::ptrdiff_t>(i) + 1, moments.end(), same_thread);
    const auto last =
        std::find_if(moments.rend() - static_cast<std::ptrdiff_t>(i), moments.rend(), same_thread);
    const auto room_before = (last == moments.rend() ? 8000 : at - last->at) / 2;
    const auto room_after = (next == moments.end() ? 8000 : next->at - at) / 2;
    const during when{at - 1 - static_cast<time_point>(below(static_cast<int>(room_before) - 1)),
                      at + 1 + static_cast<time_point>(below(static_cast<int>(room_after) - 1))};
    const auto argument = static_cast<value>(below(3));
    operation one;
    switch (below(6)) {
      case 0:
        one = find(when, holds);
        break;
      case 1:
        one = insert(when, argument, !holds.has_value());
        break;
      case 2:
        one = assign(when, argument);
        break;
      case 3:
        one = erase(when, holds);
        break;
      case 4:
        one = erase_if_equal(when, argument, holds == argument);
        break;
      default:
        one = clear(when);
    }
    EXPECT_TRUE(take_effect(one, holds));
    all.push_back(by_thread(thread, one));
  }
  return all;
}

// Another result somewhere, or another time. What comes out may be legal or not.
void mutate(operations& all, std::mt19937& random) {
  const auto below = [&random](std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
  };
  operation& one = all[below(all.size())];
  switch (below(3)) {
    case 0:
      one.found = below(2) == 0 ? state() : state(below(3));
      one.done = !one.done;
      break;
    case 1:
      one.argument = below(3);
      break;
    default:
      std::swap(one.invoked, all[below(all.size())].invoked);
      for (auto& each : all)
        if (each.returned <= each.invoked) std::swap(each.invoked, each.returned);
  }
}

// Every order that real time allows, and every choice of pending operations, one by one.
bool some_order(const operations& all, std::vector<bool>& done, const state& holds) {
  bool complete = true;
  for (std::size_t i = 0; i < all.size(); ++i) complete = complete && (done[i] || all[i].returned == pending);
  if (complete) return true;
  for (std::size_t i = 0; i < all.size(); ++i) {
    state after = holds;
    if (done[i] || !take_effect(all[i], after)) continue;
    bool may_be_next = true;
    for (std::size_t j = 0; j < all.size(); ++j)
      if (!done[j] && all[j].returned <= all[i].invoked) may_be_next = false;
    if (!may_be_next) continue;
    done[i] = true;
    const bool found = some_order(all, done, after);
    done[i] = false;
    if (found) return true;
  }
  return false;
}

bool brute_force(const operations& all, const std::set<state>& before = {nothing}) {
  return std::ranges::any_of(before, [&all](const state& start) {
    std::vector<bool> done(all.size());
    return some_order(all, done, start);
  });
}

TEST(RandomHistories, LegalOnesAreAccepted) {
  std::mt19937 random(1);
  for (int round = 0; round < 3000; ++round) {
    const auto all = legal_history(random, 1 + round % 8, 60);
    const auto found = check_key(all);
    ASSERT_FALSE(found.has_value()) << text(*found);
  }
}

TEST(RandomHistories, TheVerdictIsThatOfTryingEveryOrder) {
  std::mt19937 random(2);
  int legal = 0;
  int illegal = 0;
  for (int round = 0; round < 30'000; ++round) {
    auto all = legal_history(random, 4, 1 + round % 8);
    for (int i = 0; i < round % 3; ++i) mutate(all, random);
    const bool expected = brute_force(all);
    ++(expected ? legal : illegal);
    ASSERT_EQ(linearizable(all), expected) << text(counter_example{{nothing}, all});
  }
  EXPECT_GT(legal, 10'000);
  EXPECT_GT(illegal, 3000);
}

TEST(RandomHistories, ACounterExampleIsOneAndNoReadOfItIsInVain) {
  std::mt19937 random(3);
  int found_ones = 0;
  for (int round = 0; round < 10'000; ++round) {
    auto all = legal_history(random, 3, 10);
    mutate(all, random);
    const auto found = check_key(all);
    if (!found) continue;
    ++found_ones;
    const auto& kept = found->operations;
    ASSERT_FALSE(brute_force(kept, found->before)) << text(*found);
    for (std::size_t i = 0; i < kept.size(); ++i)
      if (changes_nothing(kept[i])) {
        ASSERT_TRUE(brute_force(detail::without(i, kept), found->before)) << i << '\n' << text(*found);
      }
  }
  EXPECT_GT(found_ones, 1000);
}

// The orders of n overlapping writes are n!, their configurations 2^n n at most.
TEST(Memory, OverlappingWritesThatExplodeWithoutItAreDecided) {
  operations all;
  for (value i = 1; i <= 12; ++i) all.push_back(assign({i, 100}, i));
  all.push_back(find({200, 201}, 99));
  EXPECT_FALSE(linearizable(all));
  all.back() = find({200, 201}, 5);
  EXPECT_TRUE(linearizable(all));
}

// Forty times four writes that overlap, and one call over all of it so that there is no cut: (4!)^40 orders.
TEST(Memory, ALongHistoryWithoutACutIsDecided) {
  operations all{clear({0, 1'000'000})};
  for (time_point round = 1; round <= 40; ++round)
    for (value i = 1; i <= 4; ++i) all.push_back(assign({100 * round + i, 100 * round + 50}, i));
  all.push_back(find({1'000'001, 1'000'002}, 99));
  EXPECT_FALSE(linearizable(all));
  all.back() = find({1'000'001, 1'000'002}, 4);
  EXPECT_TRUE(linearizable(all));
}

}  // namespace
}  // namespace racelab::linear
