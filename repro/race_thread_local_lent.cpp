// A thread-local buffer is shared by a pointer to it: what is local is the name, not the memory.
// race: add() W vs add() W
// maps: none
// truth: race, corrupt: the owner's count is changed by another thread
// expect: tsan=report gcc_tsan=report watchpoint=sometimes judge=confirmed
// shown: yes
#include <atomic>
#include <cstdio>
#include <thread>

namespace {
thread_local long scratch = 0;
std::atomic<long*> lent{nullptr};
std::atomic<bool> returned{false};
long owners = 0;

[[gnu::noinline]] void add(long& to) { to += 1; }

void use_own() {
  lent.store(&scratch);
  for (int i = 0; i < 200; ++i) add(scratch);
  while (!returned.load()) std::this_thread::yield();
  owners = scratch;
}

void use_lent() {
  while (lent.load() == nullptr) std::this_thread::yield();
  for (int i = 0; i < 200; ++i) add(*lent.load());
  returned.store(true);
}
}  // namespace

int main() {
  std::thread owner(use_own);
  std::thread other(use_lent);
  owner.join();
  other.join();
  if (owners == 400) return 0;
  std::printf("corrupt: counted to 400, found %ld\n", owners);
  return 1;
}
