// Capture: raw program counters of this thread, by libunwind. The first of three stages (capture, symbolise,
// print); the only one that runs on a signal path or at an access.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace racelab::stacks {

inline constexpr std::size_t max_frames = 64;

/// One thread's program counters, innermost first, at most max_frames. All but an exact top are return
/// addresses, so the call is found one byte before.
struct raw_trace {
  std::array<std::uintptr_t, max_frames> pcs{};
  std::uint32_t size = 0;
  bool exact_top = false;  // pcs[0] is the very instruction (a signal frame's), not a return address

  [[nodiscard]] std::span<const std::uintptr_t> frames() const noexcept { return {pcs.data(), size}; }
};

/// The caller's stack. `skip` innermost frames are left out (0: the caller of capture comes first).
/// Neither allocates nor locks once prepare_capture() has run; source: libunwind's unw_backtrace.
void capture(raw_trace& into, unsigned skip = 0) noexcept;

/// The stack that a signal interrupted, from the handler's third argument (a ucontext_t). Signal-safe as
/// above.
void capture_interrupted(raw_trace& into, void* ucontext) noexcept;

/// Loads what capture needs (libunwind's caches, lazily bound symbols), so that a later capture on a signal
/// path does not. Idempotent.
void prepare_capture() noexcept;

}  // namespace racelab::stacks
