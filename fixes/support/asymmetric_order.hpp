// An order between a store and a later load that costs the frequent side nothing: who asks rarely makes all others' processors
// pass a full barrier.
//
// Source: Linux's membarrier(2), MEMBARRIER_CMD_PRIVATE_EXPEDITED (from 4.14 on), and D. Goldblatt, Asymmetric Fences, P1202.
//
//   frequent side                         rare side
//   store_before_load(x, value)           …
//   y.load(seq_cst)                       y.exchange(…, seq_cst)
//                                         others_pass_a_barrier()
//                                         x.load(seq_cst)
//
// At least one of the two loads sees the other side's write: if the frequent side's processor passed its barrier before the load of y,
// that load comes after the exchange; and otherwise the store to x came before the barrier, and so before the rare side's load.
//
// Where the kernel has no such call (or a sandbox forbids it) the store is a sequentially consistent one, which is the same order the
// usual way, at the price of an exchange on x86-64.
#pragma once

#include <atomic>

#if defined(__linux__) && !defined(RACELAB_WITHOUT_MEMBARRIER)
#define RACELAB_HAS_MEMBARRIER
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace racelab::detail {

/// True if the kernel lets this process ask for barriers. Asks it once.
inline bool can_ask_for_barriers() noexcept {
#ifdef RACELAB_HAS_MEMBARRIER
  static const bool registered =
      syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
  return registered;
#else
  return false;
#endif
}

// False until it is known, in constructors of statics: the store is then the expensive one, which is right in any case. True only
// once the call has been registered, so that the rare side makes it.
inline const bool stores_may_be_cheap = can_ask_for_barriers();

/// store_before_load() for who knows already that stores may be cheap.
template <class Value> void cheaply_store_before_load(std::atomic<Value>& to, Value value) noexcept {
  to.store(value, std::memory_order_release);
  std::atomic_signal_fence(std::memory_order_seq_cst);  // the compiler keeps the order, too
}

/// Stores `value`, ordered before the caller's later loads for those who call others_pass_a_barrier(); a release.
template <class Value> void store_before_load(std::atomic<Value>& to, Value value) noexcept {
  if (!stores_may_be_cheap) return to.store(value, std::memory_order_seq_cst);
  cheaply_store_before_load(to, value);
}

/// When it returns, each thread of this process has passed a full barrier since it was called.
inline void others_pass_a_barrier() noexcept {
#ifdef RACELAB_HAS_MEMBARRIER
  if (can_ask_for_barriers()) syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
#endif
}

}  // namespace racelab::detail
