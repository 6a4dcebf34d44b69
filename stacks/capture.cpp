#include "stacks/capture.hpp"

#include <algorithm>
#include <cstring>

#include "stacks/standing.hpp"

namespace racelab::stacks {
namespace {

void walk(raw_trace& into, unw_cursor_t& cursor) noexcept {
  do {
    unw_word_t pc = 0;
    if (unw_get_reg(&cursor, UNW_REG_IP, &pc) != 0) break;
    if (pc == 0 && into.size > 0) break;
    into.pcs[into.size++] = pc;
  } while (into.size < max_frames && unw_step(&cursor) > 0);
}

}  // namespace

[[gnu::noinline]] void capture(raw_trace& into, unsigned skip) noexcept {
  // unw_backtrace's first frame is this function's.
  const std::size_t left_out = std::size_t{skip} + 1;
  static_assert(sizeof(std::uintptr_t) == sizeof(void*));
  const int found = unw_backtrace(reinterpret_cast<void**>(into.pcs.data()), static_cast<int>(max_frames));
  const std::size_t depth = found > 0 ? static_cast<std::size_t>(found) : 0;
  const std::size_t kept = depth > left_out ? depth - left_out : 0;
  std::memmove(into.pcs.data(), into.pcs.data() + left_out, kept * sizeof(std::uintptr_t));
  into.size = static_cast<std::uint32_t>(kept);
  into.exact_top = false;
}

void capture_interrupted(raw_trace& into, void* ucontext) noexcept {
  into.size = 0;
  into.exact_top = true;
  unw_cursor_t cursor;
  // unw_context_t is ucontext_t on x86-64 and aarch64 (unw_init_local2(3)). The flag says that the first
  // frame was interrupted, not called from.
  auto* const context = static_cast<unw_context_t*>(ucontext);
  if (unw_init_local2(&cursor, context, UNW_INIT_SIGNAL_FRAME) == 0) walk(into, cursor);
}

void capture_standing(raw_trace& into, standing& from) noexcept {
  into.size = 0;
  into.exact_top = false;
  unw_cursor_t cursor;
  if (unw_init_local(&cursor, &from.registers) == 0) walk(into, cursor);
}

void prepare_capture() noexcept {
  raw_trace trace;
  capture(trace);
  unw_context_t context;
  if (unw_getcontext(&context) == 0) capture_interrupted(trace, &context);
}

}  // namespace racelab::stacks
