// Breakpoints: the processor's own, on bytes that a stalled thread is about to touch. They tell which instruction of another thread
// wrote there, instrumented or not.
//
// Source: perf_event_open(2), PERF_TYPE_BREAKPOINT. Each thread gets one, for they are the thread's; the kernel keeps the address
// of the instruction after the one that wrote.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "sanitizers/watchpoint/watchpoint.hpp"

namespace racelab::watch {

/// True if the instruction that ends at `after` writes memory atomically: it has a lock prefix or is an xchg. x86-64.
/// `before` are the bytes that lead up to there, 15 at most.
[[nodiscard]] bool is_atomic_write(std::span<const std::uint8_t> before) noexcept;

/// True if another page of this process's addresses is the same memory.
[[nodiscard]] bool is_mapped_twice(std::uintptr_t address) noexcept;

/// Armed on all other threads of the process for as long as it lives.
class breakpoints {
 public:
  /// Arms nothing for accesses that a breakpoint can't watch: of another size than 1, 2, 4 or 8, or not aligned to it.
  explicit breakpoints(const access& what) noexcept;
  ~breakpoints();
  breakpoints(const breakpoints&) = delete;
  breakpoints& operator=(const breakpoints&) = delete;

  /// What they have seen so far, in `into`. A write of the kernel's is not seen, and neither is one through another mapping.
  void look(writers& into) const noexcept;

 private:
  static constexpr std::size_t most_threads = 64;
  struct armed {
    int file = -1;
    void* ring = nullptr;
  };
  void arm(pid_t thread, const access& what) noexcept;

  std::array<armed, most_threads> all_{};
  std::size_t count_ = 0;
  bool complete_ = false;  // every other thread that there was has one
};

}  // namespace racelab::watch
