#include "serve/metrics.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace racelab::serve {
namespace {

/// One metric after the other, each with its two lines of comment.
class exposition {
 public:
  void head(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  template <class Value> void value(Value value, std::string_view labels = "") {
    fmt::format_to(std::back_inserter(text_), "{}{} {}\n", name_, labels, value);
  }
  template <class Value>
  void one(std::string_view name, std::string_view type, std::string_view help, Value of) {
    head(name, type, help);
    value(of);
  }
  [[nodiscard]] std::string text() && { return std::move(text_); }

 private:
  std::string name_;
  std::string text_;
};

template <class Member> std::uint64_t sum(const counters& counted, Member member) {
  std::uint64_t all = 0;
  for (const worker_counters& each : counted.workers()) all += member(each).load(std::memory_order_relaxed);
  return all;
}

void write_operations(exposition& to, const counters& counted) {
  static constexpr std::array<std::pair<const char*, const char*>, outcomes> labels{{{"get", "hit"},
                                                                                     {"get", "miss"},
                                                                                     {"put", "created"},
                                                                                     {"put", "replaced"},
                                                                                     {"delete", "removed"},
                                                                                     {"delete", "absent"}}};
  to.head("racelab_operations_total", "counter", "Operations on the map, and what came of them.");
  for (std::size_t i = 0; i < outcomes; ++i)
    to.value(sum(counted, [i](const auto& each) -> const auto& { return each.operations[i]; }),
             fmt::format("{{operation=\"{}\",result=\"{}\"}}", labels[i].first, labels[i].second));
}

void write_http(exposition& to, const counters& counted) {
  to.head("racelab_http_responses_total", "counter", "Answers by status.");
  for (std::size_t i = 0; i < statuses.size(); ++i)
    to.value(sum(counted, [i](const auto& each) -> const auto& { return each.responses[i]; }),
             fmt::format("{{code=\"{}\"}}", statuses[i]));
  const auto closed = sum(counted, [](const auto& each) -> const auto& { return each.closed; });
  const auto opened = sum(counted, [](const auto& each) -> const auto& { return each.opened; });
  to.one("racelab_connections_total", "counter", "Connections that were accepted.", opened);
  to.one("racelab_connections", "gauge", "Open connections.", opened - closed);
}

void write_lock_waits(exposition& to, const counters& counted, const map_metrics& of_map) {
  lock_waits waits;
  if (of_map.waits) {
    waits = *of_map.waits;  // the map counts them itself
  } else {
    // A map whose operations have never come to such a lock has none.
    if (sum(counted, [](const auto& each) -> const auto& { return each.locks.taken; }) == 0) return;
    waits.count = sum(counted, [](const auto& each) -> const auto& { return each.locks.waits; });
    const auto ns = sum(counted, [](const auto& each) -> const auto& { return each.locks.waited_ns; });
    waits.seconds = static_cast<double>(ns) / 1e9;
  }
  to.one("racelab_lock_waits_total", "counter",
         "Times that an operation did not get a lock of the map at once.", waits.count);
  to.one("racelab_lock_wait_seconds_total", "counter", "Time that operations waited for locks of the map.",
         waits.seconds);
}

void write_shards(exposition& to, const map_metrics& of_map) {
  if (!of_map.splits) return;
  to.one("racelab_hot_shard_splits_total", "counter", "Shards that turned out hot and were split in four.",
         *of_map.splits);
  to.one("racelab_shards", "gauge", "Shards that hold keys now.", of_map.shards.size() - *of_map.splits);
  const auto each = [&to, &of_map](auto member) {
    for (const shard_load& shard : of_map.shards)
      to.value(shard.*member, fmt::format("{{path=\"{}\",bits=\"{}\"}}", shard.path, shard.bits));
  };
  to.head("racelab_shard_operations_total", "counter",
          "Operations on a shard, up to its split; path is the low bits of its keys' mixed hash.");
  each(&shard_load::operations);
  to.head("racelab_shard_lock_waits_total", "counter", "Times that a shard's lock was not got at once.");
  each(&shard_load::waits);
}

void write_tombstones(exposition& to, const tombstone_states& states) {
  to.head("racelab_tombstones", "gauge",
          "Deleted keys that are kept: pending until every replica has seen it, safe until it is purged.");
  to.value(states.pending, "{state=\"pending\"}");
  to.value(states.safe, "{state=\"safe\"}");
  to.one("racelab_tombstones_purged_total", "counter", "Tombstones that the collector has removed.",
         states.purged);
  to.one("racelab_replica_lag", "gauge", "Versions that the slowest replica is behind.", states.lag);
}

}  // namespace

void worker_counters::count_response(unsigned status) noexcept {
  const auto* const at = std::ranges::find(statuses, status);
  if (at != statuses.end()) add(responses[static_cast<std::size_t>(at - statuses.begin())]);
}

std::uint64_t counters::operations() const noexcept {
  std::uint64_t all = 0;
  for (const worker_counters& worker : workers_)
    for (const auto& each : worker.operations) all += each.load(std::memory_order_relaxed);
  return all;
}

std::string prometheus_text(const std::string& map, const counters& counted, const map_metrics& of_map) {
  exposition to;
  to.head("racelab_map_info", "gauge", "Which map is served.");
  to.value(1, fmt::format("{{map=\"{}\"}}", map));
  write_operations(to, counted);
  write_http(to, counted);
  write_lock_waits(to, counted, of_map);
  write_shards(to, of_map);
  if (of_map.retries)
    to.one("racelab_retries_total", "counter", "Times that a writer was overtaken and made its table again.",
           *of_map.retries);
  if (of_map.tombstones) write_tombstones(to, *of_map.tombstones);
  to.one("racelab_collapses_total", "counter", "Times that throughput fell while CPU use rose.",
         counted.collapses.load(std::memory_order_relaxed));
  to.one("process_cpu_seconds_total", "counter", "Processor time of the server.", cpu_seconds());
  return std::move(to).text();
}

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

}  // namespace racelab::serve
