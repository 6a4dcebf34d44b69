// Whole histories: keys are told apart, clear() is an operation on each, and walks keep their own promise.
#include "tests/linear/check.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/linear/written_by_hand.hpp"

namespace racelab::linear {
namespace {

history one_log(std::vector<operation> operations, std::vector<walk> walks = {}) {
  return {thread_log{std::move(operations), std::move(walks)}};
}

walk walked(during when, std::vector<std::pair<int, value>> visited) {
  return {made(kind::for_each, when, 0, std::nullopt, false), std::move(visited)};
}

std::string problem(const history& of, int keys) { return check(of, keys).problem.value_or(""); }

TEST(History, KeysAreIndependent) {
  EXPECT_EQ(problem(one_log({on_key(0, assign({1, 2}, 5)), on_key(1, find({3, 4}, std::nullopt)),
                             on_key(0, find({5, 6}, 5))}),
                    2),
            "");
  EXPECT_NE(problem(one_log({on_key(0, assign({1, 2}, 5)), on_key(1, find({3, 4}, 5))}), 2), "");
}

TEST(History, ClearIsAnOperationOnEachKeyAtAMomentOfItsOwn) {
  const std::vector<operation> both{on_key(0, assign({1, 2}, 5)), on_key(1, assign({3, 4}, 6)),
                                    clear({5, 10})};
  auto apart = both;
  apart.push_back(on_key(0, find({6, 7}, std::nullopt)));
  apart.push_back(on_key(1, find({8, 9}, 6)));
  EXPECT_EQ(problem(one_log(apart), 2), "");
  auto forgotten = both;
  forgotten.push_back(on_key(1, find({11, 12}, 6)));
  EXPECT_NE(problem(one_log(forgotten), 2), "");
}

TEST(History, CountsOverlappingPairsOnOneKey) {
  EXPECT_EQ(check(one_log({on_key(0, assign({1, 4}, 5)), on_key(0, find({2, 3}, 5)),
                           on_key(1, find({2, 3}, std::nullopt)), on_key(0, find({5, 6}, 5))}),
                  2)
                .overlapping,
            1U);
}

TEST(Walk, VisitsWhatIsThere) {
  const std::vector<operation> stored{on_key(0, assign({1, 2}, 5)), on_key(1, assign({3, 4}, 6))};
  EXPECT_EQ(problem(one_log(stored, {walked({5, 6}, {{1, 6}, {0, 5}})}), 3), "");
  EXPECT_NE(problem(one_log(stored, {walked({5, 6}, {{0, 5}})}), 3), "");                  // passes one over
  EXPECT_NE(problem(one_log(stored, {walked({5, 6}, {{0, 5}, {1, 7}})}), 3), "");          // another value
  EXPECT_NE(problem(one_log(stored, {walked({5, 6}, {{0, 5}, {1, 6}, {2, 1}})}), 3), "");  // one more
  EXPECT_NE(problem(one_log(stored, {walked({5, 6}, {{0, 5}, {1, 6}, {77, 1}})}), 3), "");
}

TEST(Walk, VisitsNoKeyTwice) {
  EXPECT_EQ(problem(one_log({on_key(0, assign({1, 2}, 5)), on_key(0, assign({4, 5}, 6))},
                            {walked({3, 8}, {{0, 5}, {0, 6}})}),
                    1),
            "for_each() of thread 0, from 3 to 8, visited key 0 twice\n");
}

TEST(Walk, MayVisitOrPassOverWhatComesOrGoesMeanwhile) {
  for (const bool visited : {false, true}) {
    const std::vector<std::pair<int, value>> seen{{0, 5}};
    const walk during_it = walked({10, 20}, visited ? seen : std::vector<std::pair<int, value>>{});
    EXPECT_EQ(problem(one_log({on_key(0, insert({12, 13}, 5, true))}, {during_it}), 1), "");
    EXPECT_EQ(problem(one_log({on_key(0, assign({1, 2}, 5)), on_key(0, erase({12, 13}, 5))}, {during_it}), 1),
              "");
    EXPECT_EQ(problem(one_log({on_key(0, assign({1, 2}, 5)), clear({12, 13})}, {during_it}), 1), "");
  }
}

TEST(Walk, MayPassOverWhatChangesMeanwhile) {
  const std::vector<operation> changed{on_key(0, assign({1, 2}, 5)), on_key(0, assign({12, 13}, 6))};
  EXPECT_EQ(problem(one_log(changed, {walked({10, 20}, {})}), 1), "");
  EXPECT_EQ(problem(one_log(changed, {walked({10, 20}, {{0, 5}})}), 1), "");
  EXPECT_EQ(problem(one_log(changed, {walked({10, 20}, {{0, 6}})}), 1), "");
  EXPECT_NE(problem(one_log(changed, {walked({14, 20}, {})}), 1), "");
  EXPECT_NE(problem(one_log(changed, {walked({14, 20}, {{0, 5}})}), 1), "");
}

// insert() changes nothing where the key is there, so the promise stands.
TEST(Walk, VisitsWhatAFailedInsertLeftThere) {
  EXPECT_NE(problem(one_log({on_key(0, assign({1, 2}, 5)), on_key(0, insert({12, 13}, 6, false))},
                            {walked({10, 20}, {})}),
                    1),
            "");
}

}  // namespace
}  // namespace racelab::linear
