// pthread's locks, ahead of libc's: who holds what, who waits for whom, and what is taken while something is held. What
// glibc does inside of its own functions does not come here; neither do C11's mtx_lock and its kin.
#include "sanitizers/watchpoint/locks.hpp"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <ctime>

#include "sanitizers/watchpoint/lock_graph.hpp"
#include "sanitizers/watchpoint/log.hpp"
#include "sanitizers/watchpoint/modules.hpp"
#include "sanitizers/watchpoint/random.hpp"
#include "sanitizers/watchpoint/seen_pairs.hpp"
#include "sanitizers/watchpoint/stall.hpp"
#include "sanitizers/watchpoint/state.hpp"
#include "stacks/signal_safe.hpp"

namespace racelab::watch {
namespace {

// The function behind ours. Relaxed: whoever finds it unknown looks it up too and finds the same.
template <class Function> class next {
 public:
  constexpr explicit next(const char* name, const char* version = nullptr) : name_(name), version_(version) {}

  Function* function() noexcept {
    Function* found = found_.load(std::memory_order_relaxed);
    if (found != nullptr) return found;
    void* const symbol = version_ == nullptr ? dlsym(RTLD_NEXT, name_) : dlvsym(RTLD_NEXT, name_, version_);
    found = reinterpret_cast<Function*>(symbol);
    found_.store(found, std::memory_order_relaxed);
    return found;
  }

  template <class... Arguments> int operator()(Arguments... arguments) { return function()(arguments...); }

 private:
  std::atomic<Function*> found_{nullptr};
  const char* name_;
  const char* version_;
};

using mutex_function = int(pthread_mutex_t*);
using timed_mutex_function = int(pthread_mutex_t*, const timespec*);
using clock_mutex_function = int(pthread_mutex_t*, clockid_t, const timespec*);
using rwlock_function = int(pthread_rwlock_t*);
using timed_rwlock_function = int(pthread_rwlock_t*, const timespec*);
using clock_rwlock_function = int(pthread_rwlock_t*, clockid_t, const timespec*);
using wait_function = int(pthread_cond_t*, pthread_mutex_t*);
using timed_wait_function = int(pthread_cond_t*, pthread_mutex_t*, const timespec*);
using clock_wait_function = int(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*);

constinit next<mutex_function> mutex_lock_next{"pthread_mutex_lock"};
constinit next<mutex_function> mutex_trylock_next{"pthread_mutex_trylock"};
constinit next<timed_mutex_function> mutex_timedlock_next{"pthread_mutex_timedlock"};
constinit next<clock_mutex_function> mutex_clocklock_next{"pthread_mutex_clocklock"};
constinit next<mutex_function> mutex_unlock_next{"pthread_mutex_unlock"};
constinit next<rwlock_function> rdlock_next{"pthread_rwlock_rdlock"};
constinit next<rwlock_function> tryrdlock_next{"pthread_rwlock_tryrdlock"};
constinit next<timed_rwlock_function> timedrdlock_next{"pthread_rwlock_timedrdlock"};
constinit next<clock_rwlock_function> clockrdlock_next{"pthread_rwlock_clockrdlock"};
constinit next<rwlock_function> wrlock_next{"pthread_rwlock_wrlock"};
constinit next<rwlock_function> trywrlock_next{"pthread_rwlock_trywrlock"};
constinit next<timed_rwlock_function> timedwrlock_next{"pthread_rwlock_timedwrlock"};
constinit next<clock_rwlock_function> clockwrlock_next{"pthread_rwlock_clockwrlock"};
constinit next<rwlock_function> rwlock_unlock_next{"pthread_rwlock_unlock"};
// Condition variables were others once, and those are still there.
constinit next<wait_function> wait_next{"pthread_cond_wait", "GLIBC_2.3.2"};
constinit next<timed_wait_function> timedwait_next{"pthread_cond_timedwait", "GLIBC_2.3.2"};
constinit next<clock_wait_function> clockwait_next{"pthread_cond_clockwait"};

constinit lock_graph graph;
constinit seen_pairs nested_seen;
constinit std::atomic<std::uint32_t> nested_count{0};
constinit std::atomic<bool> followed{false};
constinit bool readers_are_known = false;
constinit module unwinder;  // libunwind, which takes locks of its own in the middle of a capture
constinit thread_local thread_locks* my_part __attribute__((tls_model("initial-exec"))) = nullptr;

// While it lives the thread is in the runtime. Its part of the graph; null if nothing is to be done.
class inside_locks {
 public:
  explicit inside_locks(std::uintptr_t caller = 0) noexcept {
    if (!followed.load(std::memory_order_relaxed) || mine.inside ||
        caller - unwinder.base < unwinder.end - unwinder.base)
      return;
    mine.inside = true;
    error_ = errno;
    stacks::thread_record& me = stacks::self();
    const bool known =
        my_part != nullptr && my_part->record == &me && my_part->id == me.id.load(std::memory_order_relaxed);
    // Past its end a thread has no record of its own.
    if (!known) my_part = me.tid.load(std::memory_order_relaxed) != 0 ? graph.part_of(me) : nullptr;
    part_ = my_part;
    entered_ = true;
  }
  ~inside_locks() {
    if (!entered_) return;
    errno = error_;
    mine.inside = false;
  }
  inside_locks(const inside_locks&) = delete;
  inside_locks& operator=(const inside_locks&) = delete;

  [[nodiscard]] thread_locks* part() const noexcept { return part_; }

 private:
  thread_locks* part_ = nullptr;
  int error_ = 0;
  bool entered_ = false;
};

// The thread that holds the lock exclusively, as the lock itself says; 0 if it can't be told.
pid_t owner_of(const lock_hold& held) noexcept {
  const auto field = held.kind == lock_kind::mutex
                         ? reinterpret_cast<std::uintptr_t>(
                               &reinterpret_cast<const pthread_mutex_t*>(held.lock)->__data.__owner)
                         : reinterpret_cast<std::uintptr_t>(
                               &reinterpret_cast<const pthread_rwlock_t*>(held.lock)->__data.__cur_writer);
  const auto owner = value_after({.address = field, .size = sizeof(pid_t)});  // its memory may be gone
  return owner ? static_cast<pid_t>(*owner) : 0;
}

bool really_holds(const lock_hold& held, const thread_locks& holder) noexcept {
  if (held.kind == lock_kind::reader) return readers_are_known;
  return owner_of(held) == holder.record->tid.load(std::memory_order_relaxed);
}

// A mutex of another type, or a lock that is held by a writer, tells the thread that it is its own.
bool waits_for_itself_for_ever(const lock_hold& wanted) noexcept {
  if (wanted.kind != lock_kind::mutex) return wanted.kind == lock_kind::writer && owner_of(wanted) == 0;
  const int type = reinterpret_cast<const pthread_mutex_t*>(wanted.lock)->__data.__kind & 3;
  return type == PTHREAD_MUTEX_TIMED_NP || type == PTHREAD_MUTEX_ADAPTIVE_NP;
}

void report_nested(const lock_hold& wanted, std::uintptr_t pc, thread_locks& own) noexcept {
  std::array<std::uintptr_t, thread_locks::most_held> held{};
  std::size_t count = 0;
  // By thread: two that take the locks in one place are not one.
  std::uint64_t key = wanted.lock ^ (std::uint64_t{own.record->id.load(std::memory_order_relaxed)} << 48U);
  std::array<lock_hold, thread_locks::most_held> known{};
  const std::size_t known_count = graph.copy_holds(own, known);
  for (const lock_hold& each : std::span(known).first(known_count)) {
    if (each.lock == wanted.lock || !really_holds(each, own)) continue;
    held[count++] = each.lock;
    key = mix(key) + each.lock;
  }
  if (count == 0 || nested_count.load(std::memory_order_relaxed) >= settings.max_records ||
      !nested_seen.insert(mix(pc), mix(key)))
    return;
  nested_count.fetch_add(1, std::memory_order_relaxed);
  write_nested_lock(*own.record, wanted.lock, {held.data(), count});
}

[[noreturn]] void report_deadlock(std::span<thread_locks* const> cycle) noexcept {
  write_deadlock(cycle);
  stacks::fixed_text<100> line;
  line << "racelab: deadlock: ";
  line.decimal(cycle.size()) << " threads wait for each other's locks\n";
  stacks::write_all(STDERR_FILENO, line.view());
  _exit(3);
}

void stall_first_holder() noexcept {
  if (settings.lock_stall_us == 0 || __libc_single_threaded != 0) return;
  prepare_thread();
  std::uint64_t microseconds = settings.lock_stall_us;
  if (settings.lock_stall_exact == 0) {
    const std::uint64_t random = next_random(mine.random);
    if ((random & 1U) != 0) return;
    microseconds = (random >> 1U) % (microseconds + 1);
  }
  const timespec rest{.tv_sec = static_cast<time_t>(microseconds / 1'000'000U),
                      .tv_nsec = static_cast<long>(microseconds % 1'000'000U * 1000U)};
  syscall(SYS_nanosleep, &rest, nullptr);  // nanosleep() would be a cancellation point
}

// The result of a call that takes a lock if it succeeds.
int taken(int result, lock_hold lock, thread_locks* own) noexcept {
  if (own == nullptr || (result != 0 && result != EOWNERDEAD)) return result;
  if (graph.add(*own, lock) == 1) stall_first_holder();
  return result;
}

// Takes a lock with `lock`, which may wait, or with `try_lock`, which does not.
template <class Lock>
int take(Lock* lock, lock_kind kind, next<int(Lock*)>& lock_next, next<int(Lock*)>& try_next,
         void* return_address) noexcept {
  const auto caller = reinterpret_cast<std::uintptr_t>(return_address);
  const inside_locks now(caller);
  if (now.part() == nullptr) return lock_next(lock);
  const lock_hold wanted{.lock = reinterpret_cast<std::uintptr_t>(lock), .kind = kind};
  report_nested(wanted, caller, *now.part());
  int result = try_next(lock);
  if (result != 0 && result != EOWNERDEAD) {
    std::array<thread_locks*, 64> cycle{};
    const std::size_t length = graph.begin_wait(*now.part(), wanted, really_holds, cycle);
    if (length > 1 || (length == 1 && waits_for_itself_for_ever(wanted)))
      report_deadlock(std::span(cycle).first(length));
    result = lock_next(lock);
    graph.end_wait(*now.part());
  }
  return taken(result, wanted, now.part());
}

// Takes a lock with a call that waits for a limited time, if at all.
template <class Lock, class Call> int take_in_time(Lock* lock, lock_kind kind, Call call) noexcept {
  const inside_locks now;
  return taken(call(), {.lock = reinterpret_cast<std::uintptr_t>(lock), .kind = kind}, now.part());
}

void given_back(const void* lock) noexcept {
  const inside_locks now;
  if (now.part() != nullptr) graph.remove(*now.part(), reinterpret_cast<std::uintptr_t>(lock));
}

// While a thread waits for a condition it does not hold the mutex; afterwards it does, also when it is cancelled there.
class let_go {
 public:
  explicit let_go(pthread_mutex_t* mutex) noexcept {
    const inside_locks now;
    if (now.part() != nullptr) hold_ = graph.remove(*now.part(), reinterpret_cast<std::uintptr_t>(mutex));
  }
  ~let_go() {
    const inside_locks now;
    if (now.part() != nullptr && hold_.lock != 0) graph.add(*now.part(), hold_);
  }
  let_go(const let_go&) = delete;
  let_go& operator=(const let_go&) = delete;

 private:
  lock_hold hold_;
};

}  // namespace

void follow_locks() noexcept {
  if (settings.locks == 0 && settings.lock_stall_us == 0) return;
  // Now, and not with a lock held.
  for (auto* each : {&mutex_lock_next, &mutex_trylock_next, &mutex_unlock_next}) each->function();
  for (auto* each : {&rdlock_next, &tryrdlock_next, &wrlock_next, &trywrlock_next, &rwlock_unlock_next})
    each->function();
  for_each_module(
      [](const module& each, void*) {
        const bool found = each.path.find("/libunwind.so") != std::string_view::npos;
        if (found) unwinder = each;
        return !found;
      },
      nullptr);
  // A library whose unlocking does not come here would leave its readers in the graph. Locks that are held exclusively
  // are asked themselves.
  readers_are_known =
      dlsym(RTLD_DEFAULT, "pthread_rwlock_unlock") == reinterpret_cast<void*>(&pthread_rwlock_unlock);
  madvise(&graph, sizeof graph, MADV_WIPEONFORK);
  pthread_atfork(nullptr, nullptr, [] {
    graph.clear();
    my_part = nullptr;
  });
  followed.store(true, std::memory_order_relaxed);
}

}  // namespace racelab::watch

using racelab::watch::lock_kind;

// Visible whatever -fvisibility says, as in stacks/pthread_create.cpp.
#define RACELAB_INTERPOSED extern "C" [[gnu::visibility("default")]]

RACELAB_INTERPOSED int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  using namespace racelab::watch;
  return take(mutex, lock_kind::mutex, mutex_lock_next, mutex_trylock_next, __builtin_return_address(0));
}
RACELAB_INTERPOSED int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  using namespace racelab::watch;
  return take_in_time(mutex, lock_kind::mutex, [&] { return mutex_trylock_next(mutex); });
}
RACELAB_INTERPOSED int pthread_mutex_timedlock(pthread_mutex_t* mutex, const timespec* until) noexcept {
  using namespace racelab::watch;
  return take_in_time(mutex, lock_kind::mutex, [&] { return mutex_timedlock_next(mutex, until); });
}
RACELAB_INTERPOSED int pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock,
                                               const timespec* until) noexcept {
  using namespace racelab::watch;
  return take_in_time(mutex, lock_kind::mutex, [&] { return mutex_clocklock_next(mutex, clock, until); });
}
RACELAB_INTERPOSED int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
  racelab::watch::given_back(mutex);
  return racelab::watch::mutex_unlock_next(mutex);
}

RACELAB_INTERPOSED int pthread_rwlock_rdlock(pthread_rwlock_t* lock) noexcept {
  using namespace racelab::watch;
  return take(lock, lock_kind::reader, rdlock_next, tryrdlock_next, __builtin_return_address(0));
}
RACELAB_INTERPOSED int pthread_rwlock_tryrdlock(pthread_rwlock_t* lock) noexcept {
  using namespace racelab::watch;
  return take_in_time(lock, lock_kind::reader, [&] { return tryrdlock_next(lock); });
}
RACELAB_INTERPOSED int pthread_rwlock_timedrdlock(pthread_rwlock_t* lock, const timespec* until) noexcept {
  using namespace racelab::watch;
  return take_in_time(lock, lock_kind::reader, [&] { return timedrdlock_next(lock, until); });
}
RACELAB_INTERPOSED int pthread_rwlock_clockrdlock(pthread_rwlock_t* lock, clockid_t clock,
                                                  const timespec* until) noexcept {
  using namespace racelab::watch;
  return take_in_time(lock, lock_kind::reader, [&] { return clockrdlock_next(lock, clock, until); });
}
RACELAB_INTERPOSED int pthread_rwlock_wrlock(pthread_rwlock_t* lock) noexcept {
  using namespace racelab::watch;
  return take(lock, lock_kind::writer, wrlock_next, trywrlock_next, __builtin_return_address(0));
}
RACELAB_INTERPOSED int pthread_rwlock_trywrlock(pthread_rwlock_t* lock) noexcept {
  using namespace racelab::watch;
  return take_in_time(lock, lock_kind::writer, [&] { return trywrlock_next(lock); });
}
RACELAB_INTERPOSED int pthread_rwlock_timedwrlock(pthread_rwlock_t* lock, const timespec* until) noexcept {
  using namespace racelab::watch;
  return take_in_time(lock, lock_kind::writer, [&] { return timedwrlock_next(lock, until); });
}
RACELAB_INTERPOSED int pthread_rwlock_clockwrlock(pthread_rwlock_t* lock, clockid_t clock,
                                                  const timespec* until) noexcept {
  using namespace racelab::watch;
  return take_in_time(lock, lock_kind::writer, [&] { return clockwrlock_next(lock, clock, until); });
}
RACELAB_INTERPOSED int pthread_rwlock_unlock(pthread_rwlock_t* lock) noexcept {
  racelab::watch::given_back(lock);
  return racelab::watch::rwlock_unlock_next(lock);
}

RACELAB_INTERPOSED int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  const racelab::watch::let_go meanwhile(mutex);
  return racelab::watch::wait_next(condition, mutex);
}
RACELAB_INTERPOSED int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                                              const timespec* until) {
  const racelab::watch::let_go meanwhile(mutex);
  return racelab::watch::timedwait_next(condition, mutex, until);
}
RACELAB_INTERPOSED int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                                              clockid_t clock, const timespec* until) {
  const racelab::watch::let_go meanwhile(mutex);
  return racelab::watch::clockwait_next(condition, mutex, clock, until);
}
