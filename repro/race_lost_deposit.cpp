// Two threads pay into one account without a lock: a deposit that comes between another's load and store is lost.
// race: deposit() W vs deposit() W
// maps: none
// truth: race, corrupt: the balance is less than what was paid in
// expect: tsan=report gcc_tsan=report watchpoint=caught judge=confirmed
// shown: yes
#include <cstdio>

#include "repro/support/gate.hpp"

namespace {
struct account {
  const char* owner;
  long balance;
};

[[gnu::noinline]] void deposit(account& to, long amount) {
  const long before = to.balance;
  to.balance = before + amount;
}

void pay(account& to) {
  for (int i = 0; i < 200; ++i) deposit(to, 5);
}
}  // namespace

int main() {
  account shared{"a customer", 0};
  racelab::run_together([&] { pay(shared); }, [&] { pay(shared); });
  if (shared.balance == 2000) return 0;
  std::printf("corrupt: %s has %ld instead of 2000\n", shared.owner, shared.balance);
  return 1;
}
