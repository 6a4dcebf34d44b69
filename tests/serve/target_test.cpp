#include "serve/target.hpp"

#include <gtest/gtest.h>

namespace {

using racelab::serve::path_of;
using racelab::serve::percent_decoded;

TEST(Target, ThePathIsWithoutQueryAndHost) {
  EXPECT_EQ(path_of("/kv/a"), "/kv/a");
  EXPECT_EQ(path_of("/kv/a?b=c"), "/kv/a");
  EXPECT_EQ(path_of("http://host:8080/kv/a"), "/kv/a");
  EXPECT_EQ(path_of("http://host"), "/");
  EXPECT_EQ(path_of("*"), "");
  EXPECT_EQ(path_of("host:443"), "");
  EXPECT_EQ(path_of(""), "");
}

TEST(Target, PercentEncodingIsUndone) {
  EXPECT_EQ(percent_decoded("key-1"), "key-1");
  EXPECT_EQ(percent_decoded("a%20b%2Fc%2f"), "a b/c/");
  EXPECT_EQ(percent_decoded("%00%ff"), std::string("\0\xff", 2));
  EXPECT_EQ(percent_decoded("a+b"), "a+b");
  EXPECT_EQ(percent_decoded(""), "");
  for (const char* wrong : {"%", "%1", "a%", "%g0", "%0g", "%-1", "% 1", "%%41"})
    EXPECT_FALSE(percent_decoded(wrong)) << wrong;
}

}  // namespace
