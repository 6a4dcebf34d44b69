// The house rules that a machine can check: which folder may include which, what a scenario file looks like, and
// that the tree names nothing outside of itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path root = RACELAB_SOURCE_DIR;

struct file {
  std::string path;  // relative to the root
  std::vector<std::string> lines;

  [[nodiscard]] std::string text() const {
    std::string all;
    for (const auto& line : lines) all += line + "\n";
    return all;
  }
};

file read(const fs::path& path) {
  std::ifstream in(path);
  file result{fs::relative(path, root).generic_string(), {}};
  for (std::string line; std::getline(in, line);) result.lines.push_back(line);
  return result;
}

// A part is a folder with rules of its own.
const std::set<std::string> parts = {"stacks",
                                     "sanitizers/annotations",
                                     "sanitizers/write_flag",
                                     "sanitizers/thread",
                                     "sanitizers/watchpoint",
                                     "sanitizers/verdict",
                                     "compilers",
                                     "repro",
                                     "repro/support",
                                     "fixes",
                                     "lab",
                                     "bench",
                                     "serve",
                                     "tests"};

// What each part may include besides itself. Arrows never run back up, and nobody includes lab but the tests, bench but
// the server of its contenders and the tests, nor the tests but themselves.
const std::map<std::string, std::set<std::string>> arrows = {
    {"stacks", {}},
    {"sanitizers/annotations", {}},
    {"sanitizers/write_flag", {"stacks"}},
    {"sanitizers/thread", {"stacks"}},
    {"sanitizers/watchpoint", {"stacks", "sanitizers/annotations"}},
    {"sanitizers/verdict", {"stacks", "sanitizers/thread", "sanitizers/watchpoint"}},
    {"compilers", {}},
    {"repro", {"repro/support"}},
    {"repro/support", {"sanitizers/annotations", "sanitizers/write_flag"}},
    {"fixes", {"sanitizers/annotations"}},
    {"lab",
     {"stacks", "sanitizers/write_flag", "sanitizers/thread", "sanitizers/watchpoint", "sanitizers/verdict",
      "serve"}},  // of that only what its arguments are
    {"bench",
     {"fixes", "stacks", "repro/support", "sanitizers/write_flag", "sanitizers/thread",
      "sanitizers/watchpoint", "sanitizers/verdict"}},
    {"serve", {"bench", "stacks"}},
    {"tests", parts},
};

// The part that `path` belongs to, the innermost one; empty if it is in none.
std::string part_of(const std::string& path) {
  std::string innermost;
  for (const auto& part : parts)
    if (path.starts_with(part + "/") && part.size() > innermost.size()) innermost = part;
  return innermost;
}

std::vector<file> sources() {
  std::vector<file> found;
  for (const auto* const folder :
       {"bench", "compilers", "fixes", "lab", "repro", "sanitizers", "serve", "stacks", "tests"}) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const auto extension = entry.path().extension();
      if (extension == ".cpp" || extension == ".hpp" || extension == ".def")
        found.push_back(read(entry.path()));
    }
  }
  return found;
}

std::vector<file> scenarios() {
  std::vector<file> found;
  for (const auto& entry : fs::directory_iterator(root / "repro"))
    if (entry.path().extension() == ".cpp") found.push_back(read(entry.path()));
  return found;
}

// The complaints about a file's includes, one line each: file:line: what.
std::vector<std::string> broken_arrows(const file& source) {
  static const std::regex include(R"re(^\s*#\s*include\s+"([^"]+)")re");
  std::vector<std::string> broken;
  const auto complain = [&](std::size_t line, const std::string& what) {
    broken.push_back(source.path + ":" + std::to_string(line + 1) + ": " + what);
  };
  const auto from = part_of(source.path);
  if (from.empty()) complain(0, "is in no part that the layout knows");
  for (std::size_t line = 0; line < source.lines.size(); ++line) {
    std::smatch matched;
    if (!std::regex_search(source.lines[line], matched, include)) continue;
    const std::string target = matched[1];
    const auto to = part_of(target);
    if (to.empty())
      complain(line, "\"" + target + "\" is not given from the root");
    else if (from.empty() || (to != from && !arrows.at(from).contains(to)))
      complain(line, from + " includes " + to);
  }
  return broken;
}

bool is_code(const std::string& line) {
  const auto first = line.find_first_not_of(" \t");
  return first != std::string::npos && line.compare(first, 2, "//") != 0;
}

// How a scenario shows that it calls what its `// race:` line names: itself, or through the verifier.
std::string calls(const std::string& named) {
  static const std::map<std::string, std::string> special = {
      {"find()", R"(\bfind\(|\.holds\(|\.lacks\()"},
      {"for_each()", R"(\bfor_each\(|\.consistent\()"},
      {"size()", R"(\bsize\(|\.consistent\()"},
      {"copy", R"(\bauto \w+ = \*?\w+;)"},
      {"move", R"(\bstd::move\()"},
      {"destructor", R"(\breset\(\)|\bdelete |\btaken = std::move\()"},
  };
  if (const auto at = special.find(named); at != special.end()) return at->second;
  if (named.ends_with("()")) return "\\b" + named.substr(0, named.size() - 2) + "\\(";
  return "";
}

constexpr std::size_t most_lines = 60;
constexpr std::size_t most_code_lines = 45;

// The complaints about a scenario file.
std::vector<std::string> broken_scenario_rules(const file& scenario) {
  std::vector<std::string> broken;
  const auto complain = [&](const std::string& what) { broken.push_back(scenario.path + ": " + what); };

  static const std::regex story("^// [A-Z].*[.]$");
  if (scenario.lines.empty() || !std::regex_match(scenario.lines[0], story))
    complain("does not open with its story, one sentence");

  std::string code;
  std::size_t code_lines = 0;
  for (const auto& line : scenario.lines)
    if (is_code(line)) {
      code += line + "\n";
      ++code_lines;
    }
  if (scenario.lines.size() > most_lines) complain("has more than " + std::to_string(most_lines) + " lines");
  if (code_lines > most_code_lines)
    complain("has more than " + std::to_string(most_code_lines) + " lines of code");
  // Unless that is its very story.
  if (code.find("sleep") != std::string::npos && scenario.lines.front().find("sleep") == std::string::npos)
    complain("sleeps");

  static const std::regex race(R"(^// race: +(\S+) ([RW]) vs (\S+) ([RW])$)");
  std::set<std::string> keys;
  bool has_no_map = false;
  for (const auto& line : scenario.lines) {
    static const std::regex key_and_value(
        "^// (race|maps|expect|fixes|not|timeout|truth|cause|shown|needs|uninstrumented|remedy): +(.*)$");
    std::smatch matched;
    if (!std::regex_match(line, matched, key_and_value)) continue;
    keys.insert(matched[1]);
    if (matched[1] == "maps") has_no_map = matched[2] == "none";
    if (matched[1] != "race") continue;
    if (!std::regex_match(line, matched, race)) {
      complain("`" + line + "` is no racing pair: FUNCTION R|W vs FUNCTION R|W");
      continue;
    }
    if (matched[2] == "R" && matched[4] == "R") complain("`" + line + "`: two reads do not race");
    for (const std::string function : {matched[1], matched[3]}) {
      const auto pattern = calls(function);
      if (pattern.empty())
        complain("`" + line + "`: what is " + function + "?");
      else if (!std::regex_search(code, std::regex(pattern)))
        complain("`" + line + "`: no " + function + " in the code");
    }
  }
  const bool races = !scenario.path.starts_with("repro/norace_");
  // A program of the corpus (no map) that may deadlock has no race either.
  const bool names_pair = races && !scenario.path.starts_with("repro/hang_");
  std::vector<std::string> needed_keys = {"maps", "expect", has_no_map ? "truth" : "fixes"};
  if (has_no_map ? names_pair : races) needed_keys.emplace_back("race");
  for (const std::string& needed : needed_keys)
    if (!keys.contains(needed)) complain(std::string("has no line `// ") + needed + ": …`");
  if (!races && keys.contains("race")) complain("has a racing pair, and its name says that it has none");
  return broken;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const auto& line : lines) all += "\n  " + line;
  return all;
}

TEST(House, EveryPartHasItsArrows) {
  for (const auto& part : parts) EXPECT_TRUE(arrows.contains(part)) << part;
}

TEST(House, IncludesFollowTheArrows) {
  const auto all = sources();
  ASSERT_GT(all.size(), 100U) << "too few files found under " << root;
  for (const auto& each : all) {
    const auto broken = broken_arrows(each);
    EXPECT_TRUE(broken.empty()) << joined(broken);
  }
}

TEST(House, AHeaderIsGuardedAndItsSourceIncludesItFirst) {
  for (const auto& each : sources()) {
    const auto first_with = [&](const std::string& start) {
      return std::ranges::find_if(each.lines, [&](const auto& line) { return line.starts_with(start); });
    };
    if (each.path.ends_with(".hpp")) {
      EXPECT_TRUE(first_with("#pragma once") != each.lines.end()) << each.path;
      continue;
    }
    const std::string header = each.path.substr(0, each.path.rfind('.')) + ".hpp";
    if (!fs::exists(root / header)) continue;
    EXPECT_TRUE(first_with("#include ") == first_with("#include \"" + header + "\"")) << each.path;
  }
}

TEST(House, AnArrowThatRunsBackUpIsSeen) {
  const auto complaint = [](const std::string& path, const std::string& included) {
    return joined(broken_arrows({path, {"#include \"" + included + "\""}}));
  };
  EXPECT_EQ(complaint("stacks/new.cpp", "lab/table.hpp"), "\n  stacks/new.cpp:1: stacks includes lab");
  EXPECT_EQ(complaint("fixes/new.hpp", "repro/support/gate.hpp"),
            "\n  fixes/new.hpp:1: fixes includes repro/support");
  EXPECT_EQ(complaint("repro/new.cpp", "fixes/sharded.hpp"), "\n  repro/new.cpp:1: repro includes fixes");
  EXPECT_EQ(complaint("repro/support/maps/new.hpp", "repro/new.hpp"),
            "\n  repro/support/maps/new.hpp:1: repro/support includes repro");
  EXPECT_EQ(complaint("lab/new.cpp", "table.hpp"),
            "\n  lab/new.cpp:1: \"table.hpp\" is not given from the root");
  EXPECT_EQ(complaint("lab/new.cpp", "stacks/capture.hpp"), "");
}

TEST(House, ScenariosKeepTheirForm) {
  const auto all = scenarios();
  ASSERT_GT(all.size(), 10U);
  for (const auto& each : all) {
    const auto broken = broken_scenario_rules(each);
    EXPECT_TRUE(broken.empty()) << joined(broken);
  }
}

TEST(House, AScenarioThatBreaksItsFormIsSeen) {
  const file good{
      "repro/crash_new.cpp",
      {"// Two threads erase.", "// race: erase() W vs find() R", "// maps: hmap", "// expect: tsan=report",
       "// fixes: all", "int main() { m.erase(1); check.holds(m, 1, 1); }"}};
  EXPECT_EQ(joined(broken_scenario_rules(good)), "");

  const auto complaint = [&good](std::size_t line, const std::string& instead) {
    auto bad = good;
    bad.lines[line] = instead;
    return joined(broken_scenario_rules(bad));
  };
  EXPECT_NE(complaint(0, "#include <thread>").find("does not open with its story"), std::string::npos);
  EXPECT_NE(complaint(1, "// race: erase() W vs clear() W").find("no clear() in the code"),
            std::string::npos);
  EXPECT_NE(complaint(1, "// race: find() R vs find() R").find("two reads do not race"), std::string::npos);
  EXPECT_NE(complaint(1, "// race: erase() and find()").find("is no racing pair"), std::string::npos);
  EXPECT_NE(complaint(1, "").find("has no line `// race: …`"), std::string::npos);
  EXPECT_NE(complaint(2, "").find("has no line `// maps: …`"), std::string::npos);
  EXPECT_NE(complaint(5, "m.erase(1); m.find(1); sleep_for(1ms);").find("sleeps"), std::string::npos);
  auto longer = good;
  longer.lines.resize(70, "++i;");
  EXPECT_NE(joined(broken_scenario_rules(longer)).find("more than 60 lines"), std::string::npos);
  EXPECT_NE(joined(broken_scenario_rules(longer)).find("more than 45 lines of code"), std::string::npos);
}

TEST(House, AScenarioWithoutARaceNamesNone) {
  file correct{"repro/norace_new.cpp",
               {"// Nobody races.", "// maps: hmap", "// expect: tsan=clean", "// fixes: all",
                "int main() { m.erase(1); m.erase(2); }"}};
  EXPECT_EQ(joined(broken_scenario_rules(correct)), "");
  correct.lines.insert(correct.lines.begin() + 1, "// race: erase() W vs erase() W");
  EXPECT_NE(joined(broken_scenario_rules(correct)).find("says that it has none"), std::string::npos);
}

TEST(House, AProgramOfTheCorpusTellsItsTruth) {
  const file good{"repro/race_new.cpp",
                  {"// Two threads count.", "// race: count() W vs count() W", "// maps: none",
                   "// truth: race, corrupt: counts are lost", "// expect: tsan=report", "void count() {}"}};
  EXPECT_EQ(joined(broken_scenario_rules(good)), "");
  for (const std::size_t line : {1U, 3U, 4U}) {
    auto bad = good;
    bad.lines[line] = "";
    EXPECT_NE(joined(broken_scenario_rules(bad)).find("has no line `// "), std::string::npos) << line;
  }
  auto deadlock = good;
  deadlock.path = "repro/hang_new.cpp";
  deadlock.lines[1] = "";
  EXPECT_EQ(joined(broken_scenario_rules(deadlock)), "");
}

TEST(House, EveryRemedyOpensWithItsEssay) {
  std::size_t remedies = 0;
  for (const auto& entry : fs::directory_iterator(root / "fixes")) {
    if (entry.path().extension() != ".hpp") continue;
    const file remedy = read(entry.path());
    ++remedies;
    static const std::regex story(R"(^// \S.*[.]$)");  // a library's own name may come first
    EXPECT_TRUE(std::regex_match(remedy.lines.at(0), story))
        << remedy.path << ": does not open with its story";
    auto from = remedy.lines.begin();
    for (const auto* const heading :
         {"// Thread safety", "// Invariants", "// Reclamation", "// Cost", "// When not to use it"}) {
      const auto at = std::find(from, remedy.lines.end(), heading);
      EXPECT_NE(at, remedy.lines.end()) << remedy.path << ": no line `" << heading << "` in its place";
      if (at != remedy.lines.end()) from = at;
    }
  }
  EXPECT_GT(remedies, 5U);
}

// .clang-tidy gives each check that it leaves out a reason in a comment, and leaves out what it gives reasons for.
TEST(House, EveryExcludedCheckHasItsReason) {
  static const std::regex with_reason(R"(^#   (-[a-z0-9A-Z.*-]+) +\S.*$)");
  static const std::regex excluded(R"(^  (-[a-z]+-[a-z0-9A-Z.*-]+),?$)");
  std::vector<std::string> reasons;
  std::vector<std::string> exclusions;
  for (const auto& line : read(root / ".clang-tidy").lines) {
    std::smatch matched;
    if (std::regex_match(line, matched, with_reason)) reasons.push_back(matched[1]);
    if (std::regex_match(line, matched, excluded)) exclusions.push_back(matched[1]);
  }
  EXPECT_GT(exclusions.size(), 10U);
  EXPECT_EQ(reasons, exclusions);
}

// All that `command` prints to stdout, and its exit code.
struct printed {
  std::string text;
  int status = -1;
};

printed run(const std::string& command) {
  printed result;
  std::FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return result;
  std::array<char, 4096> buffer{};
  while (const auto got = std::fread(buffer.data(), 1, buffer.size(), pipe))
    result.text.append(buffer.data(), got);
  result.status = pclose(pipe);
  return result;
}

TEST(House, NothingTrackedNamesAPlaceOutsideTheTree) {
  const std::string git = "git -C '" + root.string() + "' ";
  if (run(git + "rev-parse --show-toplevel 2>&1").text != fs::canonical(root).string() + "\n")
    GTEST_SKIP() << "not a git checkout of its own: nobody knows what is tracked";
  // Written in pieces, for this file is tracked too. git grep exits 1 when it finds nothing.
  const std::string places = std::string("-e '/work") + "/' -e '[.][.]/shar" + "ed' -e '/tmp/bui" + "ld-'";
  const auto found = run(git + "grep -nI " + places);
  EXPECT_EQ(found.text, "");
  EXPECT_TRUE(WIFEXITED(found.status) && WEXITSTATUS(found.status) == 1) << found.status;
}

}  // namespace
