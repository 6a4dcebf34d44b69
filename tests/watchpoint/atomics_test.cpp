// The runtime carries atomic operations out itself. They must compute what they say.
#include "tests/watchpoint/atomics.hpp"

#include "tests/watchpoint/staging.hpp"

namespace {

using namespace staging;

class Atomics : public testing::TestWithParam<unsigned> {};

TEST_P(Atomics, ComputeWhatPlainVariablesDo) { EXPECT_EQ(instrumented::check_atomics(GetParam()), ""); }

INSTANTIATE_TEST_SUITE_P(Of, Atomics, testing::Values(8U, 16U, 32U, 64U, 128U),
                         [](const auto& each) { return std::to_string(each.param) + "Bits"; });

TEST(AtomicsOfOtherTypes, ComputeWhatTheySay) { EXPECT_EQ(instrumented::check_other_atomics(), ""); }

// With every access looked at, and from two threads.
TEST(AtomicsUnderStalls, AddUp) {
  watch::reset();
  watch::set_decide([](const watch::access&, std::uint32_t visit) -> watch::stall {
    return {.microseconds = visit % 16 == 0 ? 20U : 0U};
  });
  std::string wrong[2];
  std::thread one([&] { wrong[0] = instrumented::check_other_atomics(); });
  std::thread two([&] { wrong[1] = instrumented::check_other_atomics(); });
  one.join();
  two.join();
  watch::set_decide(nullptr);
  EXPECT_EQ(wrong[0], "");
  EXPECT_EQ(wrong[1], "");
}

}  // namespace
