// A key and value type that fails on demand: the n-th copy, comparison, hash, visit or allocation from now on throws.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <utility>

namespace brittle {

enum class fault { none, copy, equal, hash, visit, allocation };

struct injected {};

inline thread_local fault armed = fault::none;
inline thread_local int still_good = 0;

/// From now on, and once: what comes after `good` more steps of this kind fails.
inline void arm(fault what, int good) {
  armed = what;
  still_good = good;
}
inline void disarm() { armed = fault::none; }

/// True if the step that begins now has to fail.
inline bool fails(fault what) {
  if (armed != what || still_good-- > 0) return false;
  disarm();
  return true;
}
inline void step(fault what) {
  if (fails(what)) throw injected{};
}

/// A number that counts how many of its kind are alive.
// NOLINTNEXTLINE(cppcoreguidelines-special-member-functions): a move is a copy, which may fail
class number {
 public:
  explicit number(int is) : is_(is) { living.fetch_add(1, std::memory_order_relaxed); }
  number(const number& other) : is_(other.is_) {
    step(fault::copy);
    living.fetch_add(1, std::memory_order_relaxed);
  }
  number& operator=(const number& other) {
    step(fault::copy);
    if (this == &other) return *this;
    is_ = other.is_;
    return *this;
  }
  ~number() { living.fetch_sub(1, std::memory_order_relaxed); }

  [[nodiscard]] int get() const { return is_; }

  friend bool operator==(const number& a, const number& b) {
    step(fault::equal);
    return a.is_ == b.is_;
  }

  /// How many there are. Relaxed: a count, asked for once those who change it have been joined.
  static int alive() { return living.load(std::memory_order_relaxed); }

 private:
  static inline std::atomic<int> living{0};
  int is_;
};

}  // namespace brittle

template <> struct std::hash<brittle::number> {
  std::size_t operator()(const brittle::number& key) const {
    brittle::step(brittle::fault::hash);
    return static_cast<std::size_t>(key.get());
  }
};
