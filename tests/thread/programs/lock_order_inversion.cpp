// Two threads lock two mutexes in opposite orders, one after the other.
#include <pthread.h>

#include <thread>

pthread_mutex_t accounts = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t journal = PTHREAD_MUTEX_INITIALIZER;

void both(pthread_mutex_t& outer, pthread_mutex_t& inner) {
  pthread_mutex_lock(&outer);
  pthread_mutex_lock(&inner);
  pthread_mutex_unlock(&inner);
  pthread_mutex_unlock(&outer);
}

int main() {
  std::thread([] { both(accounts, journal); }).join();
  std::thread([] { both(journal, accounts); }).join();
}
