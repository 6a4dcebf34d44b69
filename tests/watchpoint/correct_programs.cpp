#include "tests/watchpoint/correct_programs.hpp"

#include <array>
#include <atomic>
#include <barrier>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <string>
#include <thread>
#include <unordered_map>

namespace correct_programs {
namespace {

using number = std::uint64_t;

// Runs body(0) and body(1) on threads of their own.
template <class Body> void two(Body body) {
  std::thread first([&] { body(0U); });
  std::thread second([&] { body(1U); });
  first.join();
  second.join();
}

number under_a_mutex(number rounds) {
  std::mutex lock;
  number sum = 0;
  two([&](unsigned) {
    for (number i = 0; i < rounds; ++i) {
      const std::lock_guard guard(lock);
      sum += 1;
    }
  });
  return sum;
}

number map_under_a_mutex(number rounds) {
  std::mutex lock;
  std::unordered_map<std::string, number> map;
  two([&](unsigned who) {
    for (number i = 0; i < rounds; ++i) {
      const std::lock_guard guard(lock);
      map["a key that lives on the heap " + std::to_string(2 * i + who)] = 1;
      if (i > 0) map.erase("a key that lives on the heap " + std::to_string(2 * (i - 1) + who));
    }
  });
  return map.size() * rounds;
}

// Copies, comparisons and lengths by libc, of strings that others change under the same lock.
number strings_under_a_mutex(number rounds) {
  std::mutex lock;
  std::array<char, 64> text{};
  std::string twin;
  number equal = 0;
  two([&](unsigned who) {
    for (number i = 0; i < rounds; ++i) {
      const std::string mine = std::to_string(i) + (who == 0 ? " of the first thread" : " of the second");
      const std::lock_guard guard(lock);
      // NOLINTBEGIN(clang-analyzer-security.insecureAPI.strcpy): the runtime must see what they write
      std::strcpy(text.data(), mine.c_str());
      std::strcat(text.data(), "!");
      // NOLINTEND(clang-analyzer-security.insecureAPI.strcpy)
      twin = mine + "!";
      if (std::strlen(text.data()) == twin.size() &&
          std::memcmp(text.data(), twin.data(), twin.size()) == 0 &&
          std::strcmp(text.data(), twin.c_str()) == 0 && std::strchr(text.data(), '!') != nullptr)
        ++equal;
    }
  });
  return equal;
}

// A block that two threads make larger in turn; what is behind the end of a string in it belongs to the other one.
number blocks_handed_over(number rounds) {
  std::atomic<number> turn{0};
  void* block = nullptr;
  std::array<char, 16>
      shared{};  // the first half is a string of the first thread's, the rest the second one's
  two([&](unsigned who) {
    for (number i = 0; i < rounds; ++i) {
      while (turn.load(std::memory_order_acquire) % 2 != who) {
        if (who == 0) {
          std::strcpy(shared.data(), "a name");  // NOLINT(clang-analyzer-security.insecureAPI.strcpy)
        } else {
          std::memset(shared.data() + 8, static_cast<int>(i), 8);
        }
        std::this_thread::yield();
      }
      void* const larger = std::realloc(block, 16 + 8 * i);
      if (larger == nullptr) return;
      block = larger;
      std::memset(block, static_cast<int>(i), 16);
      turn.fetch_add(1, std::memory_order_release);
    }
  });
  std::free(block);
  return turn.load(std::memory_order_relaxed) / 2;
}

class spin_lock {
 public:
  void lock() {
    while (taken_.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
  }
  void unlock() { taken_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> taken_{false};
};

number under_a_spin_lock(number rounds) {
  spin_lock lock;
  number sum = 0;
  two([&](unsigned) {
    for (number i = 0; i < rounds; ++i) {
      const std::lock_guard guard(lock);
      sum += 1;
    }
  });
  return sum;
}

number released_and_acquired(number rounds) {
  std::atomic<number> turn{0};
  number message = 0;
  number sum = 0;
  two([&](unsigned who) {
    for (number i = 0; i < rounds; ++i) {
      while (turn.load(std::memory_order_acquire) != 2 * i + who) std::this_thread::yield();
      if (who == 0)
        message = i + 1;
      else
        sum += message - i;
      turn.fetch_add(1, std::memory_order_release);
    }
  });
  return sum;
}

// ThreadSanitizer does not model fences, and reports this one.
number through_fences(number rounds) {
  std::atomic<number> turn{0};
  number message = 0;
  number sum = 0;
  two([&](unsigned who) {
    for (number i = 0; i < rounds; ++i) {
      while (turn.load(std::memory_order_relaxed) != 2 * i + who) std::this_thread::yield();
      std::atomic_thread_fence(std::memory_order_acquire);
      if (who == 0)
        message = i + 1;
      else
        sum += message - i;
      std::atomic_thread_fence(std::memory_order_release);
      turn.store(2 * i + who + 1, std::memory_order_relaxed);
    }
  });
  return sum;
}

number through_a_queue(number rounds) {
  std::mutex lock;
  std::condition_variable changed;
  std::deque<std::unique_ptr<number>> queue;
  number sum = 0;
  two([&](unsigned who) {
    for (number i = 0; i < rounds; ++i) {
      std::unique_lock guard(lock);
      if (who == 0) {
        queue.push_back(std::make_unique<number>(1));
        changed.notify_one();
        continue;
      }
      changed.wait(guard, [&] { return !queue.empty(); });
      const std::unique_ptr<number> taken = std::move(queue.front());
      queue.pop_front();
      guard.unlock();
      sum += *taken;
    }
  });
  return sum;
}

number handed_to_threads_and_back(number rounds) {
  number sum = 0;
  for (number i = 0; i < rounds; ++i) {
    auto box = std::make_unique<number>(1);
    std::thread child([&sum, box = std::move(box)] { sum += *box; });
    child.join();
    sum += 1;
  }
  return sum;
}

number through_futures(number rounds) {
  number sum = 0;
  for (number i = 0; i < rounds; ++i) {
    std::promise<std::string> promise;
    std::thread child([&] { promise.set_value("a text that lives on the heap"); });
    sum += promise.get_future().get().size();
    child.join();
  }
  return sum;
}

number made_once(number rounds) {
  std::atomic<number> sum{0};
  for (number i = 0; i < rounds; ++i) {
    std::once_flag once;
    std::unique_ptr<number> made;
    two([&](unsigned) {
      std::call_once(once, [&] { made = std::make_unique<number>(1); });
      sum += *made;
    });
  }
  return sum;
}

number from_barrier_to_barrier(number rounds) {
  std::array<number, 2> halves{};
  number sum = 0;
  std::barrier meet(2);
  two([&](unsigned who) {
    for (number i = 0; i < rounds; ++i) {
      halves[who] = i + 1;
      meet.arrive_and_wait();
      if (who == 0) sum += halves[0] + halves[1] - 2 * i;
      meet.arrive_and_wait();
    }
  });
  return sum;
}

number after_a_latch(number rounds) {
  number sum = 0;
  for (number i = 0; i < rounds; ++i) {
    std::latch ready(1);
    number made = 0;
    two([&](unsigned who) {
      if (who == 0) {
        made = 1;
        ready.count_down();
      } else {
        ready.wait();
        sum += made;
      }
    });
  }
  return sum;
}

number through_semaphores(number rounds) {
  std::binary_semaphore full(0);
  std::binary_semaphore free(1);
  number box = 0;
  number sum = 0;
  two([&](unsigned who) {
    for (number i = 0; i < rounds; ++i) {
      if (who == 0) {
        free.acquire();
        box = 1;
        full.release();
      } else {
        full.acquire();
        sum += box;
        free.release();
      }
    }
  });
  return sum;
}

number readers_and_writers(number rounds) {
  std::shared_mutex lock;
  number first = 0;
  number second = 0;
  std::atomic<number> torn{0};
  two([&](unsigned) {
    for (number i = 0; i < rounds; ++i) {
      {
        const std::unique_lock guard(lock);
        first += 1;
        second += 1;
      }
      const std::shared_lock guard(lock);
      if (first != second) torn += 1;
    }
  });
  return first + torn;
}

number shared_pointers(number rounds) {
  auto shared = std::make_shared<const std::string>("a text that lives on the heap");
  std::atomic<number> sum{0};
  for (number i = 0; i < rounds; ++i) {
    std::thread first([copy = shared, &sum] { sum += copy->size(); });
    std::thread second([copy = shared, &sum] { sum += copy->size(); });
    shared = std::make_shared<const std::string>("a text that lives on the heap");
    first.join();
    second.join();
  }
  return sum;
}

number snapshots(number rounds) {
  std::atomic<std::shared_ptr<const number>> now{std::make_shared<const number>(0)};
  two([&](unsigned) {
    for (number i = 0; i < rounds; ++i) {
      std::shared_ptr<const number> seen = now.load();
      while (!now.compare_exchange_weak(seen, std::make_shared<const number>(*seen + 1))) {
      }
    }
  });
  return *now.load();
}

number a_static_local(number rounds) {
  std::atomic<number> sum{0};
  two([&](unsigned) {
    for (number i = 0; i < rounds; ++i) {
      static const std::string text = "a text that lives on the heap";
      sum += text.size();
    }
  });
  return sum;
}

}  // namespace

const std::vector<program>& all() {
  static const std::vector<program> programs{
      {"UnderAMutex", under_a_mutex, 2},
      {"MapUnderAMutex", map_under_a_mutex, 2},
      {"UnderASpinLock", under_a_spin_lock, 2},
      {"ReleasedAndAcquired", released_and_acquired, 1},
      {"ThroughFences", through_fences, 1},
      {"ThroughAQueue", through_a_queue, 1},
      {"HandedToThreadsAndBack", handed_to_threads_and_back, 2},
      {"ThroughFutures", through_futures, 29},
      {"MadeOnce", made_once, 2},
      {"FromBarrierToBarrier", from_barrier_to_barrier, 2},
      {"AfterALatch", after_a_latch, 1},
      {"ThroughSemaphores", through_semaphores, 1},
      {"ReadersAndWriters", readers_and_writers, 2},
      {"SharedPointers", shared_pointers, 58},
      {"Snapshots", snapshots, 2},
      {"StringsUnderAMutex", strings_under_a_mutex, 2},
      {"BlocksHandedOver", blocks_handed_over, 1},
      {"AStaticLocal", a_static_local, 58},
  };
  return programs;
}

}  // namespace correct_programs
