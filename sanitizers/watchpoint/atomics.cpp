// Atomic operations. They run at full strength whatever order is asked for (the runtime must not add
// behaviours that the program as built on x86-64 has not), are compared with the watchpoints, and are never
// stalled.
#include <cstdint>

#include "sanitizers/watchpoint/runtime.hpp"

#pragma GCC diagnostic ignored "-Wmissing-declarations"
#pragma GCC diagnostic ignored "-Wpedantic"  // 128-bit atomics are an extension

namespace racelab::watch {
namespace {

using a8 = std::uint8_t;
using a16 = std::uint16_t;
using a32 = std::uint32_t;
using a64 = std::uint64_t;
using a128 = unsigned __int128;

// An order has flags for transactions above its three bits.
template <class T> void touch(const volatile T* p, bool write, void* pc, int order) {
  pass(reinterpret_cast<std::uintptr_t>(p), sizeof(T), write, true, reinterpret_cast<std::uintptr_t>(pc),
       static_cast<std::uint8_t>(order & 7));
}

// One primitive for all: compare-and-swap. 16 bytes have no other in one instruction, and __atomic_… would
// call libatomic, which may lock.
template <class T> T cas(volatile T* p, T expected, T desired) {
  return __sync_val_compare_and_swap(p, expected, desired);
}

template <class T> T load(const volatile T* p) {
  if constexpr (sizeof(T) == 16)
    return cas(const_cast<volatile T*>(p), T{0}, T{0});
  else
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

template <class T, class F> T update(volatile T* p, F change) {
  T seen = load(p);
  for (;;) {
    const T found = cas(p, seen, static_cast<T>(change(seen)));
    if (found == seen) return seen;
    seen = found;
  }
}

// `expected` is read once, before: where it lies in a node that the exchange publishes, it is another thread's from then on.
template <class T> bool exchange_if(volatile T* p, T* expected, T desired) {
  const T wanted = *expected;
  const T found = cas(p, wanted, desired);
  if (found == wanted) return true;
  *expected = found;
  return false;
}

}  // namespace

extern "C" {

#define RACELAB_PC __builtin_return_address(0)

#define RACELAB_UPDATE(type, bits, name, expression)                            \
  type __tsan_atomic##bits##_##name(volatile type* p, type v, int order) {      \
    touch(p, true, RACELAB_PC, order);                                          \
    return update(p, [v](type seen) { return static_cast<type>(expression); }); \
  }

// NOLINTBEGIN(bugprone-macro-parentheses): a type in a declaration takes none.
#define RACELAB_ATOMIC(type, bits)                                                                           \
  type __tsan_atomic##bits##_load(const volatile type* p, int order) {                                       \
    touch(p, false, RACELAB_PC, order);                                                                      \
    return load(p);                                                                                          \
  }                                                                                                          \
  void __tsan_atomic##bits##_store(volatile type* p, type v, int order) {                                    \
    touch(p, true, RACELAB_PC, order);                                                                       \
    update(p, [v](type) { return v; });                                                                      \
  }                                                                                                          \
  RACELAB_UPDATE(type, bits, exchange, (static_cast<void>(seen), v))                                         \
  RACELAB_UPDATE(type, bits, fetch_add, seen + v)                                                            \
  RACELAB_UPDATE(type, bits, fetch_sub, seen - v)                                                            \
  RACELAB_UPDATE(type, bits, fetch_and, seen& v)                                                             \
  RACELAB_UPDATE(type, bits, fetch_or, seen | v)                                                             \
  RACELAB_UPDATE(type, bits, fetch_xor, seen ^ v)                                                            \
  RACELAB_UPDATE(type, bits, fetch_nand, ~(seen & v))                                                        \
  int __tsan_atomic##bits##_compare_exchange_strong(volatile type* p, type* expected, type v, int order,     \
                                                    int) {                                                   \
    touch(p, true, RACELAB_PC, order);                                                                       \
    return exchange_if(p, expected, v);                                                                      \
  }                                                                                                          \
  int __tsan_atomic##bits##_compare_exchange_weak(volatile type* p, type* expected, type v, int order,       \
                                                  int) {                                                     \
    touch(p, true, RACELAB_PC, order);                                                                       \
    return exchange_if(p, expected, v);                                                                      \
  }                                                                                                          \
  type __tsan_atomic##bits##_compare_exchange_val(volatile type* p, type expected, type v, int order, int) { \
    touch(p, true, RACELAB_PC, order);                                                                       \
    return cas(p, expected, v);                                                                              \
  }
// NOLINTEND(bugprone-macro-parentheses)

RACELAB_ATOMIC(a8, 8)
RACELAB_ATOMIC(a16, 16)
RACELAB_ATOMIC(a32, 32)
RACELAB_ATOMIC(a64, 64)
RACELAB_ATOMIC(a128, 128)

void __tsan_atomic_thread_fence(int order) {
  pass(0, 0, false, true, reinterpret_cast<std::uintptr_t>(RACELAB_PC), static_cast<std::uint8_t>(order & 7));
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
void __tsan_atomic_signal_fence(int) { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

}  // extern "C"
}  // namespace racelab::watch
