// operator delete, so that a site is the program's delete and not one in libstdc++: each of them jumps on, and
// free finds the program's return address (hence -O2 for this file in any build). Weak, and each calls the one
// that the standard says it calls by default: a program may replace any of them.
#include <cstdlib>
#include <new>

#define RACELAB_WEAK [[gnu::weak]]

RACELAB_WEAK void operator delete(void* block) noexcept { std::free(block); }
RACELAB_WEAK void operator delete[](void* block) noexcept { operator delete(block); }
RACELAB_WEAK void operator delete(void* block, std::size_t) noexcept { operator delete(block); }
RACELAB_WEAK void operator delete[](void* block, std::size_t) noexcept { operator delete[](block); }
RACELAB_WEAK void operator delete(void* block, const std::nothrow_t&) noexcept { operator delete(block); }
RACELAB_WEAK void operator delete[](void* block, const std::nothrow_t&) noexcept { operator delete[](block); }

RACELAB_WEAK void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
RACELAB_WEAK void operator delete[](void* block, std::align_val_t to) noexcept { operator delete(block, to); }
RACELAB_WEAK void operator delete(void* block, std::size_t, std::align_val_t to) noexcept {
  operator delete(block, to);
}
RACELAB_WEAK void operator delete[](void* block, std::size_t, std::align_val_t to) noexcept {
  operator delete[](block, to);
}
RACELAB_WEAK void operator delete(void* block, std::align_val_t to, const std::nothrow_t&) noexcept {
  operator delete(block, to);
}
RACELAB_WEAK void operator delete[](void* block, std::align_val_t to, const std::nothrow_t&) noexcept {
  operator delete[](block, to);
}
