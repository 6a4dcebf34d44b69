// The blog post's experiment on a map that an assembly spin lock orders: reported, and false.
// maps: none
// truth: no race: the walk and each deletion hold the lock
// cause: asm-lock
// expect: tsan=report gcc_tsan=report watchpoint=none judge=likely-false
#include <cstdio>
#include <mutex>
#include <string>
#include <unordered_map>

#include "repro/support/asm_lock.hpp"
#include "repro/support/gate.hpp"

namespace {
racelab::asm_lock lock;
std::unordered_map<int, std::string> users;
bool torn = false;

void walk() {
  const std::scoped_lock hold(lock);
  for (const auto& [id, name] : users) torn |= name != std::to_string(id);
}

void erase_half() {
  for (int id = 0; id < 50; ++id) {
    const std::scoped_lock hold(lock);
    users.erase(id);
  }
}
}  // namespace

int main() {
  for (int id = 0; id < 100; ++id) users.emplace(id, std::to_string(id));
  racelab::run_together(
      [] {
        for (int round = 0; round < 10; ++round) walk();
      },
      erase_half);
  if (!torn && users.size() == 50) return 0;
  std::puts("corrupt: the walk met an entry that is not one");
  return 1;
}
