// Each thread has its own shared_ptr: the count is atomic, what it points to is not.
// race: add() W vs add() W
// maps: none
// truth: race, corrupt: additions are lost
// expect: tsan=report gcc_tsan=report watchpoint=caught judge=confirmed
// shown: yes
#include <cstdio>
#include <memory>
#include <thread>

namespace {
struct tally {
  int sum = 0;
};

void add(const std::shared_ptr<tally>& to) {
  for (int i = 0; i < 300; ++i) to->sum += 1;
}
}  // namespace

int main() {
  const auto shared = std::make_shared<tally>();
  std::thread a([copy = shared] { add(copy); });
  std::thread b([copy = shared] { add(copy); });
  a.join();
  b.join();
  if (shared->sum == 600) return 0;
  std::printf("corrupt: 600 additions make %d\n", shared->sum);
  return 1;
}
