// Real logs, as each runtime wrote them and as they look after containers and CI jobs have handled them.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "sanitizers/thread/sites.hpp"
#include "sanitizers/thread/triage.hpp"
#include "sanitizers/thread/triage_documents.hpp"
#include "tests/thread/read_goldens.hpp"

namespace {

using namespace racelab;
using racelab::tests::golden;
using racelab::tests::parse;
using racelab::tests::parsed;
using racelab::tests::split_lines;

std::vector<golden> goldens() { return racelab::tests::goldens_of(GOLDENS); }

std::string json_of(const std::string& name, std::string_view text) {
  tsan::triage triage;
  triage.begin_log(name);
  triage.feed(text);
  triage.end_log();
  return tsan::json_document(triage.result());
}

// A report in all that does not depend on where in a log it stood and what stood before it.
std::string content_of(tsan::report of) {
  of.prefix.clear();
  of.first_line = 0;
  of.last_line = 0;
  tsan::triage_result result;
  const std::string signature = tsan::signature(of);
  result.findings.push_back({signature, tsan::fingerprint(signature), std::move(of), 1, {}});
  return tsan::json_document(result);
}

std::multiset<std::string> contents_of(const parsed& log) {
  std::multiset<std::string> all;
  for (const tsan::report& each : log.reports) all.insert(content_of(each));
  return all;
}

using wrapper = std::function<std::string(const std::string& line, std::size_t number)>;

std::string wrapped(const golden& log, const wrapper& wrap) {
  std::string text;
  std::size_t number = 0;
  for (const std::string& line : split_lines(log.text)) text += wrap(line, ++number) + "\n";
  return text;
}

std::string two_digits(std::size_t number) {
  return std::string(1, static_cast<char>('0' + number / 10 % 6)) + static_cast<char>('0' + number % 10);
}

struct ci_style {
  const char* name;
  wrapper wrap;
};

std::vector<ci_style> ci_styles() {
  return {
      {"docker compose", [](const auto& line, auto) { return "racer-1  | " + line; }},
      {"ctest", [](const auto& line, auto) { return "12: " + line; }},
      {"GitHub Actions",
       [](const auto& line, auto number) {
         return "2026-05-01T10:00:" + two_digits(number) + ".1234" + two_digits(number) + "7Z " + line;
       }},
      {"gh run view --log",
       [](const auto& line, auto number) {
         return "build (clang)\tRun tests\t2026-05-01T10:00:" + two_digits(number) + ".1234567Z " + line;
       }},
      {"Jenkins", [](const auto& line,
                     auto number) { return "[2026-05-01T10:00:" + two_digits(number) + ".123Z] " + line; }},
      {"Jenkins, elapsed",
       [](const auto& line, auto number) { return "00:01:" + two_digits(number) + ".250  " + line; }},
      {"docker buildx",
       [](const auto& line, auto number) { return "#12 3." + two_digits(number) + "1 " + line; }},
      {"syslog",
       [](const auto& line, auto number) {
         return "May  1 10:00:" + two_digits(number) + " host racer[77]: " + line;
       }},
      {"kernel-like seconds",
       [](const auto& line, auto number) { return "[  12." + two_digits(number) + "3456] " + line; }},
      {"a gtest parallel runner", [](const auto& line, auto) { return "[3/40] Map.Erase: " + line; }},
      {"an unknown counter",
       [](const auto& line, auto number) { return "<" + std::to_string(number) + "> " + line; }},
      {"without spaces at the end",
       [](const auto& line, auto) {
         return line.empty() ? std::string("racer-1  |") : "racer-1  | " + line;
       }},
      {"CRLF", [](const auto& line, auto) { return line + "\r"; }},
      {"coloured", [](const auto& line, auto) { return "\x1b[1m\x1b[31m" + line + "\x1b[0m\x1b[K"; }},
      {"coloured prefix", [](const auto& line, auto) { return "\x1b[36mracer-1  |\x1b[0m " + line; }},
  };
}

TEST(Goldens, ThereAreSomeOfEachRuntime) {
  std::set<std::string> runtimes;
  for (const golden& log : goldens()) runtimes.insert(log.name.substr(0, log.name.find('-')));
  EXPECT_TRUE(runtimes.contains("clang"));
  EXPECT_TRUE(runtimes.contains("gcc"));
  EXPECT_TRUE(runtimes.contains("go"));
}

TEST(Goldens, EachIsReadAsItsDocumentSays) {
  for (const golden& log : goldens()) {
    const auto document = (std::filesystem::path(GOLDENS) / log.name).replace_extension(".json");
    EXPECT_EQ(json_of(log.name, log.text), racelab::tests::read_file(document)) << log.name;
  }
}

TEST(Goldens, EachIsReadWhole) {
  for (const golden& log : goldens()) {
    const parsed read = parse(log.text);
    EXPECT_FALSE(read.reports.empty()) << log.name;
    EXPECT_TRUE(read.complaints.empty()) << log.name << ": " << read.complaints.front().text;
    for (const tsan::report& each : read.reports) {
      EXPECT_TRUE(each.complete) << log.name;
      const bool two_sided = each.kind == tsan::report_kind::data_race ||
                             each.kind == tsan::report_kind::vptr_race ||
                             each.kind == tsan::report_kind::use_after_free;
      if (two_sided) {
        EXPECT_EQ(each.accesses.size(), 2U) << log.name;
      }
      for (const tsan::party& side : tsan::parties(each)) {
        EXPECT_TRUE(!side.where->frames.empty() || !side.where->restored) << log.name;
      }
    }
  }
}

TEST(Goldens, PiecesOfAnySizeAreReadAlike) {
  for (const golden& log : goldens()) {
    const auto whole = contents_of(parse(log.text));
    for (const std::size_t piece : {1U, 7U, 64U, 4096U}) {
      EXPECT_EQ(contents_of(parse(log.text, piece)), whole) << log.name << " in pieces of " << piece;
    }
  }
}

TEST(Goldens, AfterAContainerOrACiJobTheyAreReadAlike) {
  for (const golden& log : goldens()) {
    const parsed bare = parse(log.text);
    for (const auto& [style, wrap] : ci_styles()) {
      const parsed read = parse(wrapped(log, wrap));
      EXPECT_EQ(contents_of(read), contents_of(bare)) << log.name << ", " << style;
      EXPECT_TRUE(read.complaints.empty())
          << log.name << ", " << style << ": " << read.complaints.front().text;
      ASSERT_EQ(read.reports.size(), bare.reports.size()) << log.name << ", " << style;
      for (std::size_t i = 0; i < read.reports.size(); ++i) {
        EXPECT_EQ(read.reports[i].first_line, bare.reports[i].first_line) << log.name << ", " << style;
      }
    }
  }
}

TEST(Goldens, TwoServicesLineByLineAreToldApart) {
  const auto all = goldens();
  for (std::size_t i = 0; i < 2 * all.size(); ++i) {
    const golden& a = all[i % all.size()];
    const golden& b =
        all[i < all.size() ? (i * 7 + 3) % all.size() : i - all.size()];  // and each with itself
    const auto lines_a = split_lines(a.text);
    const auto lines_b = split_lines(b.text);
    std::string mixed;
    for (std::size_t line = 0; line < std::max(lines_a.size(), lines_b.size()); ++line) {
      const std::string time = "2026-05-01T10:00:" + two_digits(line) + ".5Z ";
      if (line < lines_a.size()) mixed += time + "web-1  | " + lines_a[line] + "\n";
      if (line < lines_b.size()) mixed += time + "web-2  | " + lines_b[line] + "\n";
    }
    auto expected = contents_of(parse(a.text));
    expected.merge(contents_of(parse(b.text)));
    EXPECT_EQ(contents_of(parse(mixed)), expected) << a.name << " and " << b.name;
  }
}

TEST(Goldens, ACutOffReportIsReadAsFarAsItGoesAndNamed) {
  for (const golden& log : goldens()) {
    const auto lines = split_lines(log.text);
    const parsed whole = parse(log.text);
    std::string text;
    for (std::size_t cut = 0; cut < lines.size(); ++cut) {
      const parsed read = parse(text);
      std::size_t incomplete = 0;
      for (const tsan::report& each : read.reports) {
        incomplete += each.complete ? 0U : 1U;
        EXPECT_LE(each.last_line, cut) << log.name;
      }
      EXPECT_EQ(read.complaints.size(), incomplete) << log.name << " cut after line " << cut;
      for (const tsan::complaint& each : read.complaints) {
        EXPECT_GE(each.line, 1U);
        EXPECT_LE(each.line, cut) << log.name;
      }
      // Each report whose first line is there is read.
      std::size_t begun = 0;
      for (const tsan::report& each : whole.reports) begun += each.first_line <= cut ? 1U : 0U;
      EXPECT_EQ(read.reports.size(), begun) << log.name << " cut after line " << cut;
      text += lines[cut] + "\n";
    }
  }
}

TEST(Goldens, ALogWithoutItsBeginningIsNoTrouble) {
  for (const golden& log : goldens()) {
    std::string_view rest = log.text;
    std::size_t dropped = 0;
    while (!rest.empty()) {
      rest.remove_prefix(std::min(rest.find('\n') + 1, rest.size()));
      ++dropped;
      const parsed read = parse(rest);
      for (const tsan::complaint& each : read.complaints)
        EXPECT_LE(each.line + dropped, split_lines(log.text).size());
    }
  }
}

TEST(Goldens, ALineCutAnywhereIsNoTrouble) {
  for (const golden& log : goldens()) {
    if (!log.name.ends_with("/data_race.log") && !log.name.ends_with("go_map_race.log")) continue;
    for (std::size_t cut = 0; cut < log.text.size(); ++cut) {
      const parsed read = parse(std::string_view(log.text).substr(0, cut));
      EXPECT_LE(read.reports.size(), 2U);
    }
  }
}

TEST(Goldens, WhoCameFirstDoesNotChangeTheSignature) {
  std::size_t seen = 0;
  for (const golden& log : goldens()) {
    for (tsan::report each : parse(log.text).reports) {
      if (each.accesses.size() != 2) continue;
      const std::string before = tsan::signature(each);
      std::swap(each.accesses.front(), each.accesses.back());
      EXPECT_EQ(tsan::signature(each), before) << log.name;
      ++seen;
    }
  }
  EXPECT_GT(seen, 10U);
}

TEST(Goldens, TheSameLogTwiceIsOneFindingCountedTwice) {
  for (const golden& log : goldens()) {
    tsan::triage triage;
    for (const char* const name : {"first", "second"}) {
      triage.begin_log(name);
      triage.feed(log.text);
      triage.end_log();
    }
    const tsan::triage_result& result = triage.result();
    const std::size_t once = parse(log.text).reports.size();
    EXPECT_EQ(result.reports(), 2 * once) << log.name;
    EXPECT_LE(result.findings.size(), once) << log.name;
    for (const tsan::finding& each : result.findings) {
      EXPECT_EQ(each.seen.front().log, "first");
      EXPECT_EQ(each.seen.back().log, "second");
    }
  }
}

}  // namespace
