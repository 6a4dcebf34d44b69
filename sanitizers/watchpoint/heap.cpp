// free and munmap as the program sees them: giving memory back is a write of all of it.
#include <dlfcn.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

#include "sanitizers/watchpoint/runtime.hpp"

extern "C" void __libc_free(void*);  // glibc's own name for its free

namespace racelab::watch {
namespace {

using free_function = void (*)(void*);

// The free behind ours: libc's, or that of an allocator library that stands before it. Relaxed: whoever finds
// it unknown looks it up too and finds the same.
free_function next_free() noexcept {
  static constinit std::atomic<free_function> known{nullptr};
  static constinit thread_local bool searching __attribute__((tls_model("initial-exec"))) = false;
  if (free_function found = known.load(std::memory_order_relaxed)) return found;
  // dlsym has freed the message of an earlier error. Nobody knows yet whose block that is: let it leak.
  if (searching) return [](void*) {};
  searching = true;
  auto found = reinterpret_cast<free_function>(dlsym(RTLD_NEXT, "free"));
  searching = false;
  if (found == nullptr) found = __libc_free;  // linked statically
  known.store(found, std::memory_order_relaxed);
  return found;
}

void release(void* start, std::size_t size, void* return_address) noexcept {
  const auto pc = reinterpret_cast<std::uintptr_t>(return_address);
  if (attention.load(std::memory_order_relaxed)->quiet(pc)) return;
  look({.address = reinterpret_cast<std::uintptr_t>(start),
        .size = size,
        .write = true,
        .release = true,
        .pc = pc});
}

}  // namespace
}  // namespace racelab::watch

extern "C" {

// Weak: a program with an allocator of its own keeps it.
[[gnu::weak]] void free(void* block) noexcept {
  if (block == nullptr) return;
  racelab::watch::release(block, malloc_usable_size(block), __builtin_return_address(0));
  racelab::watch::next_free()(block);
}

int munmap(void* start, std::size_t length) noexcept {
  // A start that is not a page's is an error that unmaps nothing.
  if (reinterpret_cast<std::uintptr_t>(start) % 4096 == 0)
    racelab::watch::release(start, length, __builtin_return_address(0));
  return static_cast<int>(syscall(SYS_munmap, start, length));
}
}
