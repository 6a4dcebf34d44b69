// Store: a map from strings to strings behind get, put and erase, whichever map it is, and what it tells of itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace racelab::serve {

struct lock_waits {
  std::uint64_t count = 0;
  double seconds = 0;
};

/// One shard of a map that counts what each of its shards does.
struct shard_load {
  std::uint64_t path = 0;  // the low `bits` of the mixed hash of its keys
  unsigned bits = 0;
  std::uint64_t operations = 0;
  std::uint64_t waits = 0;
};

struct tombstone_states {
  std::uint64_t pending = 0;  // a replica may still have to see it
  std::uint64_t safe = 0;     // all have, and it waits for the collector
  std::uint64_t purged = 0;   // so many have been removed
  std::uint64_t lag = 0;      // versions that the slowest replica is behind
};

/// What a map knows of itself. What has no meaning for it is empty.
struct map_metrics {
  std::optional<lock_waits> waits;
  std::optional<std::uint64_t> splits;  // of hot shards
  std::vector<shard_load> shards;       // split ones included, as they were then
  std::optional<std::uint64_t> retries;
  std::optional<tombstone_states> tombstones;
};

enum class put_result { created, replaced };

/// Thread safety: any thread may call any operation at any time.
class store {
 public:
  store() = default;
  store(const store&) = delete;
  store& operator=(const store&) = delete;
  virtual ~store() = default;

  [[nodiscard]] virtual std::optional<std::string> get(const std::string& key) const = 0;
  /// `replaced` also where an eraser comes between the look and the act: the value is stored in either case.
  virtual put_result put(const std::string& key, const std::string& value) = 0;
  /// True if the key was there.
  virtual bool erase(const std::string& key) = 0;

  [[nodiscard]] virtual map_metrics metrics() const = 0;
};

/// The maps that a store can be made over: the remedies and the benchmarks' other contenders, but for those that no second
/// thread may touch. Sorted.
[[nodiscard]] std::vector<std::string> map_names();

/// An empty store over the map of this name; null if there is none.
[[nodiscard]] std::unique_ptr<store> make_store(std::string_view map);

}  // namespace racelab::serve
