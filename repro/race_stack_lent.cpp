// A thread is given a local variable by reference, and its lender goes on to use the variable for something else.
// race: use_again() W vs borrow() R
// maps: none
// truth: race, corrupt: the borrower sees the second use
// expect: tsan=report gcc_tsan=report watchpoint=sometimes judge=confirmed
// shown: yes
#include <cstdio>
#include <thread>

namespace {
long borrowed = 0;

[[gnu::noinline]] void borrow(const long& value) { borrowed |= value; }

[[gnu::noinline]] void use_again(long& value) { value += 2; }

void lend() {
  long local = 1;
  std::thread borrower([&local] {
    for (int i = 0; i < 100; ++i) borrow(local);
  });
  for (int i = 0; i < 100; ++i) use_again(local);
  borrower.join();
}
}  // namespace

int main() {
  lend();
  if (borrowed == 1) return 0;
  std::printf("corrupt: borrowed a 1, and saw %lx\n", static_cast<unsigned long>(borrowed));
  return 1;
}
