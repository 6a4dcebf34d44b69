// Has a race, and crashes in any case.
#include "tests/verdict/programs/counter.hpp"

namespace {
int* volatile nowhere = nullptr;
}  // namespace

int main() {
  long counter = 0;
  racelab::judged::race_on(counter);
  *nowhere = 1;
  return 0;
}
