// A mutex is destroyed while it is locked.
#include <pthread.h>

pthread_mutex_t guard;

int main() {
  pthread_mutex_init(&guard, nullptr);
  pthread_mutex_lock(&guard);
  pthread_mutex_destroy(&guard);
}
