// A mutex is locked after it was destroyed.
#include <pthread.h>

pthread_mutex_t guard;

void use() {
  pthread_mutex_lock(&guard);
  pthread_mutex_unlock(&guard);
}

int main() {
  pthread_mutex_init(&guard, nullptr);
  use();
  pthread_mutex_destroy(&guard);
  use();
}
