// The entry points: broad.cpp has every kind of access, so this program links only if none is missing.
#include <gtest/gtest.h>

#include "tests/watchpoint/broad.hpp"

TEST(Entries, ThatACompilerCallsAreAllThereAndChangeNothing) {
  const int first = instrumented::do_everything();
  EXPECT_EQ(first, 21);
  EXPECT_EQ(instrumented::do_everything(), first);
}
