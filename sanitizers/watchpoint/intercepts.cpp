// libc's memory and string functions as an instrumented module calls them: accesses to the bytes that they touch. g++
// leaves memcpy, memmove and memset to the runtime as calls, and all compilers the rest.
//
// How many bytes a string function touches is known only after it has been done. So where somebody wants to look, the
// bytes are read once to measure them, then the access is announced, then the function is done: its accesses come after
// the announcement, as any other's. If bytes change between the two readings, somebody writes to a string that this
// very call reads, and no order can be the reason: the calling thread has done nothing in between that could order anything.
//
// The functions are declared under other names (RACELAB_INTERCEPT), which also keeps the compiler from taking the bodies for
// what it knows of libc's (-fno-builtin does the rest).
#include "sanitizers/watchpoint/intercepts.hpp"

#include <sys/single_threaded.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>

#include "sanitizers/watchpoint/modules.hpp"
#include "sanitizers/watchpoint/runtime.hpp"
#include "sanitizers/watchpoint/state.hpp"
#include "stacks/own_functions.hpp"

namespace racelab::watch {
namespace {

struct range {
  std::atomic<std::uintptr_t> base{0};
  std::atomic<std::uintptr_t> end{0};
};
constinit std::array<range, 256> instrumented{};
constinit std::atomic<std::size_t> instrumented_count{0};

// Acquire: pairs with the release in note_instrumented_module(), which publishes the ranges before the number.
bool in_instrumented_module(std::uintptr_t pc) noexcept {
  const std::size_t count = instrumented_count.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < count; ++i) {
    if (pc >= instrumented[i].base.load(std::memory_order_relaxed) &&
        pc < instrumented[i].end.load(std::memory_order_relaxed))
      return true;
  }
  return false;
}

void touch(const void* start, std::size_t size, bool write, std::uintptr_t pc) {
  look({.address = reinterpret_cast<std::uintptr_t>(start), .size = size, .write = write, .pc = pc});
}

unsigned char at(const char* text, std::size_t index) noexcept {
  return static_cast<unsigned char>(text[index]);
}

// Where a comparison of two strings ends: at a difference, at their end, or after `most`.
std::size_t common_length(const char* a, const char* b, std::size_t most) noexcept {
  std::size_t i = 0;
  while (i < most && a[i] == b[i] && a[i] != 0) ++i;
  return i;
}

int compare_strings(const char* a, const char* b, std::size_t most, std::uintptr_t pc) {
  if (is_watched(pc)) {
    const std::size_t common = common_length(a, b, most);
    const std::size_t size = common == most ? most : common + 1;
    reads(a, size, pc);
    reads(b, size, pc);
  }
  for (std::size_t i = 0; i < most; ++i)
    if (a[i] != b[i] || a[i] == 0) return at(a, i) - at(b, i);
  return 0;
}

// Of at most `most` bytes, with the one that ends them.
std::size_t size_until(const void* from, int end, std::size_t most) noexcept {
  const void* const found = racelab_memchr(from, end, most);
  return found == nullptr
             ? most
             : static_cast<std::size_t>(static_cast<const char*>(found) - static_cast<const char*>(from)) + 1;
}

const char* find_in_string(const char* from, int wanted) noexcept {
  while (*from != static_cast<char>(wanted) && *from != 0) ++from;
  return from;
}

char* copy_string(char* to, const char* from) noexcept {
  for (std::size_t i = 0;; ++i) {
    to[i] = from[i];
    if (to[i] == 0) return to;
  }
}

void copies(void* to, const void* from, std::size_t size, std::uintptr_t pc) {
  reads(from, size, pc);
  writes(to, size, pc);
}

void* copy_memory(void* to, const void* from, std::size_t size, std::uintptr_t pc) {
  if (is_watched(pc)) copies(to, from, size, pc);
  return racelab_memcpy(to, from, size);
}

void* move_memory(void* to, const void* from, std::size_t size, std::uintptr_t pc) {
  if (is_watched(pc)) copies(to, from, size, pc);
  return racelab_memmove(to, from, size);
}

void* set_memory(void* to, int value, std::size_t size, std::uintptr_t pc) {
  if (is_watched(pc)) writes(to, size, pc);
  return racelab_memset(to, value, size);
}

char* copy_whole_string(char* to, const char* from, std::uintptr_t pc) {
  if (is_watched(pc)) copies(to, from, racelab_strlen(from) + 1, pc);
  return copy_string(to, from);
}

char* copy_padded_string(char* to, const char* from, std::size_t size, std::uintptr_t pc) {
  if (is_watched(pc)) {
    reads(from, size_until(from, 0, size), pc);
    writes(to, size, pc);
  }
  std::size_t done = 0;
  for (; done < size && from[done] != 0; ++done) to[done] = from[done];
  racelab_memset(to + done, 0, size - done);
  return to;
}

char* append_string(char* to, const char* from, std::uintptr_t pc) {
  if (is_watched(pc)) {
    const std::size_t before = racelab_strlen(to);
    const std::size_t size = racelab_strlen(from) + 1;
    reads(to, before + 1, pc);
    reads(from, size, pc);
    writes(to + before, size, pc);
  }
  copy_string(to + racelab_strlen(to), from);
  return to;
}

}  // namespace

void note_instrumented_module(std::uintptr_t pc) noexcept {
  static constinit std::atomic<bool> busy{false};
  if (in_instrumented_module(pc)) return;
  // Modules are opened one at a time, under the loader's lock; but nobody knows who else calls.
  if (busy.exchange(true, std::memory_order_acquire))
    return;  // pairs with the release below: one writer at a time
  for_each_module(
      [](const module& each, void* argument) {
        const auto inside = *static_cast<const std::uintptr_t*>(argument);
        if (inside < each.base || inside >= each.end) return true;
        const std::size_t count = instrumented_count.load(std::memory_order_relaxed);
        if (count == instrumented.size()) return false;
        instrumented[count].base.store(each.base, std::memory_order_relaxed);
        instrumented[count].end.store(each.end, std::memory_order_relaxed);
        // Release: publishes the range to in_instrumented_module().
        instrumented_count.store(count + 1, std::memory_order_release);
        return false;
      },
      &pc);
  busy.store(false, std::memory_order_release);
}

bool is_watched(std::uintptr_t pc) noexcept {
  return !attention.load(std::memory_order_relaxed)->quiet(pc) && __libc_single_threaded == 0 &&
         !mine.inside && in_instrumented_module(pc);
}

void reads(const void* start, std::size_t size, std::uintptr_t pc) { touch(start, size, false, pc); }
void writes(const void* start, std::size_t size, std::uintptr_t pc) { touch(start, size, true, pc); }

#define RACELAB_INTERCEPT_CHECKED(result, name, parameters) \
  RACELAB_INTERCEPT_AS("__" #name "_chk", result, checked_##name, parameters)

extern "C" {

RACELAB_INTERCEPT(void*, memcpy, (void* to, const void* from, std::size_t size)) {
  return copy_memory(to, from, size, RACELAB_PC);
}

RACELAB_INTERCEPT(void*, memmove, (void* to, const void* from, std::size_t size)) {
  return move_memory(to, from, size, RACELAB_PC);
}

RACELAB_INTERCEPT(void*, memset, (void* to, int value, std::size_t size)) {
  return set_memory(to, value, size, RACELAB_PC);
}

// All bytes, whatever the result: C's memcmp compares all of them, and compilers read all where they inline it.
RACELAB_INTERCEPT(int, memcmp, (const void* a, const void* b, std::size_t size)) {
  const auto pc = RACELAB_PC;
  if (is_watched(pc)) {
    reads(a, size, pc);
    reads(b, size, pc);
  }
  return racelab_memcmp(a, b, size);
}

RACELAB_INTERCEPT(int, bcmp, (const void* a, const void* b, std::size_t size)) {
  const auto pc = RACELAB_PC;
  if (is_watched(pc)) {
    reads(a, size, pc);
    reads(b, size, pc);
  }
  return racelab_bcmp(a, b, size);
}

// As if byte by byte, up to the one that is found: C says so.
RACELAB_INTERCEPT(void*, memchr, (const void* from, int wanted, std::size_t size)) {
  const auto pc = RACELAB_PC;
  if (is_watched(pc)) reads(from, size_until(from, wanted, size), pc);
  return racelab_memchr(from, wanted, size);
}

RACELAB_INTERCEPT(std::size_t, strlen, (const char* from)) {
  const auto pc = RACELAB_PC;
  if (is_watched(pc)) reads(from, racelab_strlen(from) + 1, pc);
  return racelab_strlen(from);
}

RACELAB_INTERCEPT(std::size_t, strnlen, (const char* from, std::size_t most)) {
  const auto pc = RACELAB_PC;
  if (is_watched(pc)) reads(from, size_until(from, 0, most), pc);
  const void* const end = racelab_memchr(from, 0, most);
  return end == nullptr ? most : static_cast<std::size_t>(static_cast<const char*>(end) - from);
}

RACELAB_INTERCEPT(int, strcmp, (const char* a, const char* b)) {
  return compare_strings(a, b, SIZE_MAX, RACELAB_PC);
}

RACELAB_INTERCEPT(int, strncmp, (const char* a, const char* b, std::size_t most)) {
  return compare_strings(a, b, most, RACELAB_PC);
}

RACELAB_INTERCEPT(char*, strcpy, (char* to, const char* from)) {
  return copy_whole_string(to, from, RACELAB_PC);
}

RACELAB_INTERCEPT(char*, strncpy, (char* to, const char* from, std::size_t size)) {
  return copy_padded_string(to, from, size, RACELAB_PC);
}

RACELAB_INTERCEPT(char*, strcat, (char* to, const char* from)) { return append_string(to, from, RACELAB_PC); }

RACELAB_INTERCEPT(char*, strchr, (const char* from, int wanted)) {
  const auto pc = RACELAB_PC;
  if (is_watched(pc)) reads(from, static_cast<std::size_t>(find_in_string(from, wanted) - from) + 1, pc);
  const char* const found = find_in_string(from, wanted);
  return *found == static_cast<char>(wanted) ? const_cast<char*>(found) : nullptr;
}

RACELAB_INTERCEPT(char*, strrchr, (const char* from, int wanted)) {
  const auto pc = RACELAB_PC;
  if (is_watched(pc)) reads(from, racelab_strlen(from) + 1, pc);
  for (std::size_t i = racelab_strlen(from) + 1; i > 0; --i)
    if (from[i - 1] == static_cast<char>(wanted)) return const_cast<char*>(from + i - 1);
  return nullptr;
}

RACELAB_INTERCEPT(char*, strdup, (const char* from)) {
  const auto pc = RACELAB_PC;
  if (is_watched(pc)) reads(from, racelab_strlen(from) + 1, pc);
  const std::size_t size = racelab_strlen(from) + 1;
  auto* const copy = static_cast<char*>(std::malloc(size));
  if (copy != nullptr) racelab_memcpy(copy, from, size);
  return copy;
}

// What _FORTIFY_SOURCE makes of them where the compiler knows how much room there is: Ubuntu's compilers do so by default.
[[noreturn]] void end_for_overflow() __asm__("__chk_fail");

RACELAB_INTERCEPT_CHECKED(void*, memcpy, (void* to, const void* from, std::size_t size, std::size_t room)) {
  if (size > room) end_for_overflow();
  return copy_memory(to, from, size, RACELAB_PC);
}

RACELAB_INTERCEPT_CHECKED(void*, memmove, (void* to, const void* from, std::size_t size, std::size_t room)) {
  if (size > room) end_for_overflow();
  return move_memory(to, from, size, RACELAB_PC);
}

RACELAB_INTERCEPT_CHECKED(void*, memset, (void* to, int value, std::size_t size, std::size_t room)) {
  if (size > room) end_for_overflow();
  return set_memory(to, value, size, RACELAB_PC);
}

RACELAB_INTERCEPT_CHECKED(char*, strcpy, (char* to, const char* from, std::size_t room)) {
  if (racelab_strlen(from) >= room) end_for_overflow();
  return copy_whole_string(to, from, RACELAB_PC);
}

RACELAB_INTERCEPT_CHECKED(char*, strncpy, (char* to, const char* from, std::size_t size, std::size_t room)) {
  if (size > room) end_for_overflow();
  return copy_padded_string(to, from, size, RACELAB_PC);
}

RACELAB_INTERCEPT_CHECKED(char*, strcat, (char* to, const char* from, std::size_t room)) {
  if (racelab_strlen(to) + racelab_strlen(from) >= room) end_for_overflow();
  return append_string(to, from, RACELAB_PC);
}

}  // extern "C"

}  // namespace racelab::watch
