// free, realloc and munmap as the program sees them: giving memory back is a write of all of it.
#include <dlfcn.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

#include "sanitizers/watchpoint/runtime.hpp"

// glibc's own names.
extern "C" void __libc_free(void*);
extern "C" void* __libc_realloc(void*, std::size_t);

namespace racelab::watch {
namespace {

// A function behind ours of the same name: libc's, or that of an allocator library that stands before it. Relaxed:
// whoever finds it unknown looks it up too and finds the same.
template <class Function> class next_function {
 public:
  /// `meanwhile` is for what dlsym itself does, `of_libc` for programs that are linked statically.
  constexpr next_function(const char* name, Function* meanwhile, Function* of_libc) noexcept
      : name_(name), meanwhile_(meanwhile), of_libc_(of_libc) {}

  Function* operator*() noexcept {
    static constinit thread_local bool searching __attribute__((tls_model("initial-exec"))) = false;
    if (Function* found = known_.load(std::memory_order_relaxed)) return found;
    if (searching) return meanwhile_;
    searching = true;
    auto* found = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name_));
    searching = false;
    if (found == nullptr) found = of_libc_;
    known_.store(found, std::memory_order_relaxed);
    return found;
  }

 private:
  const char* name_;
  Function* meanwhile_;
  Function* of_libc_;
  std::atomic<Function*> known_{nullptr};
};

// dlsym has freed the message of an earlier error. Nobody knows yet whose block that is: let it leak.
constinit next_function<void(void*)> next_free("free", [](void*) {}, __libc_free);
constinit next_function<void*(void*, std::size_t)> next_realloc(
    "realloc", [](void*, std::size_t) -> void* { return nullptr; }, __libc_realloc);

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
  (*racelab::watch::next_free)(block);
}

// The old block's end, whether it moves or not: so C has it. Not if there can't be a block of that size: then the old
// one stays.
[[gnu::weak]] void* realloc(void* block, std::size_t size) noexcept {
  if (block != nullptr && size <= PTRDIFF_MAX)
    racelab::watch::release(block, malloc_usable_size(block), __builtin_return_address(0));
  return (*racelab::watch::next_realloc)(block, size);
}

int munmap(void* start, std::size_t length) noexcept {
  // A start that is not a page's is an error that unmaps nothing.
  if (reinterpret_cast<std::uintptr_t>(start) % 4096 == 0)
    racelab::watch::release(start, length, __builtin_return_address(0));
  return static_cast<int>(syscall(SYS_munmap, start, length));
}
}
