// Two threads make the object that there should be one of, for neither sees the other's.
// race: logger() R vs logger() W
// maps: none
// truth: race, corrupt: two objects where the program counts on one
// expect: tsan=report gcc_tsan=report watchpoint=sometimes judge=confirmed
// shown: yes
#include <cstdio>
#include <memory>

#include "repro/support/gate.hpp"

namespace {
struct sink {
  int lines = 0;
};
std::shared_ptr<sink>* only = nullptr;

std::shared_ptr<sink>* logger() {
  if (only == nullptr) only = new std::shared_ptr<sink>(std::make_shared<sink>());
  return only;
}
}  // namespace

int main() {
  const std::shared_ptr<sink>* first = nullptr;
  const std::shared_ptr<sink>* second = nullptr;
  racelab::run_together([&] { first = logger(); }, [&] { second = logger(); });
  if (first == second) return 0;
  std::puts("corrupt: there are two of what there should be one of");
  return 1;
}
