#include "sanitizers/thread/records.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "lab/files.hpp"

namespace racelab::tsan {
namespace {

constexpr auto one =
    R"({"process":15786,"kind":"data-race","base":"0x558c1db74000","accesses":[{"thread":1,"address":"0x7ffc2c00a968",)"
    R"("size":8,"write":false,"atomic":false,"stack":["0x558c1dc65279","0x558c1dc64efb"]},{"thread":3,"address":)"
    R"("0x7ffc2c00a968","size":4,"write":true,"atomic":true,"stack":[]}],"stacks":[{"stack":["0x10"]}],"locations":[)"
    R"({"type":"stack","start":"0x0","size":0,"thread":0,"stack":[]}]})";

std::vector<recorded_report> read(const std::string& text) {
  const lab::temporary_folder folder;
  std::ofstream(folder / "records") << text;
  return read_records(folder / "records");
}

TEST(Records, AreReadInFull) {
  const auto reports = read(std::string(one) + "\n" + one + "\n");
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].process, 15786);
  EXPECT_EQ(reports[0].kind, "data-race");
  EXPECT_EQ(reports[0].base, 0x558c1db74000U);
  ASSERT_EQ(reports[0].accesses.size(), 2U);
  EXPECT_EQ(reports[0].accesses[0].thread, 1);
  EXPECT_EQ(reports[0].accesses[0].address, 0x7ffc2c00a968U);
  EXPECT_EQ(reports[0].accesses[0].size, 8U);
  EXPECT_FALSE(reports[0].accesses[0].write);
  EXPECT_EQ(reports[0].accesses[0].stack, (std::vector<std::uintptr_t>{0x558c1dc65279, 0x558c1dc64efb}));
  EXPECT_TRUE(reports[0].accesses[1].write);
  EXPECT_TRUE(reports[0].accesses[1].atomic);
  ASSERT_EQ(reports[0].stacks.size(), 1U);
}

TEST(Records, NoFileMeansNoReports) { EXPECT_TRUE(read_records("/no/such/file").empty()); }

TEST(Records, ALastLineThatIsCutOffIsLeftOut) {
  const std::string text = std::string(one) + "\n" + one;
  for (std::size_t size = std::string_view(one).size() + 1; size < text.size(); ++size)
    EXPECT_EQ(read(text.substr(0, size)).size(), 1U) << size;
}

TEST(Records, AnUnreadableLineIsNamed) {
  try {
    static_cast<void>(read(std::string(one) + "\n{\"process\": 1}\n" + one + "\n"));
    FAIL() << "no complaint";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("records:2: no record of a report: "), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace racelab::tsan
