// Nothing that ends, moves or copies a thread in its stall may leave a watchpoint that stands for nothing, and nothing
// but another thread's access may pass for one.
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/watchpoint/run_aimed.hpp"
#include "tests/watchpoint/staging.hpp"

#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#endif

extern "C" void __tsan_read8(void* at);

namespace {

using namespace staging;

class Soundness : public Staged {};

// What a thread that is cancelled leaves, and what becomes of it.
class Cancelled : public Soundness {
 protected:
  static inline std::uint64_t value = 0;
  static inline bool cleaned_up = false;
  static inline bool went_on = false;

  static void* run(void* type) {
    pthread_setcanceltype(*static_cast<int*>(type), nullptr);
    pthread_cleanup_push([](void*) { cleaned_up = true; }, nullptr);
    on_stage = true;
    instrumented::write8(&value, 1);
    went_on = true;
    pthread_testcancel();
    pthread_cleanup_pop(0);
    return nullptr;
  }

  // Cancels a thread in its stall, meets it, and says what it returned.
  static void* cancel_in_stall(int type) {
    value = 0;
    cleaned_up = went_on = false;
    stalled_at = reinterpret_cast<std::uintptr_t>(&value);
    pthread_t thread{};
    EXPECT_EQ(pthread_create(&thread, nullptr, run, &type), 0);
    wait_until_stalled();
    EXPECT_EQ(pthread_cancel(thread), 0);
    instrumented::read8(&value);
    void* result = nullptr;
    pthread_join(thread, &result);
    return result;
  }
};

TEST_F(Cancelled, AtOnceItEndsAfterItsStall) {
  EXPECT_EQ(cancel_in_stall(PTHREAD_CANCEL_ASYNCHRONOUS), PTHREAD_CANCELED);
  EXPECT_TRUE(cleaned_up);
  EXPECT_FALSE(went_on);
  EXPECT_EQ(watch::totals().pairs, 1U) << "it was about to write";
  EXPECT_EQ(watch::stalled_now(), 0U);
  instrumented::read8(&value);
  EXPECT_EQ(watch::totals().pairs, 1U) << "it is no more";
}

TEST_F(Cancelled, AtACancellationPointItMakesItsAccessFirst) {
  EXPECT_EQ(cancel_in_stall(PTHREAD_CANCEL_DEFERRED), PTHREAD_CANCELED);
  EXPECT_TRUE(cleaned_up);
  EXPECT_TRUE(went_on);
  EXPECT_EQ(value, 1U);
  EXPECT_EQ(watch::totals().pairs, 1U);
  EXPECT_EQ(watch::stalled_now(), 0U);
}

TEST_F(Soundness, ForksThatRunNoHandlersTakeNoWatchpointsAlong) {
  std::uint64_t value = 0;
  int status = -1;
  stage(
      &value, [&] { instrumented::write8(&value, 7); },
      [&] {
        const auto child =
            static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr));
        if (child == 0) {
          instrumented::write8(&value, 1);
          _exit(watch::totals().pairs == 0 && watch::stalled_now() == 0 ? 0 : 1);
        }
        waitpid(child, &status, 0);
        instrumented::finish(&value);
      });
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(watch::totals().pairs, 1U);
}

TEST_F(Soundness, BytesThatAreGoneAfterAStallAreNoChange) {
  constexpr std::size_t page = 4096;
  void* const start = mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(start, MAP_FAILED);
  void* const elsewhere = static_cast<char*>(start) + page;
  *static_cast<std::uint64_t*>(start) = 42;
  // Only the runtime's part of the access: the access itself would crash, as it should.
  stage_without_meeting(
      start, [&] { __tsan_read8(start); },
      [&](std::thread&) {
        EXPECT_EQ(mremap(start, page, page, MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere), elsewhere);
      });
  EXPECT_EQ(watch::totals().stalls, 1U);
  EXPECT_EQ(watch::totals().changed, 0U);
  EXPECT_TRUE(records.empty());
  munmap(elsewhere, page);
}

#if __has_include(<sys/rseq.h>)
TEST_F(Soundness, TheKernelsOwnWritesForAThreadAreNoChange) {
  cpu_set_t all;
  ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
  if (__rseq_size == 0 || CPU_COUNT(&all) < 2) GTEST_SKIP() << "no rseq, or one processor";
  // The area's address is the stalled thread's own.
  const auto cpu_number = [] {
    auto* const area =
        reinterpret_cast<rseq*>(static_cast<char*>(__builtin_thread_pointer()) + __rseq_offset);
    return &area->cpu_id;
  };
  watch::set_decide(for_a_hundred_accesses);
  std::uint32_t before = 0;
  std::uint32_t after = 0;
  std::atomic<pid_t> reader{0};
  std::atomic<bool> done{false};
  std::thread stalled([&] {
    stalled_at = reinterpret_cast<std::uintptr_t>(cpu_number());
    before = *cpu_number();
    reader = gettid();
    on_stage = true;
    after = instrumented::read4(cpu_number());
    done = true;
  });
  wait_until_stalled();
  cpu_set_t elsewhere = all;
  CPU_CLR(before, &elsewhere);
  EXPECT_EQ(sched_setaffinity(reader, sizeof elsewhere, &elsewhere), 0);
  const std::uint64_t other = 0;
  while (!done) instrumented::read8(&other);
  stalled.join();
  EXPECT_NE(before, after) << "it was moved";
  EXPECT_EQ(watch::totals().stalls, 1U);
  EXPECT_EQ(watch::totals().changed, 0U);
}
#endif

TEST(AProcessThatEndsInAStall, LeavesNothingThatMisleads) {
  for (const char* how : {"exit", "quick_exit", "_exit", "exec", "pthread_exit"}) {
    const watched_run run = run_watched(std::string(WATCHED_PROGRAMS) + "/ends_in_a_stall",
                                        {{"RACELAB_PERTURB", "none"}, {"END", how}});
    EXPECT_EQ(run.exit_code(), 0) << how << ": " << run.program.errors;
    EXPECT_TRUE(run.log.empty()) << how;
  }
}

}  // namespace
