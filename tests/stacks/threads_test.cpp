#include "stacks/threads.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "stacks/registry.hpp"
#include "stacks/symbolise.hpp"

namespace {

using namespace racelab::stacks;
using namespace std::chrono_literals;

std::vector<std::uint32_t> live_ids() {
  std::vector<std::uint32_t> ids;
  for_each_thread(
      [](thread_record& record, void* argument) {
        static_cast<std::vector<std::uint32_t>*>(argument)->push_back(record.id.load());
      },
      &ids);
  return ids;
}

bool mentions(const raw_trace& trace, const std::string& function) {
  const auto frames = symboliser(getpid()).resolve(trace.frames(), trace.exact_top);
  return std::ranges::any_of(
      frames, [&](const frame& each) { return each.function.find(function) != std::string::npos; });
}

TEST(Threads, TheMainThreadIsNumberOne) {
  EXPECT_EQ(self().id.load(), 1U);
  EXPECT_EQ(self().tid.load(), getpid());
  EXPECT_EQ(&self(), current);
  EXPECT_EQ(self().created_by.size, 0U);
}

TEST(Threads, AreRegisteredBeforeTheyRun) {
  thread_record* found = nullptr;
  pid_t tid = 0;
  std::thread([&] {
    found = current;
    tid = gettid();
  }).join();
  ASSERT_NE(found, nullptr);
  EXPECT_NE(tid, 0);
  EXPECT_EQ(live_ids(), std::vector<std::uint32_t>{1});
}

TEST(Threads, AreNumberedInTheOrderOfTheirCreation) {
  std::array<std::uint32_t, 5> ids{};
  std::vector<std::thread> threads;
  for (std::uint32_t& id : ids) threads.emplace_back([&id] { id = self().id.load(); });
  for (std::thread& each : threads) each.join();
  EXPECT_TRUE(std::ranges::is_sorted(ids));
  EXPECT_EQ(ids.back() - ids.front(), 4U);
}

[[gnu::noinline]] void spawn_and_join(raw_trace& created_by) {
  std::thread([&] { created_by = self().created_by; }).join();
  asm volatile("");
}

TEST(Threads, KnowWhoCreatedThem) {
  raw_trace created_by;
  spawn_and_join(created_by);
  EXPECT_TRUE(mentions(created_by, "spawn_and_join"));
  EXPECT_FALSE(mentions(created_by, "pthread_create"));
}

TEST(Threads, AreListedWhileTheyLive) {
  std::atomic<std::uint32_t> id{0};
  std::atomic<bool> leave{false};
  std::thread thread([&] {
    id = self().id.load();
    while (!leave) std::this_thread::yield();
  });
  while (id == 0) std::this_thread::yield();
  EXPECT_EQ(live_ids(), (std::vector<std::uint32_t>{1, id}));
  EXPECT_EQ(live_threads(), 2U);
  leave = true;
  thread.join();
  EXPECT_EQ(live_ids(), std::vector<std::uint32_t>{1});
  EXPECT_EQ(live_threads(), 1U);
}

TEST(Threads, GiveTheirRecordsBackHoweverManyThereWere) {
  std::uint32_t last_id = 0;
  thread_record* record = nullptr;
  for (std::size_t i = 0; i < max_threads + 10; ++i) {
    std::thread([&] {
      record = current;
      last_id = self().id.load();
    }).join();
    ASSERT_NE(record, nullptr);
    ASSERT_NE(last_id, 0U);
  }
  EXPECT_GT(last_id, max_threads);
  EXPECT_EQ(record->tid.load(), 0);
}

TEST(Threads, ShareOneRecordWhenThereAreTooMany) {
  std::vector<thread_record*> reserved;
  while (thread_record* const next = reserve_thread({})) reserved.push_back(next);
  EXPECT_EQ(reserved.size(), max_threads - 1);  // all but the main thread's
  std::array<std::uint32_t, 2> ids{7, 7};
  std::array<thread_record*, 2> records{};
  for (std::size_t i = 0; i < 2; ++i) {
    std::thread([&] {
      records[i] = &self();
      ids[i] = self().id.load();
    }).join();
  }
  for (thread_record* each : reserved) give_back_thread(*each);
  EXPECT_EQ(ids, (std::array<std::uint32_t, 2>{0, 0}));
  EXPECT_EQ(records[0], records[1]);
  EXPECT_EQ(live_ids(), std::vector<std::uint32_t>{1});
}

TEST(Threads, GiveTheirRecordBackIfTheyCannotBeCreated) {
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, std::size_t{1} << 60U), 0);
  pthread_t thread{};
  for (std::size_t i = 0; i < max_threads + 10; ++i) {
    ASSERT_NE(pthread_create(&thread, &attributes, [](void*) -> void* { return nullptr; }, nullptr), 0);
  }
  pthread_attr_destroy(&attributes);
  EXPECT_EQ(live_ids(), std::vector<std::uint32_t>{1});
}

struct says_its_number {
  explicit says_its_number(std::uint32_t* number) : into(number) {}
  says_its_number(const says_its_number&) = delete;
  says_its_number& operator=(const says_its_number&) = delete;
  ~says_its_number() { *into = self().id.load(); }

  std::uint32_t* into;
};

TEST(Threads, KeepTheirRecordForThreadLocalDestructors) {
  std::uint32_t running = 0;
  std::uint32_t ending = 0;
  std::thread([&] {
    thread_local says_its_number at_end{nullptr};
    at_end.into = &ending;
    running = self().id.load();
  }).join();
  EXPECT_NE(running, 0U);
  EXPECT_EQ(ending, running);
}

TEST(Threads, EndByPthreadExit) {
  pthread_t thread{};
  std::uint32_t unwound = 0;
  ASSERT_EQ(pthread_create(
                &thread, nullptr,
                [](void* into) -> void* {
                  const says_its_number in_scope{static_cast<std::uint32_t*>(into)};
                  pthread_exit(nullptr);
                },
                &unwound),
            0);
  ASSERT_EQ(pthread_join(thread, nullptr), 0);
  EXPECT_NE(unwound, 0U);
  EXPECT_EQ(live_ids(), std::vector<std::uint32_t>{1});
}

TEST(Threads, EndByCancellation) {
  pthread_t thread{};
  std::atomic<bool> running{false};
  ASSERT_EQ(pthread_create(
                &thread, nullptr,
                [](void* flag) -> void* {
                  static_cast<std::atomic<bool>*>(flag)->store(true);
                  for (;;) pause();
                },
                &running),
            0);
  while (!running) std::this_thread::yield();
  ASSERT_EQ(pthread_cancel(thread), 0);
  ASSERT_EQ(pthread_join(thread, nullptr), 0);
  EXPECT_EQ(live_ids(), std::vector<std::uint32_t>{1});
}

TEST(Threads, AreForgottenInTheChildOfAFork) {
  std::atomic<bool> leave{false};
  std::thread other([&] {
    while (!leave) std::this_thread::yield();
  });
  const pid_t child = fork();
  if (child == 0) {
    const bool right =
        live_ids() == std::vector<std::uint32_t>{1} && self().id.load() == 1 && self().tid.load() == getpid();
    _exit(right ? 0 : 1);
  }
  leave = true;
  other.join();
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(AlternateStacks, AreGivenToThreadsThatStartLater) {
  // In a process of its own, for it changes all threads to come.
  const pid_t child = fork();
  if (child == 0) {
    give_alternate_stacks();
    stack_t found{};
    std::thread([&] { sigaltstack(nullptr, &found); }).join();
    _exit((found.ss_flags & SS_DISABLE) == 0 && found.ss_size >= 32768 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

// ---- capture_other
// ----------------------------------------------------------------------------------------------

// A thread that is at `place` until it is told to leave.
class busy_thread {
 public:
  template <typename Place>
  explicit busy_thread(Place place)
      : thread_([this, place] {
          record_ = current;
          place(leave_);
        }) {
    while (record_.load() == nullptr) std::this_thread::yield();
  }
  ~busy_thread() { end(); }
  busy_thread(const busy_thread&) = delete;
  busy_thread& operator=(const busy_thread&) = delete;

  thread_record& record() { return *record_.load(); }
  void end() {
    leave_ = true;
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::atomic<bool> leave_{false};
  std::atomic<thread_record*> record_{nullptr};
  std::thread thread_;
};

[[gnu::noinline]] void spin_here(const std::atomic<bool>& leave) {
  while (!leave.load(std::memory_order_relaxed)) {
  }
}

[[gnu::noinline]] ssize_t read_here(int fd) {
  char byte = 0;
  const ssize_t got = read(fd, &byte, 1);
  asm volatile("");
  return got;
}

// Asks until the thread has come to `function`; the test's time limit bounds it.
void expect_seen_in(thread_record& record, const char* function) {
  raw_trace trace;
  do {
    ASSERT_TRUE(capture_other(record, trace, 5s));
  } while (!mentions(trace, function));
  EXPECT_TRUE(trace.exact_top);
}

TEST(CaptureOther, SeesAThreadThatSpins) {
  busy_thread spinner(spin_here);
  expect_seen_in(spinner.record(), "spin_here");
}

TEST(CaptureOther, SeesAThreadThatSleepsAndLetsItSleepOn) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  std::atomic<ssize_t> got{-2};
  busy_thread sleeper([&](const std::atomic<bool>&) { got = read_here(ends[0]); });
  expect_seen_in(sleeper.record(), "read_here");
  EXPECT_EQ(got.load(), -2);  // neither EINTR nor anything else has ended its read
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  sleeper.end();
  EXPECT_EQ(got.load(), 1);
  close(ends[0]);
  close(ends[1]);
}

// Calls that Linux restarts after no handler, each until somebody ends it; what they return is theirs, and 0.
class never_restarted {
 public:
  never_restarted() {
    EXPECT_EQ(pipe(ends_.data()), 0);
    queue_ = msgget(IPC_PRIVATE, 0600);
    semaphore_ = semget(IPC_PRIVATE, 1, 0600);
    polled_ = epoll_create1(0);
    epoll_event event{.events = EPOLLIN, .data = {}};
    EXPECT_EQ(epoll_ctl(polled_, EPOLL_CTL_ADD, ends_[0], &event), 0);
  }
  ~never_restarted() {
    for (const int each : {ends_[0], ends_[1], polled_}) close(each);
    msgctl(queue_, IPC_RMID, nullptr);
    semctl(semaphore_, 0, IPC_RMID);
  }
  never_restarted(const never_restarted&) = delete;
  never_restarted& operator=(const never_restarted&) = delete;

  [[nodiscard]] int wait_in(const std::string& call) const {
    if (call == "msgrcv") {
      message into;
      return msgrcv(queue_, &into, sizeof into.text, 1, 0) == 1 ? 0 : errno;
    }
    if (call == "semop") {
      sembuf take{.sem_num = 0, .sem_op = -1, .sem_flg = 0};
      return semop(semaphore_, &take, 1) == 0 ? 0 : errno;
    }
    if (call == "poll") {
      pollfd readable{.fd = ends_[0], .events = POLLIN, .revents = 0};
      return poll(&readable, 1, -1) == 1 ? 0 : errno;
    }
    if (call == "epoll_wait") {
      epoll_event event{};
      return epoll_wait(polled_, &event, 1, -1) == 1 ? 0 : errno;
    }
    const timespec time{.tv_sec = 0, .tv_nsec = 300'000'000};
    return nanosleep(&time, nullptr) == 0 ? 0 : errno;
  }

  void end(const std::string& call) const {
    if (call == "msgrcv") {
      const message sent;
      EXPECT_EQ(msgsnd(queue_, &sent, sizeof sent.text, 0), 0);
    } else if (call == "semop") {
      sembuf give{.sem_num = 0, .sem_op = 1, .sem_flg = 0};
      EXPECT_EQ(semop(semaphore_, &give, 1), 0);
    } else if (call != "nanosleep") {
      EXPECT_EQ(write(ends_[1], "x", 1), 1);
    }
  }

 private:
  struct message {
    long type = 1;
    std::array<char, 1> text{};
  };
  std::array<int, 2> ends_{};
  int queue_ = -1;
  int semaphore_ = -1;
  int polled_ = -1;
};

[[gnu::noinline]] int wait_here(const never_restarted& calls, const std::string& call) {
  const int error = calls.wait_in(call);
  asm volatile("");
  return error;
}

class NeverRestarted : public testing::TestWithParam<const char*> {};

TEST_P(NeverRestarted, GoesOnAfterACapture) {
#if !defined(__x86_64__)
  GTEST_SKIP() << "SKIPPED: only on x86-64 does an interrupted call begin again";
#endif
  const never_restarted calls;
  std::atomic<int> error{-1};
  busy_thread waiting([&](const std::atomic<bool>&) { error = wait_here(calls, GetParam()); });
  expect_seen_in(waiting.record(), "wait_here");
  for (int i = 0; i < 20; ++i) {
    raw_trace trace;
    ASSERT_TRUE(capture_other(waiting.record(), trace, 5s));
    EXPECT_TRUE(mentions(trace, "wait_here"));
    EXPECT_EQ(error.load(), -1);
  }
  calls.end(GetParam());
  waiting.end();
  EXPECT_EQ(error.load(), 0) << strerror(error.load());
}

INSTANTIATE_TEST_SUITE_P(All, NeverRestarted,
                         testing::Values("msgrcv", "semop", "poll", "epoll_wait", "nanosleep"),
                         [](const auto& each) { return std::string(each.param); });

TEST(CaptureOther, LeavesAnotherSignalsInterruptionAlone) {
  // Not ours: the program's handler ends its wait, as it is meant to.
  struct sigaction action{};
  action.sa_handler = [](int) {};
  ASSERT_EQ(sigaction(SIGUSR1, &action, nullptr), 0);
  const never_restarted calls;
  std::atomic<int> error{-1};
  std::atomic<pthread_t> thread{};
  busy_thread waiting([&](const std::atomic<bool>&) {
    thread = pthread_self();
    error = wait_here(calls, "semop");
  });
  expect_seen_in(waiting.record(), "wait_here");
  while (error == -1) {
    ASSERT_EQ(pthread_kill(thread, SIGUSR1), 0);
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_EQ(error.load(), EINTR);
  waiting.end();
}

TEST(CaptureOther, CapturesTheCallerItself) {
  raw_trace trace;
  ASSERT_TRUE(capture_other(self(), trace, 0ms));
  ASSERT_GT(trace.size, 0U);
  EXPECT_FALSE(trace.exact_top);
  const auto frames = symboliser(getpid()).resolve(trace.frames().first(1), false);
  EXPECT_NE(frames[0].function.find("CapturesTheCallerItself"), std::string::npos) << frames[0].function;
}

TEST(CaptureOther, IsRefusedByAThreadThatHasEnded) {
  busy_thread brief([](const std::atomic<bool>&) {});
  brief.end();
  raw_trace trace;
  EXPECT_FALSE(capture_other(brief.record(), trace, 5s));
}

sigset_t capture_signal_only() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 3);
  return set;
}

TEST(CaptureOther, GivesUpOnAThreadThatBlocksTheSignalAndCanAskItAgain) {
  std::atomic<int> step{0};
  busy_thread deaf([&](const std::atomic<bool>& leave) {
    const sigset_t signals = capture_signal_only();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    step = 1;
    while (step < 2) std::this_thread::yield();
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // here the late signals arrive
    step = 3;
    spin_here(leave);
  });
  while (step < 1) std::this_thread::yield();
  raw_trace trace;
  for (int i = 0; i < 200; ++i) EXPECT_FALSE(capture_other(deaf.record(), trace, 0ms));
  EXPECT_FALSE(capture_other(deaf.record(), trace, 10ms));
  EXPECT_EQ(trace.size, 0U);
  step = 2;
  while (step < 3) std::this_thread::yield();
  EXPECT_EQ(trace.size, 0U);
  expect_seen_in(deaf.record(), "spin_here");
}

TEST(CaptureOther, LetsEightThreadsAskOneAnother) {
  constexpr std::size_t count = 8;
  constexpr int rounds = 25;
  std::array<std::atomic<thread_record*>, count> records{};
  std::atomic<int> answers{0};
  std::atomic<std::size_t> done{0};
  std::vector<std::thread> threads;
  for (std::size_t me = 0; me < count; ++me) {
    threads.emplace_back([&, me] {
      records[me] = current;
      for (auto& each : records) {
        while (each.load() == nullptr) std::this_thread::yield();
      }
      for (int round = 0; round < rounds; ++round) {
        for (std::size_t other = 0; other < count; ++other) {
          raw_trace trace;
          if (other != me && capture_other(*records[other], trace, 10s) && trace.size > 0) ++answers;
        }
      }
      ++done;
      while (done < count) std::this_thread::yield();  // the others still ask
    });
  }
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(answers.load(), static_cast<int>(count * (count - 1)) * rounds);
}

TEST(CaptureOther, EndsWithTheThreadItAsks) {
  // Threads that end at any moment, with or without having answered: nothing hangs, nothing is written late.
  for (int i = 0; i < 200; ++i) {
    busy_thread brief([](const std::atomic<bool>&) {});
    raw_trace trace;
    const auto start = std::chrono::steady_clock::now();
    const bool answered = capture_other(brief.record(), trace, 60s);
    EXPECT_EQ(trace.size > 0, answered);
    ASSERT_LT(std::chrono::steady_clock::now() - start, 30s);
  }
}

}  // namespace
