// Plans as text, the tables that serve them, and the files that are left.
#include "sanitizers/watchpoint/plan.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "sanitizers/watchpoint/evidence_file.hpp"
#include "sanitizers/watchpoint/touched.hpp"
#include "tests/watchpoint/run_aimed.hpp"

namespace racelab::watch {
namespace {

// Line and words of the error; "" if there is none.
std::string error_of(const std::string& text) {
  const auto parsed = std::make_unique<plan>();
  const auto wrong = parsed->parse(text);
  return wrong ? std::to_string(wrong->line) + ": " + std::string(wrong->text) + " " + wrong->why : "";
}

TEST(Plan, HasARuleALine) {
  const std::string text =
      "# a comment\n"
      "observe -+0x10\n"
      "\n"
      "\tstall /a path/with+0x1 in it.so+0xabc us=7 thread=2 visit=0 chance=50 limit=3 shared=1 until=hit "
      "linger=9 others=1 # why\r\n"
      "stall -+0x10 us=1";
  plan parsed;
  ASSERT_FALSE(parsed.parse(text).has_value());
  ASSERT_EQ(parsed.rules().size(), 3U);
  EXPECT_TRUE(parsed.asks_for_shared());
  EXPECT_FALSE(parsed.rules()[0].stalls);
  const rule& full = parsed.rules()[1];
  EXPECT_TRUE(full.stalls);
  EXPECT_EQ(full.microseconds, 7U);
  EXPECT_EQ(full.thread, 2U);
  EXPECT_EQ(full.visit, 0U);
  EXPECT_EQ(full.chance, 50U);
  EXPECT_EQ(full.limit, 3U);
  EXPECT_TRUE(full.shared && full.until_hit && full.others);
  EXPECT_EQ(full.linger, 9U);
  const rule& plain = parsed.rules()[2];
  EXPECT_EQ(plain.site, parsed.rules()[0].site);
  EXPECT_FALSE(plain.visit.has_value());
  EXPECT_EQ(plain.chance, 100U);
  EXPECT_FALSE(plain.shared || plain.until_hit || plain.others);

  EXPECT_FALSE(parsed.site_at(0x5010).has_value()) << "its module is not known yet";
  parsed.resolve({.path = "/bin/program", .base = 0x5000, .end = 0x6000, .is_executable = true});
  parsed.resolve({.path = "/a path/with+0x1 in it.so", .base = 0x7000, .end = 0x8000});
  EXPECT_EQ(parsed.site_at(0x5010), plain.site);
  EXPECT_EQ(parsed.site_at(0x7abc), full.site);
  EXPECT_FALSE(parsed.site_at(0x5011).has_value());
}

TEST(Plan, ChoosesAnAtomicOperationOnlyIfAsked) {
  std::uint64_t random = 1;
  plan parsed;
  ASSERT_FALSE(parsed.parse("stall -+0x10 us=1\nstall -+0x10 us=2 atomics=1").has_value());
  EXPECT_EQ(parsed.choose({.site = 0, .thread = 2, .atomic = true}, random), 1U);
  EXPECT_EQ(parsed.choose({.site = 0, .thread = 2}, random), 0U);
}

TEST(Plan, DelaysEntries) {
  plan parsed;
  EXPECT_EQ(parsed.entries().microseconds, 0U);
  ASSERT_FALSE(parsed.parse("enter us=5000 limit=3").has_value());
  EXPECT_EQ(parsed.entries().microseconds, 5000U);
  EXPECT_EQ(parsed.entries().chance, 25U);
  EXPECT_EQ(parsed.entries().limit, 3U);
  EXPECT_TRUE(parsed.empty()) << "it has no rules";
  EXPECT_EQ(error_of("enter chance=5"), "1: enter chance=5 has no us=N");
  EXPECT_EQ(error_of("enter us=5 thread=2"), "1: thread=2 is no option of enter");
  EXPECT_EQ(error_of("enter us"), "1: us is not name=value");
}

TEST(Plan, NamesTheExecutableByItsPathToo) {
  plan parsed;
  ASSERT_FALSE(parsed.parse("observe /bin/program+0x10").has_value());
  parsed.resolve({.path = "/bin/program", .base = 0x5000, .end = 0x6000, .is_executable = true});
  EXPECT_TRUE(parsed.site_at(0x5010).has_value());
}

TEST(Plan, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(error_of(""), "");
  EXPECT_EQ(error_of("#\nstal -+0x1 us=1"), "2: stal is neither stall nor observe nor enter");
  EXPECT_EQ(error_of("observe main"), "1: observe main names no site, MODULE+0xOFFSET");
  EXPECT_EQ(error_of("observe +0x1"), "1: observe +0x1 names no site, MODULE+0xOFFSET");
  EXPECT_EQ(error_of("observe -+0x1g"), "1: 1g is not a hexadecimal offset");
  EXPECT_EQ(error_of("observe -+0x"), "1:  is not a hexadecimal offset");
  EXPECT_EQ(error_of("observe -+0x1 us=1"), "1: us=1 is too much: observe has no options");
  EXPECT_EQ(error_of("stall -+0x1"), "1: stall -+0x1 has no us=N");
  EXPECT_EQ(error_of("stall -+0x1 us"), "1: us is not name=value");
  for (const char* bad :
       {"us=", "us=0", "us=x", "us=-1", "us=4294967296", "chance=101", "thread=0", "shared=0"})
    EXPECT_EQ(error_of(std::string("stall -+0x1 us=1 ") + bad),
              std::string("1: ") + bad + " is not in range");
  EXPECT_EQ(error_of("stall -+0x1 us=1 util=hit"), "1: util=hit is no option of a stall");
  EXPECT_EQ(error_of("stall -+0x1 us=1 linger=1"),
            "1: stall -+0x1 us=1 linger=1 has linger without until=hit");
}

TEST(Plan, HoldsSixtyFourSitesAnd256Rules) {
  std::string text;
  for (int i = 0; i < 256; ++i) text += "stall -+0x" + std::to_string(10 + i % 64) + " us=1\n";
  EXPECT_EQ(error_of(text), "");
  EXPECT_EQ(error_of(text + "observe -+0x10"), "257: observe -+0x10 is the 257th rule: 256 are the most");
  EXPECT_EQ(error_of(text.substr(0, text.size() / 2) + "observe -+0x999"),
            "129: observe -+0x999 is the 65th site: 64 are the most");
}

TEST(Plan, ForgetsNothingWhenALibraryIsOpenedAgainAndAgain) {
  plan parsed;
  ASSERT_FALSE(parsed.parse("observe a.so+0x10\nobserve a.so+0x20").has_value());
  for (std::uintptr_t base = 0x10000; base < 0x10000 + 0x1000 * 100; base += 0x1000)
    parsed.resolve({.path = "a.so", .base = base, .end = base + 0x1000});
  for (std::uintptr_t base = 0x10000; base < 0x10000 + 0x1000 * 60; base += 0x1000)
    EXPECT_EQ(parsed.site_at(base + 0x20), 1U);
  EXPECT_FALSE(parsed.site_at(0x10030).has_value()) << "and ends where it is full";
}

class Touched : public testing::Test {
 protected:
  std::unique_ptr<touched_bytes> touched_ = std::make_unique<touched_bytes>();
};

TEST_F(Touched, NeedsAnotherThreadTheSameBytesAndAWrite) {
  const access read{.address = 1004, .size = 4};
  const access write{.address = 1007, .size = 9, .write = true};
  touched_->add(read, 2);
  EXPECT_FALSE(touched_->by_another(read, 3)) << "two reads";
  EXPECT_FALSE(touched_->by_another(write, 2)) << "itself";
  EXPECT_TRUE(touched_->by_another(write, 3));
  EXPECT_FALSE(touched_->by_another({.address = 1000, .size = 4, .write = true}, 3)) << "beside";
  EXPECT_FALSE(touched_->by_another({.address = 1008, .size = 4, .write = true}, 3)) << "beside";
  touched_->add(write, 3);
  EXPECT_TRUE(touched_->by_another(read, 2));
  EXPECT_TRUE(touched_->by_another({.address = 1015, .size = 1}, 4)) << "its last byte";
  EXPECT_FALSE(touched_->by_another({.address = 1016, .size = 1}, 4));
}

TEST_F(Touched, LooksAtTheFirstWordsOfABlock) {
  const access block{.address = 0x10000, .size = std::size_t{1} << 40U, .write = true};
  touched_->add(block, 2);
  EXPECT_TRUE(touched_->by_another({.address = 0x10000, .size = 1}, 3));
  EXPECT_FALSE(touched_->by_another({.address = 0x10000 + 512, .size = 1}, 3));
  EXPECT_TRUE(touched_->by_another(block, 3));
}

TEST(EvidenceFile, HoldsWhatThereIsRoomForAndCountsTheRest) {
  const scratch_file file("what was there before");
  evidence_file<site_entry> sites;
  ASSERT_TRUE(sites.open(file.path().c_str(), 3));
  for (std::uint64_t i = 1; i <= 3; ++i) sites.append()->pc = i;
  EXPECT_EQ(sites.append(), nullptr);
  EXPECT_EQ(sites.at(3), nullptr);
  const auto entries = read_evidence(file.path(), &site_entry::pc);
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[2].pc, 3U);
  evidence_header header{};
  std::ifstream(file.path(), std::ios::binary).read(reinterpret_cast<char*>(&header), sizeof header);
  EXPECT_EQ(header.dropped, 2U);
}

TEST(EvidenceFile, LeavesOutWhatIsNotFilled) {
  const scratch_file file;
  evidence_file<site_entry> sites;
  ASSERT_TRUE(sites.open(file.path().c_str(), 20'000));
  sites.at(15'000)->pc = 5;
  sites.at(2)->pc = 7;
  const auto entries = read_evidence(file.path(), &site_entry::pc);
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].pc, 7U);
  EXPECT_EQ(entries[1].pc, 5U);
}

TEST(EvidenceFile, BelongsToOneWriterAtATime) {
  const scratch_file file;
  evidence_file<site_entry> first;
  ASSERT_TRUE(first.open(file.path().c_str(), 10));
  first.append()->pc = 1;
  evidence_file<site_entry> second;
  EXPECT_TRUE(second.open(file.path().c_str(), 10)) << "no error, but not its own";
  EXPECT_FALSE(second.is_open());
  EXPECT_EQ(read_evidence(file.path(), &site_entry::pc).size(), 1U);
}

TEST(EvidenceFile, RefusesWhatIsNoFile) {
  evidence_file<site_entry> sites;
  EXPECT_FALSE(sites.open("/nowhere/sites", 10));
  EXPECT_FALSE(sites.open("/dev/full", 10));
  EXPECT_FALSE(sites.is_open());
}

}  // namespace
}  // namespace racelab::watch
