// A named thread writes a heap block under a lock, and main reads it under another.
#include <pthread.h>

#include <memory>
#include <mutex>
#include <thread>

#include "tests/thread/programs/baton.hpp"

struct account {
  long number = 1;
  long balance = 0;
};

baton written;
std::mutex of_writer;
std::mutex of_reader;

void deposit(account& to) {
  const std::scoped_lock lock(of_writer);
  to.balance += 1;
}

long balance_of(const account& of) {
  const std::scoped_lock lock(of_reader);
  return of.balance;
}

int main() {
  const auto shared = std::make_unique<account>();
  std::thread writer([&shared] {
    pthread_setname_np(pthread_self(), "writer");
    deposit(*shared);
    written.pass();
  });
  written.wait();
  const long seen = balance_of(*shared);
  writer.join();
  return seen == 1 ? 0 : 1;
}
