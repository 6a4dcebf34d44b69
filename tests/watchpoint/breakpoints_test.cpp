// Who writes where nobody is seen: the processor's breakpoints, and what an instruction's bytes tell.
#include "sanitizers/watchpoint/breakpoints.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "stacks/threads.hpp"
#include "tests/support/hardware_breakpoints.hpp"

namespace {

using racelab::watch::access;
using racelab::watch::breakpoints;
using racelab::watch::is_atomic_write;
using racelab::watch::is_mapped_twice;
using racelab::watch::writers;
using bytes = std::vector<std::uint8_t>;

TEST(AtomicWrite, IsKnownByItsBytes) {
  const bytes nops(8, 0x90);
  for (bytes each : {bytes{0xf0, 0x48, 0xff, 0x07},                             // lock incq (%rdi)
                     bytes{0xf0, 0x0f, 0xc1, 0x05, 0x01, 0x02, 0x03, 0x04},     // lock xadd %eax, x(%rip)
                     bytes{0xf0, 0x48, 0x0f, 0xc7, 0x4f, 0x08},                 // lock cmpxchg16b 8(%rdi)
                     bytes{0xf0, 0x83, 0x04, 0x24, 0x01},                       // lock addl $1, (%rsp)
                     bytes{0xf0, 0x66, 0x81, 0x07, 0x01, 0x02},                 // lock addw $513, (%rdi)
                     bytes{0x87, 0x07},                                         // xchg %eax, (%rdi)
                     bytes{0x49, 0x87, 0x84, 0xc8, 0x00, 0x01, 0x00, 0x00}}) {  // xchg %rax, 256(%r8,%rcx,8)
    each.insert(each.begin(), nops.begin(), nops.end());
    EXPECT_TRUE(is_atomic_write(each)) << testing::PrintToString(each);
  }
}

TEST(AtomicWrite, IsNoOtherInstruction) {
  const bytes nops(8, 0x90);
  for (bytes each : {bytes{0x48, 0x89, 0x07},                       // mov %rax, (%rdi)
                     bytes{0x48, 0xff, 0x07},                       // incq (%rdi)
                     bytes{0x87, 0xc1},                             // xchg %eax, %ecx
                     bytes{0xf0, 0x48, 0xff, 0x07, 0x90},           // lock incq (%rdi), then another one
                     bytes{0xc7, 0x07, 0x01, 0x00, 0x00, 0x00}}) {  // movl $1, (%rdi)
    each.insert(each.begin(), nops.begin(), nops.end());
    EXPECT_FALSE(is_atomic_write(each)) << testing::PrintToString(each);
  }
}

TEST(Mapping, OfTheSameMemoryTwiceIsKnown) {
  const std::size_t page = 4096;
  const int file = memfd_create("twice", MFD_CLOEXEC);
  ASSERT_EQ(ftruncate(file, static_cast<off_t>(2 * page)), 0);
  const auto map = [&](std::size_t size, off_t from) {
    return reinterpret_cast<std::uintptr_t>(
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, from));
  };
  const std::uintptr_t both = map(2 * page, 0);
  EXPECT_FALSE(is_mapped_twice(both));
  const std::uintptr_t second = map(page, static_cast<off_t>(page));
  EXPECT_TRUE(is_mapped_twice(both + page + 8));
  EXPECT_TRUE(is_mapped_twice(second));
  EXPECT_FALSE(is_mapped_twice(both + 8)) << "this page is mapped once";
  const auto own = std::make_unique<int>(1);
  EXPECT_FALSE(is_mapped_twice(reinterpret_cast<std::uintptr_t>(own.get())));
  close(file);
}

class WrittenBy : public testing::Test {
 protected:
  // What breakpoints see of write(), made by another thread.
  static writers seen(void (*write)()) {
    std::atomic<bool> may_write = false;
    std::atomic<bool> is_there = false;
    std::atomic<bool> has_written = false;
    std::atomic<bool> may_end = false;
    std::thread other([&] {
      racelab::stacks::self();
      is_there = true;
      is_there.notify_one();
      may_write.wait(false);
      write();
      has_written = true;
      has_written.notify_one();
      may_end.wait(false);
    });
    is_there.wait(false);
    writers found;
    {
      access what;
      what.address = reinterpret_cast<std::uintptr_t>(&word);
      what.size = sizeof word;
      const breakpoints armed(what);
      may_write = true;
      may_write.notify_one();
      has_written.wait(false);
      armed.look(found);
    }
    may_end = true;
    may_end.notify_one();
    other.join();
    return found;
  }

  static inline std::uint64_t word = 0;
};

TEST_F(WrittenBy, APlainOrAnAtomicInstruction) {
  if (!racelab::tests::has_hardware_breakpoints())
    GTEST_SKIP() << "SKIPPED: this machine gives a process no hardware breakpoints (perf_event_open)";
  const writers plain = seen([] { asm volatile("movq $1, %0" : "=m"(word)); });
  EXPECT_TRUE(plain.watched);
  ASSERT_EQ(plain.count, 1U);
  EXPECT_FALSE(plain.all[0].atomic);
  const writers atomic = seen([] { asm volatile("lock incq %0" : "+m"(word)); });
  ASSERT_EQ(atomic.count, 1U);
  EXPECT_TRUE(atomic.all[0].atomic);
  EXPECT_NE(atomic.all[0].after, plain.all[0].after);
  const writers nobody = seen([] {});
  EXPECT_TRUE(nobody.watched);
  EXPECT_EQ(nobody.count, 0U);
}

TEST_F(WrittenBy, NobodyIsWatchedForBytesThatABreakpointCantHave) {
  access what;
  what.address = reinterpret_cast<std::uintptr_t>(&word) + 1;
  what.size = 4;
  const breakpoints armed(what);
  writers found;
  armed.look(found);
  EXPECT_FALSE(found.watched);
}

}  // namespace
