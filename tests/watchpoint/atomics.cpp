#include "tests/watchpoint/atomics.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>

// 128-bit integers are an extension. libstdc++'s std::atomic leaves it open whether their operations are a call of
// libatomic; the builtins under -mcx16 are not.
#pragma GCC diagnostic ignored "-Wpedantic"

namespace instrumented {
namespace {

using u128 = unsigned __int128;

template <class T> struct operation {
  const char* name;
  T (*atomically)(T* at, T with);  // returns the old value
  T (*plainly)(T old, T with);     // returns the new value
};

template <class T, int Order> constexpr std::array<operation<T>, 8> operations() {
  return {{
      {"exchange", [](T* at, T with) { return __atomic_exchange_n(at, with, Order); },
       [](T, T with) { return with; }},
      {"fetch_add", [](T* at, T with) { return __atomic_fetch_add(at, with, Order); },
       [](T old, T with) { return static_cast<T>(old + with); }},
      {"fetch_sub", [](T* at, T with) { return __atomic_fetch_sub(at, with, Order); },
       [](T old, T with) { return static_cast<T>(old - with); }},
      {"fetch_and", [](T* at, T with) { return __atomic_fetch_and(at, with, Order); },
       [](T old, T with) { return static_cast<T>(old & with); }},
      {"fetch_or", [](T* at, T with) { return __atomic_fetch_or(at, with, Order); },
       [](T old, T with) { return static_cast<T>(old | with); }},
      {"fetch_xor", [](T* at, T with) { return __atomic_fetch_xor(at, with, Order); },
       [](T old, T with) { return static_cast<T>(old ^ with); }},
      {"fetch_nand", [](T* at, T with) { return __atomic_fetch_nand(at, with, Order); },
       [](T old, T with) { return static_cast<T>(~(old & with)); }},
      {"store",
       [](T* at, T with) {
         const T old = __atomic_load_n(at, __ATOMIC_RELAXED);
         __atomic_store_n(at, with, Order == __ATOMIC_ACQ_REL ? __ATOMIC_RELEASE : Order);
         return old;
       },
       [](T, T with) { return with; }},
  }};
}

template <class T> constexpr std::array<T, 10> values() {
  constexpr T all = static_cast<T>(~T{0});
  constexpr T high = static_cast<T>(T{1} << (8 * sizeof(T) - 1));
  return {T{0},
          T{1},
          T{2},
          all,
          high,
          static_cast<T>(high - 1),
          static_cast<T>(all - 1),
          static_cast<T>(all / 3),
          static_cast<T>(all / 5 * 2),
          static_cast<T>(high + 77)};
}

template <class T> struct padded {
  T before;
  alignas(sizeof(T)) T value;
  T after;
};

template <class T, int Order> std::string check_order(const std::string& where) {
  constexpr T guard = static_cast<T>(~T{0} / 7);
  for (const T old : values<T>()) {
    for (const T with : values<T>()) {
      for (const operation<T>& each : operations<T, Order>()) {
        padded<T> memory{guard, old, guard};
        if (each.atomically(&memory.value, with) != old) return where + each.name + ": old value";
        if (memory.value != each.plainly(old, with)) return where + each.name + ": new value";
        if (__atomic_load_n(&memory.value, __ATOMIC_SEQ_CST) != memory.value) return where + "load";
        if (memory.before != guard || memory.after != guard) return where + each.name + ": neighbours";
      }
      for (const bool weak : {false, true}) {
        // `with` is stored if the guess was right.
        for (const T guess : values<T>()) {
          padded<T> memory{guard, old, guard};
          T expected = guess;
          const bool done = weak ? __atomic_compare_exchange_n(&memory.value, &expected, with, true, Order,
                                                               __ATOMIC_RELAXED)
                                 : __atomic_compare_exchange_n(&memory.value, &expected, with, false, Order,
                                                               __ATOMIC_RELAXED);
          if (done != (guess == old)) return where + "compare_exchange: result";
          if (expected != old) return where + "compare_exchange: what was expected";
          if (memory.value != (done ? with : old)) return where + "compare_exchange: new value";
          if (memory.before != guard || memory.after != guard) return where + "compare_exchange: neighbours";
        }
      }
    }
  }
  return {};
}

template <class T> std::string check() {
  const std::string bits = std::to_string(8 * sizeof(T)) + " bits, ";
  if (std::string wrong = check_order<T, __ATOMIC_RELAXED>(bits + "relaxed, "); !wrong.empty()) return wrong;
  if (std::string wrong = check_order<T, __ATOMIC_ACQ_REL>(bits + "acq_rel, "); !wrong.empty()) return wrong;
  return check_order<T, __ATOMIC_SEQ_CST>(bits + "seq_cst, ");
}

}  // namespace

std::string check_atomics(unsigned bits) {
  switch (bits) {
    case 8:
      return check<std::uint8_t>();
    case 16:
      return check<std::uint16_t>();
    case 32:
      return check<std::uint32_t>();
    case 64:
      return check<std::uint64_t>();
    default:
      return check<u128>();
  }
}

std::string check_other_atomics() {
  std::atomic<bool> flag{false};
  if (flag.exchange(true) || !flag.load()) return "bool";
  std::atomic_flag plain_flag;
  if (plain_flag.test_and_set() || !plain_flag.test_and_set()) return "atomic_flag";
  plain_flag.clear();
  if (plain_flag.test()) return "atomic_flag: clear";

  std::array<int, 4> array{1, 2, 3, 4};
  std::atomic<int*> pointer{array.data()};
  if (*(pointer.fetch_add(2)) != 1 || *pointer.load() != 3) return "pointer";
  const int* const before = --pointer;
  if (*before != 2 || pointer.load() != before) return "pointer";

  std::atomic<float> real{1.5F};
  if (real.fetch_add(2.25F) != 1.5F || real.load() != 3.75F) return "float";

  enum class colour : std::uint16_t { red = 7, blue = 900 };
  std::atomic<colour> paint{colour::red};
  colour expected = colour::blue;
  if (paint.compare_exchange_strong(expected, colour::blue) || expected != colour::red) return "enumeration";

  std::atomic<std::int64_t> number{-3};
  if (number.fetch_sub(4) != -3 || number.load() != -7) return "negative numbers";

  std::atomic_thread_fence(std::memory_order_seq_cst);
  std::atomic_thread_fence(std::memory_order_acquire);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return {};
}

}  // namespace instrumented
