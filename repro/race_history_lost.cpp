// A write lies so far back that ThreadSanitizer has forgotten its stack when the other access comes, and says nothing.
// race: begin() W vs look_back() R
// maps: none
// truth: race, no visible harm on x86-64: who looks back takes what it finds
// cause: history-lost
// expect: tsan=sometimes gcc_tsan=report watchpoint=sometimes judge=confirmed
// shown: yes
#include <array>
#include <cstddef>
#include <cstdio>
#include <thread>

namespace {
int mark = 0;
std::array<std::array<int, 200'000>, 2> cells{};

[[gnu::noinline]] void fill(std::size_t own) {
  for (int& each : cells.at(own)) each += 1;
}

void begin(int mark_of_today) {
  mark = mark_of_today;
  for (int round = 0; round < 4; ++round) fill(0);
}

// Has more to do of its own, and only that makes it look late.
void look_back() {
  for (int round = 0; round < 8; ++round) fill(1);
  if (mark > 1) std::puts("marked twice");
}
}  // namespace

int main(int argc, char** /*argv*/) {
  std::thread worker(begin, argc);  // a constant would be the compiler's to know
  std::thread other(look_back);
  worker.join();
  other.join();
  if (cells[0].back() == 4 && cells[1].back() == 8) return 0;
  std::puts("corrupt: a cell was not filled");
  return 1;
}
