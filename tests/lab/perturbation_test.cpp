#include "lab/perturbation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>

namespace racelab::lab {
namespace {

using std::chrono::milliseconds;

TEST(Perturbation, NamesAreThoseOfTheCommandLine) {
  for (const char* text : {"none", "stall", "yield", "one-cpu", "heap"}) {
    ASSERT_TRUE(perturbation_named(text)) << text;
    EXPECT_EQ(name(*perturbation_named(text)), text);
  }
  EXPECT_FALSE(perturbation_named("stal"));
  EXPECT_FALSE(perturbation_named(""));
}

class PerturbedTrial : public testing::Test {
 protected:
  PerturbedTrial() {
    unsetenv("LD_LIBRARY_PATH");
    unsetenv("RACELAB_WATCH");
  }
  const scenario_program program_{.map = "hmap", .plain = "/plain", .watch = "/watch", .tsan = {}};
};

TEST_F(PerturbedTrial, StallYieldAndHeapRunUnderTheRuntimeAndFreedMemoryTells) {
  for (const perturbation how : {perturbation::stall, perturbation::yield, perturbation::heap}) {
    const trial_request request = perturbed_trial(program_, how, 42, "single", milliseconds(500));
    EXPECT_EQ(request.program, "/watch");
    EXPECT_EQ(std::set(request.environment.begin(), request.environment.end()),
              (std::set<std::string>{"RACELAB_TRACEBACK=single", "RACELAB_PERTURB=" + std::string(name(how)),
                                     "RACELAB_SEED=42", "MALLOC_PERTURB_=165",
                                     "GLIBC_TUNABLES=glibc.malloc.tcache_count=0"}));
    EXPECT_EQ(request.timeout, milliseconds(500));
    EXPECT_FALSE(request.one_cpu);
    EXPECT_TRUE(has_seed(how));
  }
}

TEST_F(PerturbedTrial, LargePagesComeBesideTheOtherTunables) {
  trial_request request = perturbed_trial(program_, perturbation::stall, 42, "none", milliseconds(500));
  const std::size_t variables = request.environment.size();
  use_large_pages(request);
  EXPECT_EQ(request.environment.size(), variables);
  EXPECT_EQ(request.environment.back(), "GLIBC_TUNABLES=glibc.malloc.tcache_count=0:glibc.malloc.hugetlb=1");
  trial_request plain = perturbed_trial(program_, perturbation::none, 42, "none", milliseconds(500));
  use_large_pages(plain);
  EXPECT_EQ(plain.environment.back(), "GLIBC_TUNABLES=glibc.malloc.hugetlb=1");
}

TEST_F(PerturbedTrial, NoneAndOneCpuRunAsAPersonWouldStartThem) {
  for (const perturbation how : {perturbation::none, perturbation::one_cpu}) {
    const trial_request request = perturbed_trial(program_, how, 42, "none", milliseconds(500));
    EXPECT_EQ(request.program, "/plain");
    EXPECT_EQ(request.environment, std::vector<std::string>{"RACELAB_TRACEBACK=none"});
    EXPECT_EQ(request.one_cpu, how == perturbation::one_cpu);
    EXPECT_FALSE(has_seed(how));
  }
}

TEST_F(PerturbedTrial, TheRuntimesOptionsReachItAlone) {
  setenv("RACELAB_WATCH", "stall_us=500", 1);
  const auto has_options = [&](perturbation how) {
    const trial_request request = perturbed_trial(program_, how, 42, "none", milliseconds(500));
    return std::count(request.environment.begin(), request.environment.end(), "RACELAB_WATCH=stall_us=500") ==
           1;
  };
  EXPECT_TRUE(has_options(perturbation::stall));
  EXPECT_FALSE(has_options(perturbation::none));
  unsetenv("RACELAB_WATCH");
}

TEST_F(PerturbedTrial, AHangIsAskedForItsStackOnlyIfStacksAreWanted) {
  EXPECT_TRUE(perturbed_trial(program_, perturbation::none, 1, "all", milliseconds(1)).abort_at_timeout);
  EXPECT_FALSE(perturbed_trial(program_, perturbation::none, 1, "none", milliseconds(1)).abort_at_timeout);
}

TEST(TrialSeed, RepeatsAndDiffersInEveryPart) {
  EXPECT_EQ(trial_seed(7, "crash_a", "hmap", 3), trial_seed(7, "crash_a", "hmap", 3));
  const std::set<std::uint64_t> seeds{
      trial_seed(7, "crash_a", "hmap", 3), trial_seed(8, "crash_a", "hmap", 3),
      trial_seed(7, "crash_b", "hmap", 3), trial_seed(7, "crash_a", "flat", 3),
      trial_seed(7, "crash_a", "hmap", 4), trial_seed(7, "crash_", "ahmap", 3),
  };
  EXPECT_EQ(seeds.size(), 6U);
}

TEST(TrialSeed, SpreadsOverItsRange) {
  std::set<std::uint64_t> seeds;
  for (std::size_t index = 0; index < 1000; ++index) seeds.insert(trial_seed(1, "crash_a", "hmap", index));
  EXPECT_EQ(seeds.size(), 1000U);
  EXPECT_LT(*seeds.rbegin(), std::uint64_t{1} << 32) << "short enough to be typed";
  const auto upper_half =
      std::count_if(seeds.begin(), seeds.end(), [](std::uint64_t seed) { return seed >> 31; });
  EXPECT_NEAR(static_cast<double>(upper_half), 500, 80);  // five standard deviations
}

}  // namespace
}  // namespace racelab::lab
