// Programs without a race, stalled as often as it can be done: nothing is caught, nothing changes unseen, and their
// results are right.
#include "tests/watchpoint/correct_programs.hpp"

#include "tests/watchpoint/staging.hpp"

namespace {

using namespace staging;
using correct_programs::program;

class CorrectProgram : public testing::TestWithParam<program> {
 protected:
  void SetUp() override { watch::reset(); }
  void TearDown() override { watch::set_decide(nullptr); }

  static void expect_clean(std::uint64_t rounds) {
    EXPECT_EQ(GetParam().run(rounds), rounds * GetParam().expected_per_round);
    EXPECT_GT(watch::totals().stalls, 0U) << "this run proves nothing";
    EXPECT_EQ(watch::totals().pairs, 0U);
    EXPECT_EQ(watch::totals().changed, 0U);
  }
};

TEST_P(CorrectProgram, HasNoPairWhenEveryOtherAccessIsStalled) {
  watch::set_decide([](const watch::access&, std::uint32_t visit) -> watch::stall {
    thread_local std::uint64_t state = stacks::self().id;
    state = state * 6364136223846793005U + 1442695040888963407U;
    if (((state >> 40U) & 1U) != 0 && visit > 4) return {};
    return {.microseconds = static_cast<std::uint32_t>((state >> 41U) % 100), .looks = 40};
  });
  expect_clean(100);
}

TEST_P(CorrectProgram, HasNoPairUnderTheBuiltInPolicy) { expect_clean(100); }

INSTANTIATE_TEST_SUITE_P(All, CorrectProgram, testing::ValuesIn(correct_programs::all()),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
