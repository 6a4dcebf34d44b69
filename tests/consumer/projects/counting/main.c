/* Two threads call what COUNT names. */
#include <pthread.h>

#include <counting/counting.h>

static void* run(void* nothing) {
  COUNT();
  return nothing;
}

int main(void) {
  pthread_t one;
  pthread_t two;
  if (pthread_create(&one, 0, run, 0) != 0 || pthread_create(&two, 0, run, 0) != 0) return 1;
  pthread_join(one, 0);
  pthread_join(two, 0);
  return 0;
}
