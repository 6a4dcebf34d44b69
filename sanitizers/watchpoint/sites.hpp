// The sites (a pc with an instrumented access) that have been looked at, and what was spent on each.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace racelab::watch {

struct site {
  std::atomic<std::uintptr_t> pc{0};
  std::atomic<std::uint32_t> visits{0};  // looks at it so far
  std::atomic<std::uint32_t> chances{
      0};  // coins tossed for a stall; at most the first visits and the earned ones
  std::atomic<std::uint32_t> earned{0};  // coins above the first visits', for stalls that caught somebody
  std::atomic<std::uint32_t> first_thread{0};  // as far as threads are told here
  std::atomic<std::uint8_t> threads{0};        // 1, or 2 for more

  void add_thread(std::uint32_t id) noexcept {
    std::uint32_t first = 0;
    if (first_thread.compare_exchange_strong(first, id, std::memory_order_relaxed)) first = id;
    if (first != id)
      threads.store(2, std::memory_order_relaxed);
    else if (threads.load(std::memory_order_relaxed) == 0)
      threads.store(1, std::memory_order_relaxed);
  }
};

/// A fixed table, append-only. All its atomics are relaxed: sites are statistics, they order nothing.
class site_table {
 public:
  /// The site of `pc`, made at its first call. Null when the table is full.
  site* find_or_insert(std::uintptr_t pc) noexcept {
    std::size_t at = (pc * 0x9e3779b97f4a7c15U) >> 48U;
    for (std::size_t probes = 0; probes < index_.size(); ++probes, at = (at + 1) % index_.size()) {
      std::uint32_t number = index_[at].load(std::memory_order_relaxed);
      if (number == 0) {
        const std::uint32_t fresh = used_.fetch_add(1, std::memory_order_relaxed);
        if (fresh >= sites_.size()) {
          used_.store(static_cast<std::uint32_t>(sites_.size()), std::memory_order_relaxed);
          return nullptr;
        }
        sites_[fresh].pc.store(pc, std::memory_order_relaxed);
        if (index_[at].compare_exchange_strong(number, fresh + 1, std::memory_order_relaxed))
          return &sites_[fresh];
        // Another thread has taken this place in the index. Perhaps for the same pc, so look at it.
        sites_[fresh].pc.store(0, std::memory_order_relaxed);
      }
      site& found = sites_[number - 1];
      if (found.pc.load(std::memory_order_relaxed) == pc) return &found;
    }
    return nullptr;
  }

  /// Counted from 0; below 32768.
  [[nodiscard]] std::size_t number_of(const site& one) const noexcept {
    return static_cast<std::size_t>(&one - sites_.data());
  }

  /// Only while no other thread is in an instrumented access.
  void clear() noexcept {
    for (auto& number : index_) number.store(0, std::memory_order_relaxed);
    for (auto& each : sites_) {
      each.pc.store(0, std::memory_order_relaxed);
      each.visits.store(0, std::memory_order_relaxed);
      each.chances.store(0, std::memory_order_relaxed);
      each.earned.store(0, std::memory_order_relaxed);
      each.first_thread.store(0, std::memory_order_relaxed);
      each.threads.store(0, std::memory_order_relaxed);
    }
    used_.store(0, std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint32_t>, 65536> index_{};  // 1 + position in sites_; 0: free
  std::array<site, 32768> sites_{};
  std::atomic<std::uint32_t> used_{0};
};

}  // namespace racelab::watch
