#include "lab/terminal.hpp"

#include <gtest/gtest.h>

#include "lab/table.hpp"

namespace racelab::lab {
namespace {

TEST(Wrapped, BreaksAtSpacesAndIndents) {
  EXPECT_EQ(wrapped("one two three", 2, 9), "  one two\n  three\n");
  EXPECT_EQ(wrapped("one two three", 2, 100), "  one two three\n");
  EXPECT_EQ(wrapped("  spaces   inside ", 0, 100), "spaces inside\n");
  EXPECT_EQ(wrapped("unbreakable words", 0, 4), "unbreakable\nwords\n");
  EXPECT_EQ(wrapped("", 2, 10), "");
  EXPECT_EQ(wrapped("é é é", 0, 5), "é é é\n") << "columns are not bytes";
}

TEST(Printable, NothingActsOnATerminal) {
  EXPECT_EQ(printable("a\tb\nc"), "a\tb\nc");
  EXPECT_EQ(printable("\x1b[31mred\r\x07\x7f"), "?[31mred???");
  EXPECT_EQ(printable("é"), "é");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "?");
}

TEST(Paint, OnlyIfAskedTo) {
  EXPECT_EQ(paint("x", style::bold, true), "\x1b[1mx\x1b[0m");
  EXPECT_EQ(paint("x", style::bold, false), "x");
  EXPECT_EQ(paint("x", style::plain, true), "x");
}

TEST(Table, AlignsByColumnsAndNotByBytesOrEscapes) {
  table text({{"name", false}, {"n"}, {"word", false}});
  text.add({{"é"}, {"1", style::bold}, {"x"}});
  text.add_line("a line of its own, as long as it likes to be");
  text.add({{"long name"}, {"100"}});
  EXPECT_EQ(text.text(false),
            "name         n  word\n"
            "é            1  x\n"
            "a line of its own, as long as it likes to be\n"
            "long name  100\n");
  EXPECT_NE(text.text(true).find("  \x1b[1m1\x1b[0m  x\n"), std::string::npos);
}

}  // namespace
}  // namespace racelab::lab
