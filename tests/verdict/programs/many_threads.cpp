// Its threads come and go by the thousand.
#include "tests/verdict/programs/counter.hpp"

int main() {
  long counter = 0;
  for (int i = 0; i < 1'000; ++i)
    racelab::run_together(2, [&counter](int /*thread*/) { counter = counter + 1; });
  return 0;
}
