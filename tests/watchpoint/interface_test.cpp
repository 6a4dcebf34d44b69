// What sanitizer/*.h and the sanitizers' runtimes offer: all of it is there, and what has a meaning keeps it.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#ifdef HAS_ENTRY_POINTS
extern "C" {
extern const char* const entry_points[];
extern const std::size_t entry_point_count;
void call_every_entry_point();
}
#endif

// NOLINTBEGIN(readability-identifier-naming): the names are the sanitizers'
extern "C" {
int AnnotateHappensBefore(const char* file, int line, const volatile void* address);
int RunningOnValgrind();
// NOLINTEND(readability-identifier-naming)
int __sanitizer_acquire_crash_state();
int __sanitizer_get_module_and_offset_for_pc(void* pc, char* path, std::size_t room, void** offset);
std::uint32_t __sanitizer_unaligned_load32(const void* p);
void __sanitizer_print_stack_trace();
void __sanitizer_symbolize_pc(void* pc, const char* format, char* to, std::size_t room);
void __sanitizer_unaligned_store32(void* p, std::uint32_t value);
void* __tsan_get_current_fiber();
void* __tsan_create_fiber(unsigned flags);
void __tsan_testonly_barrier_init(std::uint64_t* barrier, unsigned count);
void __tsan_testonly_barrier_wait(std::uint64_t* barrier);
}

namespace {

void* code_here() { return reinterpret_cast<void*>(&code_here); }

}  // namespace

TEST(Interface, EveryEntryPointThatTheRuntimesOfferIsThereAndReturns) {
#ifdef HAS_ENTRY_POINTS
  const std::vector<std::string_view> names(entry_points, entry_points + entry_point_count);
  for (const std::string_view one : {"__tsan_read8", "__tsan_atomic128_compare_exchange_val",
                                     "__tsan_vptr_update", "__tsan_mutex_post_lock", "__tsan_switch_to_fiber",
                                     "AnnotateRWLockCreate", "__sanitizer_syscall_pre_impl_write"})
    EXPECT_TRUE(std::ranges::find(names, one) != names.end()) << one << " is not among those that are tried";
  testing::internal::CaptureStderr();  // a stack is among what is asked for
  call_every_entry_point();
  testing::internal::GetCapturedStderr();
#else
  GTEST_SKIP() << "there are no sanitizer runtimes here to be compared with";
#endif
}

TEST(Interface, AnnotationsAreAccepted) {
  int order = 0;
  EXPECT_EQ(AnnotateHappensBefore(__FILE__, __LINE__, &order), 0);
  EXPECT_EQ(RunningOnValgrind(), 0);
}

TEST(Interface, TheTestsBarrierLetsThreadsMeetAgainAndAgain) {
  constexpr int threads = 3;
  constexpr int rounds = 1000;
  std::uint64_t barrier = 0;
  __tsan_testonly_barrier_init(&barrier, threads);
  std::atomic<int> before{0};
  std::atomic<int> too_early{0};
  const auto meet = [&] {
    for (int round = 1; round <= rounds; ++round) {
      before.fetch_add(1);
      __tsan_testonly_barrier_wait(&barrier);
      if (before.load() < round * threads) too_early.fetch_add(1);
      __tsan_testonly_barrier_wait(&barrier);
    }
  };
  std::vector<std::jthread> all;
  for (int i = 0; i < threads; ++i) all.emplace_back(meet);
  all.clear();
  EXPECT_EQ(before.load(), rounds * threads);
  EXPECT_EQ(too_early.load(), 0);
}

TEST(Interface, UnalignedAccessesMoveTheirBytes) {
  std::array<unsigned char, 8> bytes{};
  __sanitizer_unaligned_store32(&bytes[1], 0x01020304U);
  EXPECT_EQ(bytes, (std::array<unsigned char, 8>{0, 4, 3, 2, 1, 0, 0, 0}));
  EXPECT_EQ(__sanitizer_unaligned_load32(&bytes[1]), 0x01020304U);
}

TEST(Interface, AnAddressOfCodeHasItsModule) {
  std::array<char, 4096> path{};
  void* offset = nullptr;
  ASSERT_EQ(__sanitizer_get_module_and_offset_for_pc(code_here(), path.data(), path.size(), &offset), 1);
  EXPECT_NE(std::string(path.data()).find("watchpoint_test"), std::string::npos) << path.data();
  EXPECT_NE(offset, nullptr);
  __sanitizer_symbolize_pc(code_here(), "%p %F", path.data(), path.size());
  EXPECT_NE(std::string(path.data()).find("watchpoint_test"), std::string::npos) << path.data();
  std::array<char, 4> small{};
  __sanitizer_symbolize_pc(code_here(), "%p %F", small.data(), small.size());
  EXPECT_EQ(small.back(), '\0');
  EXPECT_EQ(__sanitizer_get_module_and_offset_for_pc(nullptr, path.data(), path.size(), &offset), 0);
}

TEST(Interface, AStackIsPrintedWhenAskedFor) {
  testing::internal::CaptureStderr();
  __sanitizer_print_stack_trace();
  const std::string printed = testing::internal::GetCapturedStderr();
  EXPECT_NE(printed.find("Interface_AStackIsPrintedWhenAskedFor_Test::TestBody"), std::string::npos)
      << printed;
}

TEST(Interface, OnlyTheFirstGetsTheCrashState) {
  __sanitizer_acquire_crash_state();
  EXPECT_EQ(__sanitizer_acquire_crash_state(), 0);
}

TEST(Interface, FibersAreNeverNull) {
  EXPECT_NE(__tsan_get_current_fiber(), nullptr);
  EXPECT_NE(__tsan_create_fiber(0), nullptr);
}
