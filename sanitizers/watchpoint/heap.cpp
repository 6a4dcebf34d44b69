// free and munmap as the program sees them: giving memory back is a write of all of it.
#include "sanitizers/watchpoint/heap.hpp"

#include <dlfcn.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

#include "sanitizers/watchpoint/runtime.hpp"

extern "C" void __libc_free(void*);  // glibc's own name for its free

namespace racelab::watch {
namespace {

using free_function = void (*)(void*);
constinit std::atomic<free_function> next_free{nullptr};

// The free behind ours: libc's, or that of an allocator library that stands before it. dlsym may itself free,
// so the way out for that moment is libc's by name.
free_function find_free() noexcept {
  static constinit std::atomic<bool> searching{false};
  if (const auto known = next_free.load(std::memory_order_relaxed)) return known;
  if (searching.exchange(true, std::memory_order_relaxed)) return __libc_free;
  const auto found = reinterpret_cast<free_function>(dlsym(RTLD_NEXT, "free"));
  next_free.store(found != nullptr ? found : __libc_free, std::memory_order_relaxed);
  return next_free.load(std::memory_order_relaxed);
}

}  // namespace

void release(void* block, std::uintptr_t pc) noexcept {
  if (block == nullptr) return;
  look_release(reinterpret_cast<std::uintptr_t>(block), malloc_usable_size(block), pc);
  find_free()(block);
}

}  // namespace racelab::watch

extern "C" {

void free(void* block) noexcept {
  racelab::watch::release(block, reinterpret_cast<std::uintptr_t>(__builtin_return_address(0)));
}

int munmap(void* start, std::size_t length) noexcept {
  if (length != 0)
    racelab::watch::look_release(reinterpret_cast<std::uintptr_t>(start), length,
                                 reinterpret_cast<std::uintptr_t>(__builtin_return_address(0)));
  return static_cast<int>(syscall(SYS_munmap, start, length));
}
}
