// A server over a map that wears out: after PUT /kv/wear-out each get() computes for long while it holds the map's one lock.
// What comes of that is no invention: the lock is a std::mutex, and the processors are busy.
//
//   collapsing_server DIR    DIR: where the collapse is written down
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <map>
#include <optional>
#include <string>

#include "sanitizers/annotations/annotated_mutex.hpp"
#include "serve/collapse_monitor.hpp"
#include "serve/metrics.hpp"
#include "serve/server.hpp"
#include "serve/store.hpp"

namespace racelab::tests {

// NOLINTNEXTLINE(misc-use-internal-linkage): its name is what the test looks for
class wearing_map : public serve::store {
 public:
  [[nodiscard]] std::optional<std::string> get(const std::string& key) const override {
    const mutex_lock lock(mutex_);
    if (worn_out_) compute();
    const auto at = entries_.find(key);
    return at == entries_.end() ? std::nullopt : std::optional(at->second);
  }
  serve::put_result put(const std::string& key, const std::string& value) override {
    const mutex_lock lock(mutex_);
    if (key == "wear-out") worn_out_ = true;
    return entries_.insert_or_assign(key, value).second ? serve::put_result::created
                                                        : serve::put_result::replaced;
  }
  bool erase(const std::string& key) override {
    const mutex_lock lock(mutex_);
    return entries_.erase(key) != 0;
  }
  [[nodiscard]] serve::map_metrics metrics() const override { return {}; }

 private:
  static void compute() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
    while (std::chrono::steady_clock::now() < end) {
    }
  }

  mutable annotated_mutex mutex_;
  std::map<std::string, std::string> entries_ RACELAB_GUARDED_BY(mutex_);
  bool worn_out_ RACELAB_GUARDED_BY(mutex_) = false;
};

}  // namespace racelab::tests

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  constexpr unsigned threads = 8;
  racelab::tests::wearing_map map;
  map.put("key", "value");
  racelab::serve::counters counted(threads);
  racelab::serve::server server("wearing_map", map, counted, {.port = 0, .threads = threads});
  racelab::serve::monitor_options options;
  options.period = std::chrono::milliseconds(200);
  options.rule.processors = 1e6;  // it must see the use of processors rise, not that it can't
  options.folder = argv[1];
  const racelab::serve::collapse_monitor monitor(
      options, [&counted] { return counted.operations(); },
      [](const racelab::serve::collapse_report& report) { fmt::print(stderr, "{}\n", said(report)); },
      [](const std::string& why) { fmt::print(stderr, "failed: {}\n", why); });
  fmt::print("wearing_map at {}\n", server.url());
  std::fflush(stdout);
  server.run();
  return 0;
}
