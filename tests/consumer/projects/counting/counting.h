/* Counters that two threads count up at once: unguarded (a data race) and guarded. */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

void count_in_library(void);
void count_in_archive(void);
void count_guarded(void);

#ifdef __cplusplus
}
#endif
