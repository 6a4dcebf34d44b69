// What else sanitizer/*.h and LLVM's and gcc's runtimes offer to programs: everything that a program under
// -fsanitize=thread may refer to is here, so that it links. Most of it has nothing to do: accepted.def.
//
// Weak: a program that brings its own (dynamic_annotations.c), or another sanitizer's runtime, keeps that.
#include <dlfcn.h>
#include <linux/futex.h>
#include <malloc.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "sanitizers/watchpoint/runtime.hpp"
#include "stacks/fatal.hpp"

// The names are the compilers' and the sanitizers'; nobody includes a declaration of them.
#pragma GCC diagnostic ignored "-Wmissing-declarations"

namespace racelab::watch {
namespace {

std::uintptr_t address_of(const volatile void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

void copy(char* to, std::size_t room, const char* text) {
  if (room != 0) std::snprintf(to, room, "%s", text);
}

// The module that `pc` is in, and where.
bool find_module(const void* pc, Dl_info& found) {
  return dladdr(pc, &found) != 0 && found.dli_fname != nullptr;
}

// LLVM's own tests let threads meet by a barrier that its runtime does not see: one word, from which the C
// program knows nothing but its size.
struct invisible_barrier {
  std::atomic<std::uint32_t> arrived;
  std::uint32_t count;
};
static_assert(sizeof(invisible_barrier) == sizeof(std::uint64_t));

template <class T> T load_unaligned(const void* from, void* pc) {
  pass(address_of(from), sizeof(T), false, false, address_of(pc));
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T> void store_unaligned(void* to, T value, void* pc) {
  pass(address_of(to), sizeof(T), true, false, address_of(pc));
  std::memcpy(to, &value, sizeof value);
}

}  // namespace

#define RACELAB_OFFERED [[gnu::weak, gnu::visibility("default")]]
#define RACELAB_PC __builtin_return_address(0)

extern "C" {

// They take and return nothing here, whatever they are declared as: on x86-64 the caller removes the arguments, and a
// zero is an integer and a null pointer.
#define RACELAB_ACCEPTED(name) \
  RACELAB_OFFERED std::uintptr_t name() { return 0; }
#include "sanitizers/watchpoint/accepted.def"
#define RACELAB_SYSCALL(name)                           \
  RACELAB_ACCEPTED(__sanitizer_syscall_pre_impl_##name) \
  RACELAB_ACCEPTED(__sanitizer_syscall_post_impl_##name)
#include "sanitizers/watchpoint/syscall_hooks.def"
#undef RACELAB_SYSCALL
#undef RACELAB_ACCEPTED

// A program's words to ThreadSanitizer. It may define them, and nobody here asks.
RACELAB_OFFERED const char* __tsan_default_options() { return ""; }
RACELAB_OFFERED const char* __tsan_default_suppressions() { return ""; }
RACELAB_OFFERED const char* __sanitizer_get_report_path() { return "stderr"; }

// NOLINTNEXTLINE(readability-identifier-naming): the name is theirs
RACELAB_OFFERED double ValgrindSlowdown() { return 1.0; }

// Programs keep fibers and tags apart by these, and take null for an error.
RACELAB_OFFERED void* __tsan_get_current_fiber() { return &racelab::stacks::self(); }
RACELAB_OFFERED void* __tsan_create_fiber(unsigned /*flags*/) { return &racelab::stacks::self(); }
RACELAB_OFFERED void* __tsan_external_register_tag(const char* object_type) {
  static char nameless;
  return object_type == nullptr ? &nameless : const_cast<char*>(object_type);
}

// LLVM 19 and gcc 12 say "nothing" so.
RACELAB_OFFERED const char* __tsan_locate_address(std::uintptr_t /*address*/, char* name,
                                                  std::size_t name_size, std::uintptr_t* start,
                                                  std::uintptr_t* size) {
  if (name != nullptr) copy(name, name_size, "");
  if (start != nullptr) *start = 0;
  if (size != nullptr) *size = 0;
  return "";
}

// Relaxed: a meeting of threads that must order nothing, so that what races in the test still does.
RACELAB_OFFERED void __tsan_testonly_barrier_init(invisible_barrier* barrier, unsigned count) {
  barrier->count = count;
  barrier->arrived.store(0, std::memory_order_relaxed);
}
RACELAB_OFFERED void __tsan_testonly_barrier_wait(invisible_barrier* barrier) {
  if (barrier->count == 0) return;
  const std::uint32_t round = barrier->arrived.fetch_add(1, std::memory_order_relaxed) / barrier->count;
  std::uint32_t arrived = 0;
  while ((arrived = barrier->arrived.load(std::memory_order_relaxed)) / barrier->count == round)
    syscall(SYS_futex, &barrier->arrived, FUTEX_WAIT_PRIVATE, arrived, nullptr, nullptr, 0);
  syscall(SYS_futex, &barrier->arrived, FUTEX_WAKE_PRIVATE, INT32_MAX, nullptr, nullptr, 0);
}

RACELAB_OFFERED std::uint16_t __sanitizer_unaligned_load16(const void* p) {
  return load_unaligned<std::uint16_t>(p, RACELAB_PC);
}
RACELAB_OFFERED std::uint32_t __sanitizer_unaligned_load32(const void* p) {
  return load_unaligned<std::uint32_t>(p, RACELAB_PC);
}
RACELAB_OFFERED std::uint64_t __sanitizer_unaligned_load64(const void* p) {
  return load_unaligned<std::uint64_t>(p, RACELAB_PC);
}
RACELAB_OFFERED void __sanitizer_unaligned_store16(void* p, std::uint16_t value) {
  store_unaligned(p, value, RACELAB_PC);
}
RACELAB_OFFERED void __sanitizer_unaligned_store32(void* p, std::uint32_t value) {
  store_unaligned(p, value, RACELAB_PC);
}
RACELAB_OFFERED void __sanitizer_unaligned_store64(void* p, std::uint64_t value) {
  store_unaligned(p, value, RACELAB_PC);
}

// 1 for the first that asks, so that only one thread reports a crash.
RACELAB_OFFERED int __sanitizer_acquire_crash_state() {
  static constinit std::atomic<bool> acquired{false};
  return acquired.exchange(true, std::memory_order_relaxed) ? 0 : 1;
}

RACELAB_OFFERED void __sanitizer_print_stack_trace() {
  racelab::stacks::thread_trace here;
  here.id = racelab::stacks::self().id.load(std::memory_order_relaxed);
  racelab::stacks::capture(here.stack, 1);
  racelab::stacks::print_report(STDERR_FILENO, "__sanitizer_print_stack_trace()", {&here, 1});
}

RACELAB_OFFERED void __sanitizer_symbolize_pc(void* pc, const char* /*format*/, char* to, std::size_t room) {
  Dl_info found{};
  if (!find_module(pc, found)) {
    copy(to, room, "<unknown>");
  } else if (room != 0) {
    std::snprintf(to, room, "%s (%s+0x%zx)", found.dli_sname == nullptr ? "<unknown>" : found.dli_sname,
                  found.dli_fname, static_cast<std::size_t>(address_of(pc) - address_of(found.dli_fbase)));
  }
}
RACELAB_OFFERED void __sanitizer_symbolize_global(void* data, const char* /*format*/, char* to,
                                                  std::size_t room) {
  Dl_info found{};
  copy(to, room, find_module(data, found) && found.dli_sname != nullptr ? found.dli_sname : "<unknown>");
}
RACELAB_OFFERED int __sanitizer_get_module_and_offset_for_pc(void* pc, char* path, std::size_t room,
                                                             void** offset) {
  Dl_info found{};
  if (!find_module(pc, found)) return 0;
  copy(path, room, found.dli_fname);
  if (offset != nullptr) *offset = reinterpret_cast<void*>(address_of(pc) - address_of(found.dli_fbase));
  return 1;
}

// The heap is glibc's.
RACELAB_OFFERED std::size_t __sanitizer_get_current_allocated_bytes() { return mallinfo2().uordblks; }
RACELAB_OFFERED std::size_t __sanitizer_get_heap_size() { return mallinfo2().arena + mallinfo2().hblkhd; }
RACELAB_OFFERED std::size_t __sanitizer_get_free_bytes() { return mallinfo2().fordblks; }
RACELAB_OFFERED std::size_t __sanitizer_get_estimated_allocated_size(std::size_t size) { return size; }
RACELAB_OFFERED std::size_t __sanitizer_get_allocated_size(const void* block) {
  return malloc_usable_size(const_cast<void*>(block));
}
RACELAB_OFFERED std::size_t __sanitizer_get_allocated_size_fast(const void* block) {
  return malloc_usable_size(const_cast<void*>(block));
}
RACELAB_OFFERED const void* __sanitizer_get_allocated_begin(const void* block) { return block; }
RACELAB_OFFERED void __sanitizer_purge_allocator() { malloc_trim(0); }

}  // extern "C"
}  // namespace racelab::watch
