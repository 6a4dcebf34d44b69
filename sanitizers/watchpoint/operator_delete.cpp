// operator delete, so that a site is the program's delete and not libstdc++'s. An object file of its own: a
// program that replaces operator delete itself keeps its own.
#include <new>

#include "sanitizers/watchpoint/heap.hpp"

#define RACELAB_RELEASE \
  racelab::watch::release(block, reinterpret_cast<std::uintptr_t>(__builtin_return_address(0)))

void operator delete(void* block) noexcept { RACELAB_RELEASE; }
void operator delete[](void* block) noexcept { RACELAB_RELEASE; }
void operator delete(void* block, std::size_t) noexcept { RACELAB_RELEASE; }
void operator delete[](void* block, std::size_t) noexcept { RACELAB_RELEASE; }
void operator delete(void* block, const std::nothrow_t&) noexcept { RACELAB_RELEASE; }
void operator delete[](void* block, const std::nothrow_t&) noexcept { RACELAB_RELEASE; }
void operator delete(void* block, std::align_val_t) noexcept { RACELAB_RELEASE; }
void operator delete[](void* block, std::align_val_t) noexcept { RACELAB_RELEASE; }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { RACELAB_RELEASE; }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { RACELAB_RELEASE; }
void operator delete(void* block, std::align_val_t, const std::nothrow_t&) noexcept { RACELAB_RELEASE; }
void operator delete[](void* block, std::align_val_t, const std::nothrow_t&) noexcept { RACELAB_RELEASE; }
