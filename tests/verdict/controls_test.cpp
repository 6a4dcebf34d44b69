#include "sanitizers/verdict/controls.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace {

using namespace racelab::verdict;

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

TEST(Controls, EachIsAProgramOfTheCorpusWithThatCause) {
  ASSERT_FALSE(negative_controls().empty());
  for (const negative_control& each : negative_controls()) {
    const std::string text =
        text_of(std::filesystem::path(SOURCE_ROOT) / "repro" / (std::string(each.program) + ".cpp"));
    EXPECT_NE(text.find("// truth: "), std::string::npos) << each.program;
    EXPECT_TRUE(text.find("judge=likely-false") != std::string::npos ||
                text.find("judge=ordering-only") != std::string::npos)
        << each.program;
    EXPECT_FALSE(each.advice.empty()) << each.cause;
  }
}

TEST(Controls, AreFoundByTheirCause) {
  ASSERT_NE(control_of("asm-lock"), nullptr);
  EXPECT_EQ(control_of("asm-lock")->program, "norace_asm_lock");
  EXPECT_EQ(control_of("no such cause"), nullptr);
}

}  // namespace
