#include <counting/counting.h>

namespace {
volatile long counter = 0;
}

void count_in_archive(void) {
  start_together();
  for (int i = 0; i < 100000; ++i) counter = counter + 1;
}
