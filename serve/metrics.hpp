// Metrics: what the workers count, and all of it as Prometheus' text.
//
// Each worker thread has counters of its own, on cache lines of its own, so that counting costs a load and a store, and
// a scrape only adds up a handful of numbers while the workers go on.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "serve/lock_waits.hpp"
#include "serve/store.hpp"

namespace racelab::serve {

/// What came of an operation on the map.
enum class outcome : std::size_t {
  get_hit,
  get_miss,
  put_created,
  put_replaced,
  delete_removed,
  delete_absent
};
inline constexpr std::size_t outcomes = 6;

/// The statuses that the server answers with.
inline constexpr std::array<unsigned, 9> statuses{200, 201, 204, 400, 404, 405, 413, 431, 500};

struct alignas(64) worker_counters {
  std::array<std::atomic<std::uint64_t>, outcomes> operations{};
  std::array<std::atomic<std::uint64_t>, statuses.size()> responses{};
  std::atomic<std::uint64_t> opened{0};  // connections
  std::atomic<std::uint64_t> closed{0};
  lock_use locks;

  void count(outcome what) noexcept { add(operations[static_cast<std::size_t>(what)]); }
  void count_response(unsigned status) noexcept;
};

class counters {
 public:
  explicit counters(std::size_t workers) : workers_(workers) {}

  [[nodiscard]] worker_counters& of(std::size_t worker) { return workers_.at(worker); }
  [[nodiscard]] const std::vector<worker_counters>& workers() const noexcept { return workers_; }

  /// Operations on the map, of all workers.
  [[nodiscard]] std::uint64_t operations() const noexcept;

  std::atomic<std::uint64_t> collapses{0};  // that were seen

 private:
  std::vector<worker_counters> workers_;
};

/// The text exposition format, version 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats. A metric that has
/// no meaning for the map is left out.
[[nodiscard]] std::string prometheus_text(const std::string& map, const counters& counted,
                                          const map_metrics& of_map);
inline constexpr const char* prometheus_content_type = "text/plain; version=0.0.4; charset=utf-8";

/// Processor time of this process so far, in seconds.
[[nodiscard]] double cpu_seconds();

}  // namespace racelab::serve
