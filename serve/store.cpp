// The one source that instantiates the maps: no HTTP here, so that each heavy thing is compiled once.
#include "serve/store.hpp"

#include <algorithm>
#include <chrono>

#include "bench/contenders.hpp"
#include "bench/support/for_each_contender.hpp"

namespace racelab::serve {
namespace {

template <class Map> class store_of final : public store {
 public:
  [[nodiscard]] std::optional<std::string> get(const std::string& key) const override {
    return map_.find(key);
  }

  // Two steps, for the contract's insert_or_assign() does not say which of both it did.
  put_result put(const std::string& key, const std::string& value) override {
    if (map_.insert(key, value)) return put_result::created;
    map_.insert_or_assign(key, value);
    return put_result::replaced;
  }

  bool erase(const std::string& key) override { return map_.erase(key).has_value(); }

  [[nodiscard]] map_metrics metrics() const override {
    map_metrics result;
    if constexpr (requires { map_.statistics(); }) add_shards(result);
    if constexpr (requires { map_.retries(); }) result.retries = map_.retries();
    if constexpr (requires { map_.counts().pending; }) {
      const auto counts = map_.counts();
      result.tombstones = {
          .pending = counts.pending, .safe = counts.safe, .purged = counts.purged_total, .lag = map_.lag()};
    }
    return result;
  }

 private:
  void add_shards(map_metrics& into) const {
    lock_waits waits;
    std::uint64_t splits = 0;
    for (const auto& each : map_.statistics()) {
      waits.count += each.waits;
      waits.seconds += std::chrono::duration<double>(each.total_wait).count();
      if (each.splits != 0) ++splits;  // a leaf has none, and each other shard was split once
      into.shards.push_back(
          {.path = each.path, .bits = each.bits, .operations = each.operations, .waits = each.waits});
    }
    into.waits = waits;
    into.splits = splits;
  }

  Map map_;
};

template <class Map>
constexpr bool can_be_served = !bench::for_one_thread<Map>() && requires(Map map, std::string text) {
  map.find(text);
  map.insert(text, text);
  map.insert_or_assign(text, text);
  map.erase(text);
};

template <class Visit> void for_each_map(Visit visit) {
  bench::for_each_contender<bench::contenders>([&]<class Contender>() {
    using map = Contender::template map<std::string, std::string>;
    if constexpr (can_be_served<map>) visit.template operator()<map>(Contender::name);
  });
}

}  // namespace

std::vector<std::string> map_names() {
  std::vector<std::string> names;
  for_each_map([&]<class Map>(const char* name) { names.emplace_back(name); });
  std::ranges::sort(names);
  return names;
}

std::unique_ptr<store> make_store(std::string_view map) {
  std::unique_ptr<store> made;
  for_each_map([&]<class Map>(const char* name) {
    if (map == name) made = std::make_unique<store_of<Map>>();
  });
  return made;
}

}  // namespace racelab::serve
