// How one thread asks another for its stack.
//
// A request lives in static storage, so an answer that comes too late finds memory that is still there. Its
// state is one word, a generation and a phase; the signal carries the word, so a late or repeated signal
// finds that the word has changed and does nothing:
//
//   idle -> filling -> asked -> answering -> answered -> idle      the asker: filling, asked, the last idle
//                        |          |    \-> refused  -> idle      the target's handler: answering, answered,
//                        refused |          \------> abandoned -> idle     given up in mid-answer: the
//                        handler ends it
//                        \-> idle                                  given up before the handler ran
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>

#include "stacks/blocked_call.hpp"
#include "stacks/registry.hpp"
#include "stacks/signal_safe.hpp"

namespace racelab::stacks {
namespace {

enum phase : std::uint32_t { idle, filling, asked, answering, answered, refused, abandoned };
constexpr std::uint32_t phase_bits = 3;
constexpr std::uint32_t phase_mask = (1U << phase_bits) - 1;

constexpr std::uint32_t with_phase(std::uint32_t word, phase next) { return (word & ~phase_mask) | next; }
constexpr std::uint32_t next_generation(std::uint32_t word) {
  return (word & ~phase_mask) + (1U << phase_bits);
}

// Memory order: each change of phase that hands the other fields over is a release, and the other side's
// reading of it an acquire: filling -> asked publishes the target to the handler, answering -> answered the
// trace to the asker, and -> idle the end of all use to the next asker.
struct request {
  std::atomic<std::uint32_t> word{idle};
  const thread_record* target = nullptr;
  std::uint32_t target_id = 0;
  blocked_call call;  // what the target is in
  raw_trace trace;
};

constinit std::array<request, 64> requests{};

int capture_signal() { return SIGRTMIN + 3; }

// Signal-safe, both: bare system calls.
void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, std::chrono::nanoseconds at_most) {
  timespec timeout{};
  timeout.tv_sec = static_cast<time_t>(at_most.count() / 1'000'000'000);
  timeout.tv_nsec = static_cast<long>(at_most.count() % 1'000'000'000);
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, &timeout, nullptr, 0);
}

void futex_wake(std::atomic<std::uint32_t>& word) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

// What the signal carries: which request, and the word that it had when it was sent.
void* pack(std::size_t index, std::uint32_t word) {
  return reinterpret_cast<void*>((std::uintptr_t{index} << 32U) | word);
}

void answer(int /*signal*/, siginfo_t* info, void* ucontext) {
  if (info->si_code != SI_QUEUE || info->si_pid != getpid()) return;  // not from this file
  const auto packed = reinterpret_cast<std::uintptr_t>(info->si_value.sival_ptr);
  const std::size_t index = packed >> 32U;
  auto word = static_cast<std::uint32_t>(packed);
  if (index >= requests.size()) return;
  request& asked_for = requests[index];
  const std::uint32_t in_work = with_phase(word, answering);
  if (!asked_for.word.compare_exchange_strong(word, in_work, std::memory_order_acquire)) return;
  const kept_errno kept;
  // A thread number that the kernel has given to a new thread meanwhile must not pass for the old one.
  const bool meant = current != nullptr && current == asked_for.target &&
                     current->id.load(std::memory_order_relaxed) == asked_for.target_id;
  if (meant) {
    capture_interrupted(asked_for.trace, ucontext);
    begin_again(ucontext, asked_for.call);
  }
  std::uint32_t expected = in_work;
  if (asked_for.word.compare_exchange_strong(expected, with_phase(in_work, meant ? answered : refused),
                                             std::memory_order_release, std::memory_order_relaxed)) {
    futex_wake(asked_for.word);
  } else {
    asked_for.word.store(with_phase(in_work, idle), std::memory_order_release);
  }
}

void install_answering() {
  // Relaxed, and no lock: two threads that install at once install the same.
  static constinit std::atomic<bool> installed{false};
  if (installed.load(std::memory_order_relaxed)) return;
  struct sigaction action{};
  action.sa_sigaction = answer;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(capture_signal(), &action, nullptr);  // signal-safe: POSIX
  installed.store(true, std::memory_order_relaxed);
}

// Takes an idle request, leaving it in the phase `filling`; null if all are in use.
request* take_request() {
  for (request& candidate : requests) {
    std::uint32_t word = candidate.word.load(std::memory_order_relaxed);
    if ((word & phase_mask) != idle) continue;
    if (candidate.word.compare_exchange_strong(word, with_phase(next_generation(word), filling),
                                               std::memory_order_acquire, std::memory_order_relaxed)) {
      return &candidate;
    }
  }
  return nullptr;
}

bool send_request(pid_t tid, std::size_t index, std::uint32_t word) {
  siginfo_t info;
  std::memset(&info, 0, sizeof info);
  info.si_signo = capture_signal();
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_uid = getuid();
  info.si_value.sival_ptr = pack(index, word);
  return syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, capture_signal(), &info) ==
         0;  // signal-safe: system call
}

class deadline {
 public:
  explicit deadline(std::chrono::nanoseconds from_now) : end_(now() + from_now) {}
  [[nodiscard]] std::chrono::nanoseconds left() const {
    return std::max(end_ - now(), std::chrono::nanoseconds{0});
  }

 private:
  static std::chrono::nanoseconds now() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);  // signal-safe: POSIX
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
  }
  std::chrono::nanoseconds end_;
};

// Waits while the phase is `waiting_in` and time is left, a millisecond at a time, so that the target's end
// is seen. Returns the word.
std::uint32_t wait_while(request& sent, phase waiting_in, const deadline& until, pid_t tid,
                         std::uint32_t id) {
  for (;;) {
    const std::uint32_t word = sent.word.load(std::memory_order_acquire);
    if ((word & phase_mask) != waiting_in) return word;
    const auto left = until.left();
    const bool ended = sent.target->tid.load(std::memory_order_relaxed) != tid ||
                       sent.target->id.load(std::memory_order_relaxed) != id;
    if (left.count() == 0 || ended) return word;
    futex_wait(sent.word, word, std::min<std::chrono::nanoseconds>(left, std::chrono::milliseconds{1}));
  }
}

}  // namespace

bool capture_other(thread_record& other, raw_trace& into, std::chrono::milliseconds patience) noexcept {
  const std::uint32_t id = other.id.load(std::memory_order_relaxed);
  const pid_t tid = other.tid.load(std::memory_order_relaxed);
  if (tid == 0) return false;
  if (&other == current) {
    capture(into, 1);
    return true;
  }
  install_answering();
  const deadline until(patience);
  request* free_request = take_request();
  while (free_request == nullptr && until.left().count() > 0) {
    const timespec pause{0, 100'000};
    nanosleep(&pause, nullptr);  // signal-safe: POSIX
    free_request = take_request();
  }
  if (free_request == nullptr) return false;
  request& sent = *free_request;
  sent.target = &other;
  sent.target_id = id;
  sent.call = blocked_call_of(tid);
  std::uint32_t word = with_phase(sent.word.load(std::memory_order_relaxed), asked);
  sent.word.store(word, std::memory_order_release);
  if (!send_request(tid, static_cast<std::size_t>(&sent - requests.data()), word)) {
    sent.word.store(with_phase(word, idle), std::memory_order_release);
    return false;
  }

  word = wait_while(sent, asked, until, tid, id);
  if ((word & phase_mask) == asked &&
      sent.word.compare_exchange_strong(word, with_phase(word, idle), std::memory_order_relaxed,
                                        std::memory_order_acquire)) {
    return false;
  }
  // Now the handler runs, or has: it is only a matter of microseconds if the thread gets a core.
  if ((word & phase_mask) == answering) {
    const deadline grace(std::chrono::milliseconds{100});
    word = wait_while(sent, answering, grace, tid, id);
    if ((word & phase_mask) == answering &&
        sent.word.compare_exchange_strong(word, with_phase(word, abandoned), std::memory_order_relaxed,
                                          std::memory_order_acquire)) {
      return false;
    }
  }
  const bool got = (word & phase_mask) == answered;
  if (got) into = sent.trace;
  sent.word.store(with_phase(word, idle), std::memory_order_release);
  return got;
}

void forget_capture_requests() noexcept {
  for (request& pending : requests) {
    pending.word.store(next_generation(pending.word.load(std::memory_order_relaxed)),
                       std::memory_order_relaxed);
  }
}

}  // namespace racelab::stacks
