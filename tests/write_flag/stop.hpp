// Keys that stop a thread in the middle of a map's operation: in their hash or comparison, until told to go
// on.
#pragma once

#include <atomic>
#include <compare>
#include <cstddef>
#include <functional>
#include <thread>

/// One thread passes through and waits inside; another one sees it inside, and lets it go on.
class stop {
 public:
  void pass() {
    if (inside_.exchange(true)) return;  // the first time only: a map may hash a key twice
    wait_for(open_);
  }
  void wait_until_inside() const { wait_for(inside_); }
  void open() { open_ = true; }

 private:
  static void wait_for(const std::atomic<bool>& what) {
    while (!what) std::this_thread::yield();
  }
  std::atomic<bool> inside_{false};
  std::atomic<bool> open_{false};
};

struct stopping_key {
  int value = 0;
  stop* at = nullptr;

  void pass() const {
    if (at != nullptr) at->pass();
  }
  friend bool operator==(const stopping_key& a, const stopping_key& b) { return a.value == b.value; }
  friend std::strong_ordering operator<=>(const stopping_key& a, const stopping_key& b) {
    a.pass();
    b.pass();
    return a.value <=> b.value;
  }
};

template <> struct std::hash<stopping_key> {
  std::size_t operator()(const stopping_key& key) const {
    key.pass();
    return static_cast<std::size_t>(key.value);
  }
};
// boost::unordered's default hash.
inline std::size_t hash_value(const stopping_key& key) { return std::hash<stopping_key>{}(key); }
