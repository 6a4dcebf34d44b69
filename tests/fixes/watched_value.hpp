// A value that is counted, and that a test can make slow or throw when it is copied.
#pragma once

#include <atomic>
#include <functional>
#include <utility>

namespace racelab {

class watched_value {
 public:
  explicit watched_value(int number) : number_(number) { count(1); }
  watched_value(const watched_value& other) : number_(other.number_) {
    if (on_copy) on_copy(number_);
    count(1);
  }
  watched_value(watched_value&& other) noexcept : number_(other.number_) { count(1); }
  watched_value& operator=(const watched_value& other) { return *this = watched_value(other); }
  watched_value& operator=(watched_value&& other) noexcept {
    number_ = other.number_;
    return *this;
  }
  ~watched_value() { count(-1); }

  bool operator==(const watched_value&) const = default;
  [[nodiscard]] int number() const { return number_; }

  /// How many there are.
  static int alive() { return living.load(std::memory_order_relaxed); }

  /// Called with the number of what is about to be copied, on the copying thread. Set while no other thread
  /// copies.
  static inline std::function<void(int)> on_copy;

 private:
  // Relaxed: a count, read when the threads are done.
  static void count(int change) { living.fetch_add(change, std::memory_order_relaxed); }
  static inline std::atomic<int> living{0};

  int number_;
};

/// Sets watched_value::on_copy for as long as it lives.
class copy_hook {
 public:
  explicit copy_hook(std::function<void(int)> hook) { watched_value::on_copy = std::move(hook); }
  copy_hook(const copy_hook&) = delete;
  copy_hook& operator=(const copy_hook&) = delete;
  ~copy_hook() { watched_value::on_copy = nullptr; }
};

}  // namespace racelab
