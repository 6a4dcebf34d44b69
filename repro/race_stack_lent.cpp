// A thread is given a local variable by reference, and its lender goes on to use the variable for something else.
// race: lend() W vs borrow() R
// maps: none
// truth: race, corrupt: the borrower sees the second use
// expect: tsan=report gcc_tsan=report watchpoint=caught judge=confirmed
// shown: yes
#include <cstdio>
#include <thread>

namespace {
long borrowed = 0;

void borrow(const long& value) {
  for (int i = 0; i < 100; ++i) borrowed |= value;
}

void lend() {
  long local = 1;
  std::thread borrower(borrow, std::cref(local));
  for (long i = 0; i < 100; ++i) local = 1 + 2 * i;
  borrower.join();
}
}  // namespace

int main() {
  lend();
  if (borrowed == 1) return 0;
  std::printf("corrupt: borrowed a 1, and saw %lx\n", static_cast<unsigned long>(borrowed));
  return 1;
}
