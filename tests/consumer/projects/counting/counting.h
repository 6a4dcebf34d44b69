/* Counters that two threads count up at once: unguarded (a data race) and guarded. */
#pragma once

#include <sched.h>

#ifdef __cplusplus
extern "C" {
#endif

void count_in_library(void);
void count_in_archive(void);
void count_guarded(void);

#ifdef __cplusplus
}
#endif

/* Lets two threads start together. Relaxed: it must not order what they do afterwards. */
static inline void start_together(void) {
  static int started = 0;
  __atomic_fetch_add(&started, 1, __ATOMIC_RELAXED);
  while (__atomic_load_n(&started, __ATOMIC_RELAXED) < 2) sched_yield();
}
