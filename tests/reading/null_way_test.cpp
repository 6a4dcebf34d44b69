#include "stacks/reading/null_way.hpp"

#include <gtest/gtest.h>

#include <map>
#include <sstream>

namespace {

using namespace racelab::reading;

/// One file, a.cpp, and frames in it by function and line.
struct program {
  std::string text;
  std::vector<std::pair<std::string, unsigned>> frames;
};

std::vector<null_step> way_in(const program& of) {
  thread stack;
  for (const auto& [function, line] : of.frames) {
    frame one;
    one.function = function;
    one.file = "a.cpp";
    one.line = line;
    stack.frames.push_back(one);
  }
  return way_of_null(stack, 0, [&](const std::string& file) -> std::optional<std::vector<std::string>> {
    if (file != "a.cpp") return std::nullopt;
    std::vector<std::string> lines;
    std::istringstream in(of.text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  });
}

constexpr auto unchecked = R"(node* find(int key) {
  if (key > 3) return nullptr;
  return &all[key];
}
int value(node* at) {
  return at->value;
}
int ask(int key) {
  node* found = find(key);
  return value(found);
}
)";

TEST(NullWay, GoesFromTheUseToTheFunctionThatReturnedIt) {
  const auto steps = way_in({unchecked, {{"value(node*)", 6}, {"ask(int)", 10}, {"main", 20}}});
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[0].what, "reads through `at`");
  EXPECT_FALSE(steps[0].checks);
  EXPECT_EQ(steps[1].what, "passes `found` on, which is what find() returned");
  EXPECT_EQ(steps[1].frame, 1U);
  EXPECT_FALSE(steps[1].checks);
  EXPECT_TRUE(steps[2].source);
  EXPECT_EQ(steps[2].line, 2U);
  EXPECT_FALSE(steps[2].frame);
}

TEST(NullWay, SeesACheckOnTheWay) {
  std::string text = unchecked;
  text.insert(text.find("  return value(found)"), "  if (found == nullptr) log();\n");
  const auto steps = way_in({text, {{"value(node*)", 6}, {"ask(int)", 11}}});
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_FALSE(steps[0].checks);
  EXPECT_TRUE(steps[1].checks);
}

TEST(NullWay, FollowsACallInTheArgument) {
  std::string text = unchecked;
  text.replace(text.find("value(found)"), 12, "value(find(key))");
  const auto steps = way_in({text, {{"value(node*)", 6}, {"ask(int)", 10}}});
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[1].what, "passes on what find() returned");
}

TEST(NullWay, EndsWhereTheSourceIsMissing) {
  EXPECT_TRUE(way_in({unchecked, {{"value(node*)", 600}}}).empty());
  const auto steps = way_in({unchecked, {{"value(node*)", 6}, {"elsewhere", 999}}});
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_FALSE(steps[0].source);
}

TEST(NullWay, SaysNothingOfAGlobal) {
  EXPECT_TRUE(way_in({"int f() {\n  return shared->value;\n}\n", {{"f()", 2}}}).empty());
}

}  // namespace
