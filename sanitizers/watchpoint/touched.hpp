// Which threads have touched which bytes at observed sites, as far as a table of fixed size remembers.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

#include "sanitizers/watchpoint/random.hpp"
#include "sanitizers/watchpoint/watchpoint.hpp"

namespace racelab::watch {

/// Remembers two threads for each word of 8 bytes, the first and the latest other one; of an access of more than 64
/// words the first 64. What is forgotten, or mixed up by two threads at once, costs or adds a stall: nothing is proved by
/// it. All atomics are relaxed: they order nothing.
class touched_bytes {
 public:
  /// True if another thread than `thread` has touched bytes of `what`, and one of the two writes.
  [[nodiscard]] bool by_another(const access& what, std::uint32_t thread) const noexcept {
    bool found = false;
    for_each_word(what, [&](std::uintptr_t word, std::uint8_t bytes) {
      const place& here = places_[index_of(word)];
      if (here.word.load(std::memory_order_relaxed) != word) return;
      for (const auto& each : here.threads) {
        const touch seen = unpack(each.load(std::memory_order_relaxed));
        if (seen.thread == 0 || seen.thread == thread) continue;
        if (((what.write ? seen.touched : seen.written) & bytes) != 0) found = true;
      }
    });
    return found;
  }

  void add(const access& what, std::uint32_t thread) noexcept {
    for_each_word(what, [&](std::uintptr_t word, std::uint8_t bytes) {
      place& here = places_[index_of(word)];
      if (here.word.load(std::memory_order_relaxed) != word) {
        for (auto& each : here.threads) each.store(0, std::memory_order_relaxed);
        here.word.store(word, std::memory_order_relaxed);
      }
      const touch first = unpack(here.threads[0].load(std::memory_order_relaxed));
      auto& own = here.threads[first.thread == 0 || first.thread == thread ? 0 : 1];
      touch seen = unpack(own.load(std::memory_order_relaxed));
      if (seen.thread != thread) seen = {.thread = thread};
      seen.touched |= bytes;
      if (what.write) seen.written |= bytes;
      own.store(pack(seen), std::memory_order_relaxed);
    });
  }

 private:
  struct touch {
    std::uint32_t thread = 0;
    std::uint8_t touched = 0;  // one bit for each byte of the word
    std::uint8_t written = 0;
  };
  static std::uint64_t pack(touch from) noexcept {
    return std::uint64_t{from.thread} << 32U | std::uint64_t{from.written} << 8U | from.touched;
  }
  static touch unpack(std::uint64_t from) noexcept {
    return {.thread = static_cast<std::uint32_t>(from >> 32U),
            .touched = static_cast<std::uint8_t>(from),
            .written = static_cast<std::uint8_t>(from >> 8U)};
  }

  struct place {
    std::atomic<std::uintptr_t> word{0};
    std::array<std::atomic<std::uint64_t>, 2> threads{};
  };

  template <class Visit> static void for_each_word(const access& what, Visit visit) noexcept {
    const std::uintptr_t first = what.address / 8;
    const std::uintptr_t last = (what.address + what.size - 1) / 8;
    for (std::uintptr_t word = first; word <= last && word - first < 64; ++word) {
      const std::uintptr_t from = std::max(what.address, word * 8) - word * 8;
      const std::uintptr_t to = std::min(what.address + what.size, word * 8 + 8) - word * 8;
      visit(word, static_cast<std::uint8_t>((1U << to) - (1U << from)));
    }
  }

  std::size_t index_of(std::uintptr_t word) const noexcept { return mix(word) % places_.size(); }

  std::array<place, 65536> places_{};
};

}  // namespace racelab::watch
