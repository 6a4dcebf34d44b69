#include "stacks/symbolise.hpp"

#include <gtest/gtest.h>
#include <link.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <system_error>

#include "stacks/capture.hpp"
#include "stacks/format.hpp"

namespace {

using namespace racelab::stacks;

// The addresses of the innermost frames are all that these tests look at.
raw_trace here;
constexpr const char* this_file = "tests/stacks/symbolise_test.cpp";

int inner_line = 0;
int middle_line = 0;
int outer_line = 0;

[[gnu::always_inline]] inline void inner(int depth) {
  capture(here), inner_line = __LINE__;
  asm volatile("" : : "r"(depth));
}

template <typename Number> [[gnu::always_inline]] inline void middle(Number number) {
  inner(static_cast<int>(number)), middle_line = __LINE__;
}

[[gnu::noinline]] void outer(long number) {
  middle(number), outer_line = __LINE__;
  asm volatile("");
}

class Symboliser : public testing::Test {
 protected:
  Symboliser() {
    outer(1);
    frames_ = symboliser(getpid()).resolve(here.frames(), here.exact_top);
  }
  std::vector<frame> frames_;
};

TEST_F(Symboliser, NamesInlinedCallsAndTheFunctionAroundThem) {
  ASSERT_GE(frames_.size(), 3U);
  EXPECT_EQ(short_name(frames_[0].function), "(anonymous namespace)::inner(…)");
  EXPECT_EQ(short_name(frames_[1].function), "(anonymous namespace)::middle<…>(…)");
  EXPECT_EQ(short_name(frames_[2].function), "(anonymous namespace)::outer(…)");
  EXPECT_TRUE(frames_[0].inlined);
  EXPECT_TRUE(frames_[1].inlined);
  EXPECT_FALSE(frames_[2].inlined);
}

TEST_F(Symboliser, GivesTheLineOfEachCall) {
  ASSERT_GE(frames_.size(), 3U);
  EXPECT_EQ(frames_[0].file, this_file);
  EXPECT_EQ(frames_[0].line, inner_line);
  EXPECT_EQ(frames_[1].file, this_file);
  EXPECT_EQ(frames_[1].line, middle_line);
  EXPECT_EQ(frames_[2].file, this_file);
  EXPECT_EQ(frames_[2].line, outer_line);
}

TEST_F(Symboliser, CountsTheOffsetFromTheFunctionsStart) {
  ASSERT_GE(frames_.size(), 3U);
  EXPECT_EQ(frames_[2].pc, here.pcs[0]);
  EXPECT_EQ(frames_[2].offset, here.pcs[0] - reinterpret_cast<std::uintptr_t>(&outer));
}

TEST_F(Symboliser, NamesTheModule) {
  ASSERT_FALSE(frames_.empty());
  EXPECT_TRUE(frames_[0].module.ends_with("stacks_symbolise_test")) << frames_[0].module;
}

TEST_F(Symboliser, TakesAnExactAddressForItself) {
  // The first instruction of a function: as a return address it would belong to whatever stands before.
  const std::array pcs{reinterpret_cast<std::uintptr_t>(&outer)};
  const auto frames = symboliser(getpid()).resolve(pcs, true);
  ASSERT_FALSE(frames.empty());
  EXPECT_EQ(short_name(frames.back().function), "(anonymous namespace)::outer(…)");
  EXPECT_EQ(frames.back().offset, 0U);
}

TEST_F(Symboliser, KnowsSystemLibrariesByTheirSymbols) {
  const std::array pcs{reinterpret_cast<std::uintptr_t>(&getpid)};
  const auto frames = symboliser(getpid()).resolve(pcs, true);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_TRUE(frames[0].function.ends_with("getpid")) << frames[0].function;
  EXPECT_TRUE(frames[0].module.find("libc") != std::string::npos) << frames[0].module;
}

TEST_F(Symboliser, KnowsNothingOfAnAddressThatIsNowhere) {
  const std::array<std::uintptr_t, 2> pcs{0, 0x1000};
  for (const frame& each : symboliser(getpid()).resolve(pcs, true)) {
    EXPECT_EQ(each.function, "");
    EXPECT_EQ(each.file, "");
    EXPECT_EQ(each.module, "");
  }
}

TEST(SymboliserOfAnotherProcess, ThrowsIfThereIsNone) {
  EXPECT_THROW(symboliser(1 << 30), std::system_error);
}

TEST(SymboliserOfModules, SaysTheSameAsThatOfTheProcess) {
  std::vector<loaded_module> modules;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* into) {
        const bool program = *info->dlpi_name == '\0';
        static_cast<std::vector<loaded_module>*>(into)->push_back(
            {program ? std::filesystem::read_symlink("/proc/self/exe").string() : info->dlpi_name,
             info->dlpi_addr});
        return 0;
      },
      &modules);
  modules.push_back({"/nowhere/library.so", 0x1000});
  const std::array pcs{reinterpret_cast<std::uintptr_t>(&outer) + 1,
                       reinterpret_cast<std::uintptr_t>(&getpid) + 1};
  const auto offline = symboliser(modules).resolve(pcs, false);
  const auto live = symboliser(getpid()).resolve(pcs, false);
  ASSERT_EQ(offline.size(), live.size());
  for (std::size_t i = 0; i < live.size(); ++i) {
    EXPECT_EQ(offline[i].function, live[i].function);
    EXPECT_EQ(offline[i].file, live[i].file);
    EXPECT_EQ(offline[i].line, live[i].line);
    EXPECT_EQ(offline[i].offset, live[i].offset);
  }
  EXPECT_EQ(short_name(offline[0].function), "(anonymous namespace)::outer(…)");
}

frame at(const char* function, const char* file, int line, std::uintptr_t offset, bool inlined = false) {
  frame result;
  result.pc = 0x1234;
  result.function = function;
  result.file = file;
  result.line = line;
  result.offset = offset;
  result.inlined = inlined;
  result.module = "/bin/program";
  return result;
}

TEST(Format, IsGos) {
  EXPECT_EQ(format_frames(
                {at("racelab::hmap<int, int>::erase(int const&)", "repro/support/hmap/hmap.hpp", 210, 0x5c),
                 at("main::$_0::operator()() const", "repro/crash_concurrent_delete.cpp", 14, 0xdc)},
                detail::user),
            "racelab::hmap<…>::erase(…)\n\trepro/support/hmap/hmap.hpp:210 +0x5c\n"
            "main::$_0::operator()() const\n\trepro/crash_concurrent_delete.cpp:14 +0xdc\n");
}

TEST(Format, MarksInlinedCallsAndLeavesOutTheirOffset) {
  const auto line_of = [](const char* name) {
    return format_frames({at(name, "a.cpp", 1, 2, true)}, detail::user);
  };
  EXPECT_EQ(line_of("f(int)"), "f(...)\n\ta.cpp:1\n");
  EXPECT_EQ(line_of("f()"), "f(...)\n\ta.cpp:1\n");
  EXPECT_EQ(line_of("c::f(int) const"), "c::f(...) const\n\ta.cpp:1\n");
  EXPECT_EQ(line_of("main::$_0::operator()() const"), "main::$_0::operator()(...) const\n\ta.cpp:1\n");
  EXPECT_EQ(line_of("(anonymous namespace)::f(int)"), "(anonymous namespace)::f(...)\n\ta.cpp:1\n");
  EXPECT_EQ(line_of("c_function"), "c_function(...)\n\ta.cpp:1\n");
}

TEST(Format, ShowsWhatIsKnownOfAFrameWithoutALine) {
  frame bare = at("", "", 0, 0x10);
  EXPECT_EQ(format_frames({bare}, detail::user), "?\n\t/bin/program +0x10\n");
  bare.module.clear();
  EXPECT_EQ(format_frames({bare}, detail::user), "?\n\t0x1234\n");
}

TEST(Format, HidesRuntimeFramesUnlessAskedOrAlone) {
  const frame runtime = at("__tsan_write8", "rtl.cpp", 1, 2);
  const frame user = at("f(int)", "a.cpp", 3, 4);
  EXPECT_EQ(format_frames({runtime, user}, detail::user), "f(…)\n\ta.cpp:3 +0x4\n");
  EXPECT_EQ(format_frames({runtime, user}, detail::system),
            "__tsan_write8\n\trtl.cpp:1 +0x2 pc=0x1234\nf(int)\n\ta.cpp:3 +0x4 pc=0x1234\n");
  EXPECT_EQ(format_frames({runtime}, detail::user), "__tsan_write8\n\trtl.cpp:1 +0x2\n");
}

TEST(Format, HidesWhatADetectorCalls) {
  frame sleep = at("clock_nanosleep", "", 0, 1);
  sleep.module = "/usr/lib/x86_64-linux-gnu/libc.so.6";
  const frame stall = at("racelab::watch::stall(unsigned long)", "runtime.cpp", 1, 2);
  const frame user = at("f(int)", "a.cpp", 3, 4);
  EXPECT_EQ(format_frames({sleep, stall, user}, detail::user), "f(…)\n\ta.cpp:3 +0x4\n");
  EXPECT_EQ(format_frames({sleep, user}, detail::user),
            "clock_nanosleep\n\t/usr/lib/x86_64-linux-gnu/libc.so.6 +0x1\nf(…)\n\ta.cpp:3 +0x4\n");
}

TEST(Format, CreatedByIsTheFirstFrameOfTheUsers) {
  EXPECT_EQ(format_created_by({at("std::thread::_M_start_thread(int)", "thread.cc", 1, 2),
                               at("void racelab::run_together<int>(int)", "gate.hpp", 3, 4),
                               at("start_all(int)", "repro/a.cpp", 5, 0xb3), at("main", "repro/a.cpp", 9, 1)},
                              detail::user),
            "created by start_all\n\trepro/a.cpp:5 +0xb3\n");
  EXPECT_EQ(format_created_by({at("main::$_0::operator()() const", "a.cpp", 1, 2)}, detail::user),
            "created by main::$_0::operator()\n\ta.cpp:1 +0x2\n");
  EXPECT_EQ(format_created_by({}, detail::user), "");
}

}  // namespace
