// Locks in orders that LOCKS names. Ends with 0 where it can.
#include <pthread.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <shared_mutex>
#include <string_view>
#include <thread>
#include <vector>

namespace {

std::array<std::mutex, 3> locks;
std::shared_mutex shared;
std::mutex gate;
std::atomic<unsigned> holders{0};  // threads that have their first lock

// Waits until so many have their first lock.
void meet(unsigned threads) {
  ++holders;
  while (holders < threads) std::this_thread::yield();
}

// Each takes its own lock, then that of the next one: all wait for each other.
[[gnu::noinline]] void take_own_then_next(unsigned i, unsigned threads) {
  const std::scoped_lock own(locks[i]);
  meet(threads);
  const std::scoped_lock next(locks[(i + 1) % threads]);
}

void in_a_ring(unsigned threads) {
  std::vector<std::thread> all;
  for (unsigned i = 0; i < threads; ++i) all.emplace_back(take_own_then_next, i, threads);
  for (std::thread& each : all) each.join();
}

// In both orders again and again, but neither waits for the other to have its first.
void by_chance() {
  const auto back_and_forth = [](std::size_t first) {
    for (int i = 0; i < 10'000; ++i) {
      const std::scoped_lock one(locks[first]);
      const std::scoped_lock other(locks[1 - first]);
    }
  };
  std::thread one(back_and_forth, 0);
  std::thread two(back_and_forth, 1);
  one.join();
  two.join();
}

[[gnu::noinline]] void take_under_the_gate(std::size_t first) {
  for (int i = 0; i < 100; ++i) {
    const std::scoped_lock all(gate);
    const std::scoped_lock one(locks[first]);
    const std::scoped_lock other(locks[1 - first]);
  }
}

void gated() {
  std::thread one(take_under_the_gate, 0);
  std::thread two(take_under_the_gate, 1);
  one.join();
  two.join();
}

// A reader that wants a mutex, whose holder wants to write.
void reader_and_writer() {
  std::thread reader([] {
    const std::shared_lock own(shared);
    meet(2);
    const std::scoped_lock next(locks[0]);
  });
  std::thread writer([] {
    const std::scoped_lock own(locks[0]);
    meet(2);
    const std::unique_lock next(shared);
  });
  reader.join();
  writer.join();
}

// Two readers, each of which has what the other one only reads: nobody waits.
void two_readers() {
  const auto read_twice = [] {
    const std::shared_lock own(shared);
    meet(2);
    const std::shared_lock again(shared);
  };
  std::thread one(read_twice);
  std::thread two(read_twice);
  one.join();
  two.join();
}

// Holding one lock, waits for a condition under another one, which its partner takes before the first. The partner would
// wait for ever if waiting for the condition held its mutex.
void condition() {
  std::condition_variable changed;
  bool ready = false;
  std::thread waiting([&] {
    std::unique_lock own(locks[0]);
    meet(2);
    changed.wait(own, [&] { return ready; });
  });
  meet(2);
  {
    const std::scoped_lock own(locks[1]);
    const std::scoped_lock next(locks[0]);
    ready = true;
  }
  changed.notify_one();
  waiting.join();
}

// Its own lock once more.
int twice(int type) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, type);
  pthread_mutex_t mutex;
  pthread_mutex_init(&mutex, &attributes);
  pthread_mutex_lock(&mutex);
  const int result = pthread_mutex_lock(&mutex);
  return result == (type == PTHREAD_MUTEX_ERRORCHECK ? EDEADLK : 0) ? 0 : 1;
}

// In both orders, but with a limit of time for the second.
void for_a_limited_time() {
  static std::array<std::timed_mutex, 2> timed;
  const auto take = [](std::size_t first) {
    const std::scoped_lock own(timed[first]);
    meet(2);
    if (timed[1 - first].try_lock_for(std::chrono::milliseconds(1))) timed[1 - first].unlock();
    meet(4);
  };
  std::thread one(take, 0);
  std::thread two(take, 1);
  one.join();
  two.join();
}

}  // namespace

int main() {
  const char* const named = std::getenv("LOCKS");
  const std::string_view how = named != nullptr ? named : "";
  if (how == "two") in_a_ring(2);
  if (how == "three") in_a_ring(3);
  if (how == "by chance") by_chance();
  if (how == "gated") gated();
  if (how == "reader and writer") reader_and_writer();
  if (how == "two readers") two_readers();
  if (how == "condition") condition();
  if (how == "limited") for_a_limited_time();
  if (how == "itself") return twice(PTHREAD_MUTEX_NORMAL);
  if (how == "recursive") return twice(PTHREAD_MUTEX_RECURSIVE);
  if (how == "error check") return twice(PTHREAD_MUTEX_ERRORCHECK);
  return 0;
}
