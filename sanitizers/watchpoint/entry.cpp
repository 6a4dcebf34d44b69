// The entry points that clang and gcc emit for -fsanitize=thread. LLVM's tsan_interface.h is the list.
#include <cstring>

#include "sanitizers/watchpoint/runtime.hpp"

// The names are the compilers'; nobody includes a declaration of them.
#pragma GCC diagnostic ignored "-Wmissing-declarations"

namespace {

#define RACELAB_PC reinterpret_cast<std::uintptr_t>(__builtin_return_address(0))

std::uintptr_t address_of(const volatile void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

void plain(const volatile void* pointer, std::size_t size, bool write, std::uintptr_t pc) {
  racelab::watch::pass(address_of(pointer), size, write, false, pc);
}

}  // namespace

extern "C" {

void __tsan_init() { racelab::watch::initialise(); }
// Stacks are unwound when they are needed, not kept: see stacks/capture.hpp.
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_ignore_thread_begin() {}
void __tsan_ignore_thread_end() {}

#define RACELAB_ACCESS(size)                                                                      \
  void __tsan_read##size(void* p) { plain(p, size, false, RACELAB_PC); }                          \
  void __tsan_write##size(void* p) { plain(p, size, true, RACELAB_PC); }                          \
  void __tsan_unaligned_read##size(const void* p) { plain(p, size, false, RACELAB_PC); }          \
  void __tsan_unaligned_write##size(void* p) { plain(p, size, true, RACELAB_PC); }                \
  void __tsan_volatile_read##size(void* p) { plain(p, size, false, RACELAB_PC); }                 \
  void __tsan_volatile_write##size(void* p) { plain(p, size, true, RACELAB_PC); }                 \
  void __tsan_unaligned_volatile_read##size(const void* p) { plain(p, size, false, RACELAB_PC); } \
  void __tsan_unaligned_volatile_write##size(void* p) { plain(p, size, true, RACELAB_PC); }       \
  void __tsan_read_write##size(void* p) { plain(p, size, true, RACELAB_PC); }                     \
  void __tsan_unaligned_read_write##size(void* p) { plain(p, size, true, RACELAB_PC); }           \
  void __tsan_read##size##_pc(void* p, void* pc) { plain(p, size, false, address_of(pc)); }       \
  void __tsan_write##size##_pc(void* p, void* pc) { plain(p, size, true, address_of(pc)); }

RACELAB_ACCESS(1)
RACELAB_ACCESS(2)
RACELAB_ACCESS(4)
RACELAB_ACCESS(8)
RACELAB_ACCESS(16)

void __tsan_read_range(void* p, unsigned long size) { plain(p, size, false, RACELAB_PC); }
void __tsan_write_range(void* p, unsigned long size) { plain(p, size, true, RACELAB_PC); }

// A constructor that stores the vptr which is there already changes nothing that a reader could see.
void __tsan_vptr_update(void** vptr, void* value) {
  if (__atomic_load_n(vptr, __ATOMIC_RELAXED) != value) plain(vptr, sizeof *vptr, true, RACELAB_PC);
}
void __tsan_vptr_read(void** vptr) { plain(vptr, sizeof *vptr, false, RACELAB_PC); }

void* __tsan_memcpy(void* to, const void* from, std::size_t size) {
  plain(from, size, false, RACELAB_PC);
  plain(to, size, true, RACELAB_PC);
  return std::memcpy(to, from, size);
}
void* __tsan_memmove(void* to, const void* from, std::size_t size) {
  plain(from, size, false, RACELAB_PC);
  plain(to, size, true, RACELAB_PC);
  return std::memmove(to, from, size);
}
void* __tsan_memset(void* to, int value, std::size_t size) {
  plain(to, size, true, RACELAB_PC);
  return std::memset(to, value, size);
}

// What a program declares by hand (sanitizer/tsan_interface.h), as libstdc++'s atomic<shared_ptr> does: order, and
// where it is in its own locks. Catching in the act needs none of it.
void __tsan_acquire(void*) {}
void __tsan_release(void*) {}
void __tsan_mutex_create(void*, unsigned) {}
void __tsan_mutex_destroy(void*, unsigned) {}
void __tsan_mutex_pre_lock(void*, unsigned) {}
void __tsan_mutex_post_lock(void*, unsigned, int) {}
int __tsan_mutex_pre_unlock(void*, unsigned) { return 0; }
void __tsan_mutex_post_unlock(void*, unsigned) {}
void __tsan_mutex_pre_signal(void*, unsigned) {}
void __tsan_mutex_post_signal(void*, unsigned) {}
void __tsan_mutex_pre_divert(void*, unsigned) {}
void __tsan_mutex_post_divert(void*, unsigned) {}

}  // extern "C"
