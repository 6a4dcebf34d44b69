// With one thread nothing overlaps, so a bug of concurrency can't be seen: that the planted maps are accepted then
// shows that workload and checker make up none.
#include <gtest/gtest.h>

#include <string>

#include "fixes/mutex_map.hpp"
#include "repro/support/maps/seed_cas_snapshot.hpp"
#include "tests/linear/check.hpp"
#include "tests/linear/planted/check_then_act.hpp"
#include "tests/linear/planted/hybrid_cache_kept.hpp"
#include "tests/linear/planted/racing_counter.hpp"
#include "tests/linear/planted/stale_walk.hpp"
#include "tests/linear/tested_map.hpp"
#include "tests/linear/workload.hpp"

namespace racelab::linear {
namespace {

// The first complaint about 100 histories of one thread.
template <class Map> std::string problem_of_one_thread() {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    tested<Map> map;
    const plan planned{.threads = 1, .keys = 1 + static_cast<int>(seed % 8), .calls = 100, .seed = seed};
    if (auto problem = check(record(map, planned), planned.keys).problem) return *problem;
  }
  return "";
}

template <class Map> class OneThread : public testing::Test {};
using maps = testing::Types<mutex_map<int, twin>, seed_cas_snapshot<int, twin>, hybrid_cache_kept<int, twin>,
                            check_then_act<int, twin>, racing_counter<int, twin>>;
TYPED_TEST_SUITE(OneThread, maps);

TYPED_TEST(OneThread, IsLinearizable) { EXPECT_EQ(problem_of_one_thread<TypeParam>(), ""); }

TEST(StaleWalk, IsWrongWithoutHelp) {
  const auto problem = problem_of_one_thread<stale_walk<int, twin>>();
  EXPECT_NE(problem.find("for_each()"), std::string::npos) << problem;
}

}  // namespace
}  // namespace racelab::linear
