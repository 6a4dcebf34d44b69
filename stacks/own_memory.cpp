#include "stacks/own_memory.hpp"

#include <dlfcn.h>

#include <atomic>
#include <cstdint>

#include "stacks/own_functions.hpp"

// Compiled with -fno-builtin: the compiler must not make calls of memcpy out of these loops.

namespace racelab::stacks {
namespace {

using byte = unsigned char;

void* copy_forwards(void* to, const void* from, std::size_t size) noexcept {
  for (std::size_t i = 0; i < size; ++i) static_cast<byte*>(to)[i] = static_cast<const byte*>(from)[i];
  return to;
}

void* copy_overlapping(void* to, const void* from, std::size_t size) noexcept {
  if (reinterpret_cast<std::uintptr_t>(to) <= reinterpret_cast<std::uintptr_t>(from))
    return copy_forwards(to, from, size);
  for (std::size_t i = size; i > 0; --i)
    static_cast<byte*>(to)[i - 1] = static_cast<const byte*>(from)[i - 1];
  return to;
}

void* fill(void* to, int value, std::size_t size) noexcept {
  for (std::size_t i = 0; i < size; ++i) static_cast<byte*>(to)[i] = static_cast<byte>(value);
  return to;
}

int compare(const void* a, const void* b, std::size_t size) noexcept {
  for (std::size_t i = 0; i < size; ++i) {
    const int difference = static_cast<const byte*>(a)[i] - static_cast<const byte*>(b)[i];
    if (difference != 0) return difference;
  }
  return 0;
}

void* find(const void* from, int value, std::size_t size) noexcept {
  for (std::size_t i = 0; i < size; ++i) {
    const byte* const at = static_cast<const byte*>(from) + i;
    if (*at == static_cast<byte>(value)) return const_cast<byte*>(at);
  }
  return nullptr;
}

std::size_t length(const char* from) noexcept {
  std::size_t size = 0;
  while (from[size] != 0) ++size;
  return size;
}

// Relaxed: whichever of the two a thread calls does the same.
template <class Function> class chosen {
 public:
  explicit constexpr chosen(Function* simple) noexcept : function_(simple) {}
  Function* operator*() const noexcept { return function_.load(std::memory_order_relaxed); }
  // There is none where libc is linked statically.
  void look_for(const char* name) noexcept {
    if (void* const found = dlsym(RTLD_NEXT, name))
      function_.store(reinterpret_cast<Function*>(found), std::memory_order_relaxed);
  }

 private:
  std::atomic<Function*> function_;
};

constinit chosen<void*(void*, const void*, std::size_t)> memcpy_in_use(copy_forwards);
constinit chosen<void*(void*, const void*, std::size_t)> memmove_in_use(copy_overlapping);
constinit chosen<void*(void*, int, std::size_t)> memset_in_use(fill);
constinit chosen<int(const void*, const void*, std::size_t)> memcmp_in_use(compare);
constinit chosen<void*(const void*, int, std::size_t)> memchr_in_use(find);
constinit chosen<std::size_t(const char*)> strlen_in_use(length);

// Before any other constructor of ours; those of shared libraries come earlier still, and have the loops.
[[gnu::constructor(101)]] void find_functions_of_libc() {
  memcpy_in_use.look_for("memcpy");
  memmove_in_use.look_for("memmove");
  memset_in_use.look_for("memset");
  memcmp_in_use.look_for("memcmp");
  memchr_in_use.look_for("memchr");
  strlen_in_use.look_for("strlen");
}

}  // namespace
}  // namespace racelab::stacks

extern "C" {

void* racelab_memcpy(void* to, const void* from, std::size_t size) {
  return (*racelab::stacks::memcpy_in_use)(to, from, size);
}
void* racelab_memmove(void* to, const void* from, std::size_t size) {
  return (*racelab::stacks::memmove_in_use)(to, from, size);
}
void* racelab_memset(void* to, int value, std::size_t size) {
  return (*racelab::stacks::memset_in_use)(to, value, size);
}
int racelab_memcmp(const void* a, const void* b, std::size_t size) {
  return (*racelab::stacks::memcmp_in_use)(a, b, size);
}
int racelab_bcmp(const void* a, const void* b, std::size_t size) { return racelab_memcmp(a, b, size); }
void* racelab_memchr(const void* from, int value, std::size_t size) {
  return (*racelab::stacks::memchr_in_use)(from, value, size);
}
std::size_t racelab_strlen(const char* from) { return (*racelab::stacks::strlen_in_use)(from); }
}
