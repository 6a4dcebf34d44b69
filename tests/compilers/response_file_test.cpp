#include "compilers/response_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/scratch.hpp"

namespace {

using namespace racelab::compilers;
using words = std::vector<std::string>;

class ResponseFile : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name) << text;
    return "@" + (folder / name).string();
  }

  scratch_folder folder;
};

}  // namespace

TEST_F(ResponseFile, SeparatesWordsAsGnuDoes) {
  EXPECT_EQ(words_of(""), words{});
  EXPECT_EQ(words_of(" a  b\n\tc \n"), (words{"a", "b", "c"}));
  EXPECT_EQ(words_of(R"("a b" 'c "d' e\ f g\\h "i\"j" '' k"l m"n)"),
            (words{"a b", "c \"d", "e f", "g\\h", "i\"j", "", "kl mn"}));
}

TEST_F(ResponseFile, StandsForItsWordsAlsoInsideOfAnother) {
  const std::string inner = write("inner", "b 'c c'");
  const std::string outer = write("outer", "a " + inner + " d");
  EXPECT_EQ(expand_response_files({"x", outer, "y"}), (words{"x", "a", "b", "c c", "d", "y"}));
}

TEST_F(ResponseFile, ThatCantBeReadStays) {
  EXPECT_EQ(expand_response_files({"@nobody/has/this", "@"}), (words{"@nobody/has/this", "@"}));
}

TEST_F(ResponseFile, ThatNamesItselfEnds) {
  const std::string self = write("self", "a @" + (folder / "self").string());
  EXPECT_EQ(expand_response_files({self}).front(), "a");
}

TEST_F(ResponseFile, IsReadAsItWasWritten) {
  const words all = {"plain", "with space", "", "quo\"te's", "back\\slash", "line\nbreak"};
  write_response_file(folder / "written", all);
  EXPECT_EQ(expand_response_files({"@" + (folder / "written").string()}), all);
  EXPECT_THROW(write_response_file(folder / "no" / "folder", all), std::runtime_error);
}
