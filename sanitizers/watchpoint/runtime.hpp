// Inside of the watchpoint runtime: the hot path that every instrumented access takes, and what stands behind
// it.
#pragma once

#include <sys/single_threaded.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "sanitizers/watchpoint/watchpoint.hpp"

namespace racelab::watch {

/// One byte for each site, by the low bits of its pc: 0 asks for a closer look, 1 lets the access pass.
/// Programs with more text than this share bytes between sites, which costs some first visits but is never
/// wrong.
inline constexpr std::size_t attention_size = std::size_t{1} << 20;

/// Zero-initialised memory that costs nothing until it is touched (an array of std::atomic would be
/// initialised, byte by byte, by the compiler). Relaxed everywhere: the runtime must not order what it
/// watches, and a thread that sees a change late only misses a chance.
struct attention_table {
  std::uint8_t bytes[attention_size];

  [[nodiscard]] bool quiet(std::uintptr_t pc) const noexcept {
    return __atomic_load_n(&bytes[pc % attention_size], __ATOMIC_RELAXED) != 0;
  }
  void set_quiet(std::uintptr_t pc, bool value) noexcept {
    __atomic_store_n(&bytes[pc % attention_size], static_cast<std::uint8_t>(value), __ATOMIC_RELAXED);
  }
};

extern attention_table site_attention;  // the sites that have had their first visits pass
extern attention_table full_attention;  // all zero: everybody looks, because somebody is stalled

/// The table in force. Relaxed, as above.
extern constinit std::atomic<const attention_table*> attention;

/// The closer look: compares with the watchpoints that are set, then perhaps stalls. Not noexcept, as all that calls it:
/// a thread that was cancelled meanwhile is unwound from here.
void look(const access& what);

/// For the runtime's own threads: nothing that the calling thread does is looked at.
void ignore_this_thread() noexcept;

/// The hot path: two loads and a branch.
inline void pass(std::uintptr_t address, std::size_t size, bool write, bool atomic, std::uintptr_t pc,
                 std::uint8_t order = 0) {
  if (attention.load(std::memory_order_relaxed)->quiet(pc)) [[likely]]
    return;
  // With one thread nothing can race, and its visits must not use up those that count.
  if (__libc_single_threaded != 0) return;
  look({.address = address, .size = size, .write = write, .atomic = atomic, .order = order, .pc = pc});
}

/// The plan says `enter`. Written before there are threads.
extern constinit bool entries_are_delayed;
void delay_entry() noexcept;

/// At a function's entry.
inline void enter_function() noexcept {
  if (entries_are_delayed) [[unlikely]]
    delay_entry();
}

/// Reads the environment and starts what the mode needs. Idempotent; called by every instrumented module.
void initialise() noexcept;

}  // namespace racelab::watch
