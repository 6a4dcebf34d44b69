// Why a launcher of our own: Boost.Process v2 needs Boost.Filesystem's library before Boost 1.82, hides the
// step between fork and exec behind templates, and owns the waiting, which a subreaper must do itself. What
// is wanted here is that step: twelve system calls in a fixed order.
#include "lab/trial.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>

namespace racelab::lab {
namespace {

constexpr std::array outcome_names{"intact", "corrupt", "crash", "fatal", "hang", "report", "other"};

struct pipe_ends {
  unique_fd read;
  unique_fd write;
};

pipe_ends make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "can't make a pipe");
  }
  return {unique_fd(ends[0]), unique_fd(ends[1])};
}

/// The n-th (modulo their number) of the processors that this process may use.
cpu_set_t one_processor(unsigned n) {
  cpu_set_t allowed;
  cpu_set_t chosen;
  CPU_ZERO(&allowed);
  CPU_ZERO(&chosen);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) == 0) CPU_SET(0, &allowed);
  unsigned left = n % static_cast<unsigned>(CPU_COUNT(&allowed));
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &allowed) && left-- == 0) {
      CPU_SET(cpu, &chosen);
      break;
    }
  }
  return chosen;
}

/// All that the child needs, made before it is: afterwards nothing may allocate.
struct launch_plan {
  const trial_request& request;
  std::vector<char*> arguments;
  std::vector<char*> environment;
  cpu_set_t processors;
  pid_t parent;
  int standard_input;
  int standard_output;
  int standard_error;
  const char* failed_step = nullptr;  // set by the child, which has its parent's memory
  int failed_error = 0;
};

/// Between clone and exec, in the parent's memory: system calls only. Returns the step that failed, or does not return.
const char* become_program(const launch_plan& plan) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return "can't be tied to racelab's life";
  if (getppid() != plan.parent) _exit(127);  // racelab died before the line above
  if (setpgid(0, 0) != 0) return "can't have a process group of its own";
  if (dup2(plan.standard_input, STDIN_FILENO) < 0 || dup2(plan.standard_output, STDOUT_FILENO) < 0 ||
      dup2(plan.standard_error, STDERR_FILENO) < 0) {
    return "can't have its streams";
  }

  if (plan.request.core_file) {
    // Above the hard limit for who may, otherwise up to it.
    rlimit core{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    if (setrlimit(RLIMIT_CORE, &core) != 0) {
      if (getrlimit(RLIMIT_CORE, &core) != 0) return "can't have its core limit";
      core.rlim_cur = core.rlim_max;
      if (setrlimit(RLIMIT_CORE, &core) != 0) return "can't have its core limit";
    }
  } else {
    // 1 and not 0: a core of size 0 still starts the pipe handler of core_pattern, and 1 is the value at which
    // the kernel makes none at all (fs/coredump.c, do_coredump). Where 1 isn't permitted the limit is 0
    // already.
    const rlimit no_core{.rlim_cur = 1, .rlim_max = 1};
    if (setrlimit(RLIMIT_CORE, &no_core) != 0 && errno != EPERM) return "can't have its core limit";
  }
  if (plan.request.memory_limit != 0) {
    rlimit memory{};
    if (getrlimit(RLIMIT_AS, &memory) != 0) return "can't have its memory limit";
    memory.rlim_max = std::min<rlim_t>(memory.rlim_max, plan.request.memory_limit);
    memory.rlim_cur = memory.rlim_max;
    if (setrlimit(RLIMIT_AS, &memory) != 0) return "can't have its memory limit";
  }
  if (!plan.request.randomise) {
    const int before = personality(0xffffffff);
    if (before < 0 || personality(static_cast<unsigned long>(before) | ADDR_NO_RANDOMIZE) < 0) {
      return "can't run without address-space randomisation";
    }
  }
  if (plan.request.one_cpu && sched_setaffinity(0, sizeof plan.processors, &plan.processors) != 0) {
    return "can't be bound to one processor";
  }

  if (!plan.request.working_folder.empty() && chdir(plan.request.working_folder.c_str()) != 0) {
    return "can't have its working folder";
  }

  // What racelab was given by others must not stay open in a program that hangs. Kernels before 5.11 can't.
  syscall(SYS_close_range, 3U, UINT_MAX, CLOSE_RANGE_CLOEXEC);

  // racelab's handlers share memory with its event loop: they go before signals come through again. An
  // ignored signal would be inherited.
  struct sigaction usual{};
  usual.sa_handler = SIG_DFL;
  for (const int number : {SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGABRT})
    sigaction(number, &usual, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);

  execve(plan.request.program.c_str(), plan.arguments.data(), plan.environment.data());
  return "can't be run";
}

int run_child(void* its_plan) {
  auto& plan = *static_cast<launch_plan*>(its_plan);
  plan.failed_step = become_program(plan);
  plan.failed_error = errno;
  return 127;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& one : strings) result.push_back(one.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

std::string_view name(outcome what) noexcept { return outcome_names[static_cast<std::size_t>(what)]; }

bool is_failure(outcome what) noexcept {
  return what == outcome::corrupt || what == outcome::crash || what == outcome::fatal ||
         what == outcome::hang;
}

void line_watch::read(std::string_view piece) noexcept {
  const std::size_t another_line = prefix_.size() + 1;
  for (const char c : piece) {
    if (seen()) return;
    if (c == '\n') {
      matched_ = 0;
    } else if (matched_ != another_line) {
      matched_ = c == prefix_[matched_] ? matched_ + 1 : another_line;
    }
  }
}

void judge(int wait_status, bool timed_out, const protocol_lines& said, trial_result& result) {
  if (WIFSIGNALED(wait_status)) {
    result.signal = WTERMSIG(wait_status);
  } else {
    result.exit_code = WEXITSTATUS(wait_status);
  }
  const auto no_protocol = [&](std::string why) {
    result.what = outcome::other;
    result.why = std::move(why);
  };

  if (timed_out) {
    result.what = outcome::hang;
  } else if (result.signal != 0) {
    // These come from outside (the kernel's out-of-memory killer, a person): they tell nothing of the
    // program.
    const bool from_outside = result.signal == SIGKILL || result.signal == SIGTERM ||
                              result.signal == SIGINT || result.signal == SIGHUP;
    if (from_outside) {
      no_protocol(fmt::format("killed by signal {} from outside", result.signal));
    } else {
      result.what = outcome::crash;
    }
  } else if (result.exit_code == 0) {
    if (said.corrupt.seen()) {
      no_protocol("exit 0 though it printed a line 'corrupt: '");
    } else {
      result.what = outcome::intact;
    }
  } else if (result.exit_code == 1) {
    if (said.corrupt.seen()) {
      result.what = outcome::corrupt;
    } else {
      no_protocol("exit 1 without a line 'corrupt: ' on stdout");
    }
  } else if (result.exit_code == 2) {
    if (said.fatal.seen()) {
      result.what = outcome::fatal;
    } else {
      no_protocol("exit 2 without a line 'fatal error: ' on stderr");
    }
  } else if (result.exit_code == 66) {
    if (result.standard_error.find("Sanitizer") != std::string::npos) {
      result.what = outcome::report;
    } else {
      no_protocol("exit 66 without a sanitizer's report on stderr");
    }
  } else {
    no_protocol(fmt::format("exit {}", result.exit_code));
  }
}

child_process launch(const trial_request& request, unsigned processor) {
  const auto fail = [&](const char* step, int error) {
    throw std::system_error(error, std::generic_category(),
                            fmt::format("{} {}", request.program.string(), step));
  };

  pipe_ends output = make_pipe();
  pipe_ends errors = make_pipe();
  const std::string input = request.standard_input.empty() ? "/dev/null" : request.standard_input.string();
  const unique_fd opened_input(open(input.c_str(), O_RDONLY | O_CLOEXEC));
  if (opened_input.get() < 0) throw std::system_error(errno, std::generic_category(), input);
  // Only the reading end: the writing end is the program's, which expects a stream that waits.
  fcntl(output.read.get(), F_SETFL, O_NONBLOCK);
  fcntl(errors.read.get(), F_SETFL, O_NONBLOCK);

  std::vector<std::string> arguments{request.program.string()};
  arguments.insert(arguments.end(), request.arguments.begin(), request.arguments.end());
  std::vector<std::string> environment = request.environment;
  launch_plan plan{.request = request,
                   .arguments = pointers(arguments),
                   .environment = pointers(environment),
                   .processors = one_processor(processor),
                   .parent = getpid(),
                   .standard_input = opened_input.get(),
                   .standard_output = output.write.get(),
                   .standard_error = errors.write.get()};

  // No signal may reach the child while it still has racelab's handlers.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  // As vfork(), on a stack of its own. fork() copies this process's page tables and then each page that it writes to, which
  // costs as much as a short trial.
  std::vector<std::byte> stack(std::size_t{64} << 10U);
  const pid_t pid = clone(run_child, stack.data() + stack.size(), CLONE_VM | CLONE_VFORK | SIGCHLD, &plan);
  const int clone_error = errno;
  sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) fail("can't have a process", clone_error);
  if (plan.failed_step != nullptr) {
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    fail(plan.failed_step, plan.failed_error);
  }
  return {.pid = pid, .standard_output = std::move(output.read), .standard_error = std::move(errors.read)};
}

pid_t busiest_thread(pid_t process) {
  pid_t busiest = process;
  unsigned long long most = 0;
  std::error_code error;
  const std::filesystem::path threads = fmt::format("/proc/{}/task", process);
  for (std::filesystem::directory_iterator thread(threads, error), end; !error && thread != end;
       thread.increment(error)) {
    // proc(5), stat: after the name in parentheses come state, …, utime and stime as the 14th and 15th
    // fields.
    std::ifstream file(thread->path() / "stat");
    std::string line;
    std::getline(file, line);
    const std::size_t name_end = line.rfind(')');
    if (name_end == std::string::npos) continue;
    std::istringstream fields(line.substr(name_end + 1));
    std::string skipped;
    for (int field = 3; field < 14; ++field) fields >> skipped;
    unsigned long long user = 0;
    unsigned long long system = 0;
    if (fields >> user >> system && user + system > most) {
      most = user + system;
      busiest = static_cast<pid_t>(std::stol(thread->path().filename().string()));
    }
  }
  return busiest;
}

}  // namespace racelab::lab
