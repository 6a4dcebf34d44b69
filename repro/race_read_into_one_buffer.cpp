// Two threads read records of a file into one static buffer, as a helper with a buffer of its own makes them do.
// race: load_record() W vs load_record() W
// maps: none
// truth: race, corrupt: a thread goes on with the record that the other one has read
// expect: tsan=report gcc_tsan=report watchpoint=caught judge=confirmed
// shown: yes
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "repro/support/gate.hpp"

namespace {
using record = std::array<char, 64>;
record buffer{};
int file = -1;
bool wrong = false;

[[gnu::noinline]] const record& load_record(int number) {
  if (pread(file, buffer.data(), buffer.size(), number * static_cast<off_t>(buffer.size())) < 0)
    buffer.fill(0);
  return buffer;
}
}  // namespace

int main() {
  file = memfd_create("records", MFD_CLOEXEC);
  for (int number = 0; number < 2; ++number) {
    record stored;
    stored.fill(static_cast<char>('a' + number));
    if (write(file, stored.data(), stored.size()) < 0) return 2;
  }
  racelab::run_together(2, [](int number) {
    for (int i = 0; i < 50; ++i)
      if (load_record(number).front() != 'a' + number) wrong = true;
  });
  if (!wrong) return 0;
  std::puts("corrupt: a record of another thread's");
  return 1;
}
