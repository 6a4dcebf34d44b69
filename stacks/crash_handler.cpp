// The crash handler. Everything in it is signal-safe (POSIX' list, and the functions of this library that say
// so).
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <atomic>

#include "stacks/fatal.hpp"
#include "stacks/registry.hpp"
#include "stacks/report_turn.hpp"
#include "stacks/signal_safe.hpp"

namespace racelab::stacks {
namespace {

struct crash_signal {
  int number;
  const char* name;  // Go's words
  bool has_address;
};

constexpr std::array crash_signals{
    crash_signal{SIGSEGV, "SIGSEGV: segmentation violation", true},
    crash_signal{SIGBUS, "SIGBUS: bus error", true},
    crash_signal{SIGILL, "SIGILL: illegal instruction", true},
    crash_signal{SIGFPE, "SIGFPE: floating-point exception", true},
    crash_signal{SIGABRT, "SIGABRT: abort", false},
};

std::uintptr_t program_counter(const ucontext_t& context) {
#ifdef __x86_64__
  return static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return context.uc_mcontext.pc;
#else
#error "racelab::stacks: which field of ucontext_t is the program counter?"
#endif
}

void report_crash(const crash_signal& what, const siginfo_t& info, void* ucontext) {
  // Ahead of the unwinding, which may fault if the stack is what is broken.
  fixed_text<256> message;
  message << "fatal error: unexpected signal\n[signal " << what.name;
  (message << " code=").hex(static_cast<std::uint32_t>(info.si_code));
  if (what.has_address) (message << " addr=").hex(reinterpret_cast<std::uintptr_t>(info.si_addr));
  (message << " pc=").hex(program_counter(*static_cast<const ucontext_t*>(ucontext)));
  message << "]\n";
  write_all(STDERR_FILENO, message.view());

  // Static, for the alternate stack is small; only the thread whose turn it is uses it.
  static constinit thread_trace crashed{};
  const thread_record& own = self();
  crashed.id = own.id.load(std::memory_order_relaxed);
  crashed.created_by = own.created_by;
  capture_interrupted(crashed.stack, ucontext);
  write_threads(STDERR_FILENO, {&crashed, 1});
}

// What the thread that reports has failed by.
constinit std::atomic<int> first_signal{0};

void on_crash(int signal_number, siginfo_t* info, void* ucontext) {
  // The turn is kept: whoever else has something to report waits until the process is dead.
  switch (take_report_turn()) {
    case turn::taken:
      first_signal.store(signal_number, std::memory_order_relaxed);
      for (const crash_signal& each : crash_signals) {
        if (each.number == signal_number) report_crash(each, *info, ucontext);
      }
      break;
    case turn::nested:
      // This thread is at a report. If that is of a crash and somebody has sent another signal (sigaction(2), si_code), the
      // report goes on; if the report itself has faulted, the process dies of what it was about.
      if (const int first = first_signal.load(std::memory_order_relaxed); first != 0) {
        if (info->si_code <= 0) return;
        signal_number = first;
      }
      break;
    case turn::timed_out:
      break;
  }
  die_by(signal_number);
}

}  // namespace

void install_crash_handler() noexcept {
  prepare_capture();
  give_alternate_stacks();
  struct sigaction action{};
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (const crash_signal& each : crash_signals) sigaction(each.number, &action, nullptr);
}

}  // namespace racelab::stacks
