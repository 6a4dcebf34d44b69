// A plan: where to stall, as RACELAB_WATCH_PLAN says it. docs/watchpoint.md has the grammar.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "sanitizers/watchpoint/modules.hpp"

namespace racelab::watch {

/// One line of a plan. The conditions are all to hold for it to apply.
struct rule {
  std::uint32_t site = 0;              // which of the plan's sites
  bool stalls = false;                 // or only observes
  std::uint32_t microseconds = 0;      // us
  std::uint32_t thread = 0;            // only this thread; 0: any
  std::optional<std::uint32_t> visit;  // only this visit of the site by the thread
  std::uint32_t chance = 100;          // percent
  std::uint32_t limit = UINT32_MAX;    // so many times in the process
  bool shared = false;                 // only where another thread has touched the bytes before
  bool until_hit = false;              // ends when another thread comes to the bytes …
  std::uint32_t linger = 0;            // … and so many microseconds have passed after that
  bool atomics = false;                // before atomic operations, too: a delay, in which nobody is caught
  bool writers = false;                // the processor's breakpoints tell who writes there meanwhile
  bool others = false;                 // if it ends by time, the other threads' stacks are logged
};

/// `enter`: threads are delayed where they enter a function, so that others come first now and then. It orders nothing, and no
/// watchpoint is set.
struct entry_delay {
  std::uint32_t microseconds = 0;  // us: the longest; 0: none
  std::uint32_t chance = 25;       // percent
  std::uint32_t limit = 64;        // of so many entries of each thread, while there are several
};

/// A visit of one of the plan's sites.
struct site_visit {
  std::size_t site = 0;
  std::uint32_t thread = 0;
  std::uint32_t number = 0;  // by this thread, counted from 0
  bool atomic = false;
  bool shared = false;
  bool met = false;  // this very access has come to the bytes of a stalled thread
};

/// Thread safety: parse() before there are threads; resolve() by one thread at a time, together with everything else.
/// The atomics are relaxed: who does not see yet that a module has been loaded is not in it yet.
class plan {
 public:
  static constexpr std::size_t most_rules = 256;
  static constexpr std::size_t most_sites = 64;

  struct error {
    std::size_t line = 0;   // counted from 1
    std::string_view text;  // what is wrong …
    const char* why = "";   // … and why
  };

  /// Reads the rules, which go on referring to `text`. Nothing if they are right.
  [[nodiscard]] std::optional<error> parse(std::string_view text) noexcept;

  /// Finds the sites of this module in memory.
  void resolve(const module& loaded) noexcept;

  [[nodiscard]] bool empty() const noexcept { return rule_count_ == 0; }
  [[nodiscard]] std::span<const rule> rules() const noexcept { return {rules_.data(), rule_count_}; }
  [[nodiscard]] const entry_delay& entries() const noexcept { return entries_; }
  [[nodiscard]] bool asks_for_shared() const noexcept { return asks_for_shared_; }

  /// The number of the site with this pc.
  [[nodiscard]] std::optional<std::size_t> site_at(std::uintptr_t pc) const noexcept {
    for (std::size_t at = index_of(pc);; at = (at + 1) % index_.size()) {
      const std::uintptr_t found = index_[at].pc.load(std::memory_order_relaxed);
      if (found == pc) return index_[at].site.load(std::memory_order_relaxed);
      if (found == 0) return {};
    }
  }

  /// Calls visit(pc) for each site that has been found in memory.
  template <class Visit> void for_each_pc(Visit visit) const noexcept {
    for (const auto& each : index_)
      if (const std::uintptr_t pc = each.pc.load(std::memory_order_relaxed); pc != 0) visit(pc);
  }

  /// The first rule that says to stall at this visit; its number, which is the line's among the rules. Counts it.
  [[nodiscard]] std::optional<std::size_t> choose(const site_visit& visit, std::uint64_t& random) noexcept;

 private:
  struct place {
    std::string_view module;  // as in the log's `modules` records, or "-"
    std::uintptr_t offset = 0;
  };
  struct indexed {
    std::atomic<std::uintptr_t> pc{0};
    std::atomic<std::size_t> site{0};
  };

  std::optional<error> parse_line(std::string_view line) noexcept;
  std::optional<error> parse_entries(std::string_view line, std::string_view options) noexcept;
  std::optional<std::uint32_t> site_of(std::string_view module, std::uintptr_t offset) noexcept;
  std::size_t index_of(std::uintptr_t pc) const noexcept {
    return (pc * 0x9e3779b97f4a7c15U >> 32U) % index_.size();
  }

  std::array<rule, most_rules> rules_{};
  std::array<std::atomic<std::uint32_t>, most_rules> applied_{};
  std::array<place, most_sites> sites_{};
  std::size_t rule_count_ = 0;
  std::size_t site_count_ = 0;
  bool asks_for_shared_ = false;
  entry_delay entries_;
  // By pc. A library that is closed and opened elsewhere leaves its old places; one that does so many times runs out.
  std::array<indexed, 256> index_{};
  std::size_t index_used_ = 0;
};

}  // namespace racelab::watch
