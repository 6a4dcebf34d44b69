// Two threads write one checked map, and a third one has nothing to do with it: the first thread stops in the
// middle of its insertion until the second one has been in the map.
#include <cstdio>
#include <thread>
#include <unordered_map>

#include "sanitizers/write_flag/checked.hpp"
#include "tests/write_flag/stop.hpp"

using scores = racelab::checked<std::unordered_map<stopping_key, int>>;

[[gnu::noinline]] static void add_a_score(scores& map, stop& at) { map.try_emplace(stopping_key{1, &at}, 1); }
[[gnu::noinline]] static void drop_a_score(scores& map) { map.erase(stopping_key{2}); }
[[gnu::noinline]] static void wait_elsewhere(stop& at) { at.pass(); }

int main() {
  scores map;
  stop inside;
  stop elsewhere;
  std::thread bystander([&] { wait_elsewhere(elsewhere); });
  elsewhere.wait_until_inside();
  std::thread writer([&] { add_a_score(map, inside); });
  inside.wait_until_inside();
  drop_a_score(map);
  inside.open();
  writer.join();
  elsewhere.open();
  bystander.join();
  std::printf("found %llu times\n", static_cast<unsigned long long>(racelab::write_flag::times_found()));
}
