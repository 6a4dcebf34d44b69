#include <counting/counting.h>

static volatile long counter;

void count_in_library(void) {
  start_together();
  for (int i = 0; i < 100000; ++i) counter = counter + 1;
}
