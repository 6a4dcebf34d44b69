// Ten threads delete the same fifty keys of one map, and nothing orders them.
// race: erase() W vs erase() W
// maps: unordered_map checked_unordered_map hmap
// expect: tsan=report write_flag=fatal watchpoint=caught
// fixes: all
//
// The blog post's own program, as it stands there: no start gate, 100 keys, each thread deletes the first 50.
#include <string>
#include <thread>
#include <vector>

#include RACELAB_MAP_HEADER
#include "repro/support/verifier.hpp"

namespace {
std::string key(int i) { return "key-" + std::to_string(i); }
}  // namespace

int main() {
  racelab::lab_map<std::string, int> m;
  for (int i = 0; i < 100; ++i) m.insert_or_assign(key(i), i);

  std::vector<std::thread> workers;
  for (int i = 0; i < 10; ++i)
    workers.emplace_back([&m] {
      for (int j = 0; j < 50; ++j) m.erase(key(j % 100));
    });
  for (auto& worker : workers) worker.join();

  racelab::verifier check;
  for (int i = 0; i < 50; ++i) check.lacks(m, key(i));
  for (int i = 50; i < 100; ++i) check.holds(m, key(i), i);
  check.consistent(m);
  return check.exit_code();
}
