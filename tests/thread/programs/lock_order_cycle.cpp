// Three philosophers take two forks each, one philosopher after the other.
#include <pthread.h>

#include <thread>

pthread_mutex_t forks[3] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};

void eat(int seat) {
  pthread_mutex_lock(&forks[seat]);
  pthread_mutex_lock(&forks[(seat + 1) % 3]);
  pthread_mutex_unlock(&forks[(seat + 1) % 3]);
  pthread_mutex_unlock(&forks[seat]);
}

int main() {
  for (int seat = 0; seat < 3; ++seat) std::thread(eat, seat).join();
}
