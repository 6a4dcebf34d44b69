// Two threads are neither joined nor detached.
#include <pthread.h>

void* nothing(void*) { return nullptr; }

void start() {
  pthread_t thread;
  pthread_create(&thread, nullptr, nothing, nullptr);
}

int main() {
  start();
  for (int i = 0; i < 2; ++i) start();
}
