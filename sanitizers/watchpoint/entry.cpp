// The entry points that clang and gcc emit for -fsanitize=thread, but for atomics (atomics.cpp). LLVM's tsan_interface.h is
// the list. What else a program may call: interface.cpp.
#include <unistd.h>

#include <cstring>

#include "sanitizers/watchpoint/intercepts.hpp"
#include "sanitizers/watchpoint/runtime.hpp"

// The names are the compilers'; nobody includes a declaration of them.
#pragma GCC diagnostic ignored "-Wmissing-declarations"

namespace racelab::watch {
namespace {

#define RACELAB_PC reinterpret_cast<std::uintptr_t>(__builtin_return_address(0))

std::uintptr_t address_of(const volatile void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

void plain(const volatile void* pointer, std::size_t size, bool write, std::uintptr_t pc) {
  pass(address_of(pointer), size, write, false, pc);
}

}  // namespace

extern "C" {

// gcc's libtsan_preinit.o calls before libc has the environment; the constructor in runtime.cpp comes later.
void __tsan_init() {
  note_instrumented_module(RACELAB_PC);
  if (environ != nullptr) initialise();
}

void __tsan_func_entry(void* /*caller*/) { enter_function(); }

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
void __tsan_read_range_pc(void* p, unsigned long size, void* pc) { plain(p, size, false, address_of(pc)); }
void __tsan_write_range_pc(void* p, unsigned long size, void* pc) { plain(p, size, true, address_of(pc)); }

// A constructor that stores the vptr which is there already changes nothing that a reader could see.
void __tsan_vptr_update(void** vptr, void* value) {
  if (__atomic_load_n(vptr, __ATOMIC_RELAXED) != value)
    plain(static_cast<const void*>(vptr), sizeof *vptr, true, RACELAB_PC);
}
void __tsan_vptr_read(void** vptr) { plain(static_cast<const void*>(vptr), sizeof *vptr, false, RACELAB_PC); }

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

}  // extern "C"
}  // namespace racelab::watch
