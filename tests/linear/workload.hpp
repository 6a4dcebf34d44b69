// Threads that do random things to one map, and record them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "repro/support/gate.hpp"
#include "tests/linear/history.hpp"
#include "tests/linear/tested_map.hpp"

namespace racelab::linear {

struct plan {
  int threads = 4;
  int keys = 4;
  int calls = 25;  // of each thread
  std::uint64_t seed = 0;
};

namespace detail {

class worker {
 public:
  worker(tested_map& map, history_clock& clock, const plan& planned, int thread)
      : map_(map),
        clock_(clock),
        keys_(planned.keys),
        thread_(thread),
        random_(planned.seed * 1'000'003 + static_cast<std::uint64_t>(thread)) {
    for (const kind each : map.operations())
      weights_[static_cast<std::size_t>(each)] = usual_weights[static_cast<std::size_t>(each)];
  }

  void call(thread_log& into) {
    std::discrete_distribution<int> some_kind(weights_.begin(), weights_.end());
    operation now;
    now.what = static_cast<kind>(some_kind(random_));
    now.thread = thread_;
    now.key = below(keys_);
    now.argument = now.what == kind::erase_if_equal ? last_seen_[now.key] : some_value();
    if (now.what == kind::for_each) {
      now.invoked = clock_.tick();
      auto visited = map_.visited();
      now.returned = clock_.tick();
      into.walks.push_back({now, std::move(visited)});
      return;
    }
    now.invoked = clock_.tick();
    map_.perform(now);
    now.returned = clock_.tick();
    if (now.what == kind::insert || now.what == kind::insert_or_assign) last_seen_[now.key] = now.argument;
    if (now.found) last_seen_[now.key] = *now.found;
    into.operations.push_back(now);
  }

 private:
  // By kind: more writes than a server has, and few enough of clear() that keys live for a while.
  static constexpr std::array<double, kinds> usual_weights{30, 15, 20, 15, 10, 6, 2};

  int below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(random_); }

  // Mostly one that was never stored before, so that who finds it tells whose it is; sometimes one that comes again and
  // again, for compare-and-erase to mistake.
  value some_value() {
    if (below(4) == 0) return static_cast<value>(below(2));
    return static_cast<value>(thread_ + 1) * 1000 + ++stored_;
  }

  tested_map& map_;
  history_clock& clock_;
  int keys_;
  int thread_;
  std::mt19937_64 random_;
  std::array<double, kinds> weights_{};
  std::map<int, value> last_seen_;  // by key: what compare-and-erase has a chance with
  value stored_ = 0;
};

}  // namespace detail

/// Lets `planned.threads` threads loose on `map`, which is empty.
[[nodiscard]] inline history record(tested_map& map, const plan& planned) {
  history all(static_cast<std::size_t>(planned.threads));
  history_clock clock;
  run_together(planned.threads, [&](int thread) {
    detail::worker one(map, clock, planned, thread);
    thread_log log;  // on its own until the end: neighbours in `all` would share cache lines
    for (int i = 0; i < planned.calls; ++i) one.call(log);
    all[static_cast<std::size_t>(thread)] = std::move(log);
  });
  return all;
}

}  // namespace racelab::linear
