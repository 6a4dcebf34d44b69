// Two threads write one hmap: the first one stops while it compares keys, the second one erases.
#include <thread>

#include "repro/support/hmap/hmap.hpp"
#include "sanitizers/write_flag/report.hpp"
#include "tests/write_flag/stop.hpp"

struct stopping_equal {
  bool operator()(const stopping_key& a, const stopping_key& b) const {
    a.pass();
    return a == b;
  }
};
struct value_hash {
  std::uint64_t operator()(const stopping_key& key, std::uint32_t seed) const {
    return racelab::go_hash<int>{}(key.value, seed);
  }
};
using scores = racelab::hmap<stopping_key, int, racelab::write_flag::on, value_hash, stopping_equal>;

[[gnu::noinline]] static void change_a_score(scores& map, stop& at) { map.insert_or_assign({1, &at}, 2); }
[[gnu::noinline]] static void drop_a_score(scores& map) { map.erase({2}); }

int main() {
  scores map;
  map.insert({1}, 1);
  stop inside;
  std::thread writer([&] { change_a_score(map, inside); });
  inside.wait_until_inside();
  drop_a_score(map);
  inside.open();
  writer.join();
}
