// The runtime carries atomic operations out itself. They must compute what they say.
#include "tests/watchpoint/atomics.hpp"

#include "tests/watchpoint/staging.hpp"

// What gcc calls where clang calls compare_exchange_val.
extern "C" {
int __tsan_atomic32_compare_exchange_strong(volatile std::uint32_t*, std::uint32_t*, std::uint32_t, int, int);
int __tsan_atomic32_compare_exchange_weak(volatile std::uint32_t*, std::uint32_t*, std::uint32_t, int, int);
}

namespace {

using namespace staging;

class Atomics : public testing::TestWithParam<unsigned> {};

TEST_P(Atomics, ComputeWhatPlainVariablesDo) { EXPECT_EQ(instrumented::check_atomics(GetParam()), ""); }

INSTANTIATE_TEST_SUITE_P(Of, Atomics, testing::Values(8U, 16U, 32U, 64U, 128U),
                         [](const auto& each) { return std::to_string(each.param) + "Bits"; });

TEST(AtomicsOfOtherTypes, ComputeWhatTheySay) { EXPECT_EQ(instrumented::check_other_atomics(), ""); }

TEST(AtomicsOfGcc, CompareAndExchange) {
  for (const auto entry : {__tsan_atomic32_compare_exchange_strong, __tsan_atomic32_compare_exchange_weak}) {
    std::uint32_t value = 5;
    std::uint32_t expected = 6;
    EXPECT_FALSE(entry(&value, &expected, 7, 0, 0));
    EXPECT_EQ(value, 5U);
    EXPECT_EQ(expected, 5U);
    EXPECT_TRUE(entry(&value, &expected, 7, 0, 0));
    EXPECT_EQ(value, 7U);
    EXPECT_EQ(expected, 5U);
  }
}

// A push onto a list exchanges the head and expects what the new node points to; once it has, somebody else may take the node
// and change that. As it is here, where the exchange itself changes what was expected.
TEST(AtomicsOfGcc, DoNotLookAtWhatWasExpectedOnceTheyAreDone) {
  for (const auto entry : {__tsan_atomic32_compare_exchange_strong, __tsan_atomic32_compare_exchange_weak}) {
    std::uint32_t value = 5;
    EXPECT_TRUE(entry(&value, &value, 7, 0, 0));
    EXPECT_EQ(value, 7U);
  }
}

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
