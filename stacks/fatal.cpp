#include "stacks/fatal.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <string_view>

#include "stacks/raw_lines.hpp"
#include "stacks/report.hpp"
#include "stacks/report_turn.hpp"
#include "stacks/signal_safe.hpp"

namespace racelab::stacks {

void die_by(int signal_number) noexcept {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  sigaction(signal_number, &action, nullptr);
  syscall(SYS_tgkill, getpid(), gettid(), signal_number);  // signal-safe: a bare system call
}

namespace {

constexpr const char* child_variable = "RACELAB_SYMBOLISER";
constexpr int child_patience_ms = 10'000;
constexpr std::chrono::milliseconds thread_patience{100};
constexpr std::chrono::milliseconds patience_for_all{1'000};

// ---- The child
// ------------------------------------------------------------------------------------------------

bool read_exactly(int fd, void* into, std::size_t size) {
  auto* at = static_cast<char*>(into);
  while (size > 0) {
    const ssize_t got = read(fd, at, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool print_what_is_asked(int request, int output) {
  try {
    report_head head;
    if (!read_exactly(request, &head, sizeof head)) return false;
    std::vector<report_thread> threads;
    report_thread thread;
    while (read_exactly(request, &thread, sizeof thread)) threads.push_back(thread);
    write_all(output, format_report(head, threads));
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

// Takes over before main, and before the constructors of the program's own objects, in a process that
// become_printer() started: standard input is the request, standard output where to print.
[[gnu::constructor(101)]] void print_if_asked() {
  if (getenv(child_variable) == nullptr) return;
  const bool printed = print_what_is_asked(STDIN_FILENO, STDOUT_FILENO);
  if (printed) write_all(STDIN_FILENO, "1");
  _exit(printed ? 0 : 1);
}

// Runs between fork and exec: signal-safe calls only (POSIX; prctl and close_range are bare system calls).
[[noreturn]] void become_printer(int request, int output) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Out of the way of 0 and 1 first: the two may stand crosswise.
  request = fcntl(request, F_DUPFD, 3);
  output = fcntl(output, F_DUPFD, 3);
  if (request < 0 || output < 0 || dup2(request, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0)
    _exit(127);
  syscall(SYS_close_range, 3U, ~0U, 0U);

  std::array name{'r', 'a', 'c', 'e', 'l', 'a', 'b', '-', 's', 'y',
                  'm', 'b', 'o', 'l', 'i', 's', 'e', 'r', '\0'};
  static constexpr std::string_view variable = "RACELAB_SYMBOLISER=1";
  std::array<char, variable.size() + 1> asked{};
  std::ranges::copy(variable, asked.begin());
  std::array<char*, 2> arguments{name.data(), nullptr};
  // What the dynamic linker needs to start the same program, and nothing that would make malloc slow or a
  // debug information server be asked.
  std::array<char*, 4> variables{asked.data(), nullptr, nullptr, nullptr};
  std::size_t count = 1;
  for (char** each = environ; each != nullptr && *each != nullptr && count + 1 < variables.size(); ++each) {
    const std::string_view text(*each);
    if (text.starts_with("LD_LIBRARY_PATH=") || text.starts_with("LD_PRELOAD=")) variables[count++] = *each;
  }
  execve("/proc/self/exe", arguments.data(), variables.data());
  _exit(127);
}

// ---- The dying process: from here on signal-safe calls only (POSIX' list, where nothing else is said)
// ------------

enum class level { none, single, all, system, crash };

struct traceback {
  level how_much = level::single;
  bool json = false;
};

// getenv is not on POSIX' list; glibc's only reads.
traceback wanted_traceback() {
  const char* const text = getenv("RACELAB_TRACEBACK");
  std::string_view value = text == nullptr ? "" : text;
  traceback wanted;
  constexpr std::string_view as_json = ",json";
  if (value.ends_with(as_json)) {
    wanted.json = true;
    value.remove_suffix(as_json.size());
  }
  if (value == "none") wanted.how_much = level::none;
  if (value == "all") wanted.how_much = level::all;
  if (value == "system") wanted.how_much = level::system;
  if (value == "crash") wanted.how_much = level::crash;
  return wanted;
}

// A child that prints, and the socket to it. A socket rather than a pipe: a write to a dead child must not
// raise SIGPIPE.
class printer {
 public:
  explicit printer(int output) {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return;
    // No handler of this program may run in the child. It is left so: the child needs no signal but SIGKILL,
    // and a fault kills in spite of the mask.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    child_ = _Fork();  // unlike fork, signal-safe: glibc manual
    if (child_ == 0) become_printer(ends[1], output);
    // Where Yama lets only a parent look, the child may see in which system calls our threads are. A bare system call.
    if (child_ > 0) prctl(PR_SET_PTRACER, static_cast<unsigned long>(child_), 0UL, 0UL, 0UL);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    close(ends[1]);
    socket_ = ends[0];
    listening_ = child_ > 0;
    const timeval patience{child_patience_ms / 1000, 0};
    setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }

  ~printer() {
    if (socket_ >= 0) close(socket_);
    if (child_ > 0) {
      if (!printed_) kill(child_, SIGKILL);
      while (waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
      }
    }
  }

  printer(const printer&) = delete;
  printer& operator=(const printer&) = delete;

  template <typename Message> void send(const Message& message) {
    const auto* at = reinterpret_cast<const char*>(&message);
    for (std::size_t left = sizeof message; listening_ && left > 0;) {
      const ssize_t sent = ::send(socket_, at, left, MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) {
        listening_ = false;  // dead, or busy with something else for 10 s
        return;
      }
      at += sent;
      left -= static_cast<std::size_t>(sent);
    }
  }

  /// Says that this was all, and waits. False if the child has not printed.
  bool finish() {
    if (!listening_) return false;
    shutdown(socket_, SHUT_WR);
    pollfd answer{socket_, POLLIN, 0};
    int ready = 0;
    while ((ready = poll(&answer, 1, child_patience_ms)) < 0 && errno == EINTR) {
    }
    char byte = 0;
    printed_ = ready > 0 && read_exactly(socket_, &byte, 1);
    return printed_;
  }

 private:
  pid_t child_ = -1;
  int socket_ = -1;
  bool listening_ = false;
  bool printed_ = false;
};

template <std::size_t Size> void copy_text(std::array<char, Size>& into, const char* text) {
  if (text == nullptr) return;
  std::string_view(text).copy(into.data(), Size - 1);
}

struct walk {
  printer* to;
  std::span<const thread_trace> shown;
  std::int64_t until_ns;  // on the monotonic clock: then those that have not answered yet are not asked
};

// clock_gettime is on POSIX' list.
std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// One thread of `all`, unless it has been shown.
void send_other(thread_record& other, void* argument) {
  const auto& [to, shown, until_ns] = *static_cast<walk*>(argument);
  report_thread message;
  message.id = other.id.load(std::memory_order_relaxed);
  message.tid = other.tid.load(std::memory_order_relaxed);
  const bool done =
      std::ranges::any_of(shown, [&](const thread_trace& each) { return each.id == message.id; });
  if (done || message.tid == 0) return;
  const auto left = std::chrono::milliseconds((until_ns - now_ns()) / 1'000'000);
  const bool has_stack =
      left.count() > 0 && capture_other(other, message.stack, std::min(left, thread_patience));
  if (!has_stack) copy_text(message.note, no_stack_note);
  message.created_by = other.created_by;
  // It may have ended meanwhile and left its record to another.
  if (other.id.load(std::memory_order_relaxed) != message.id) return;
  to->send(message);
}

bool print_by_child(int fd, const traceback& wanted, std::span<const thread_trace> threads) {
  printer child(fd);
  report_head head;
  head.process = getpid();
  head.system = wanted.how_much == level::system || wanted.how_much == level::crash;
  head.json = wanted.json;
  child.send(head);
  for (const thread_trace& each : threads) {
    report_thread message;
    message.id = each.id;
    copy_text(message.state, each.state);
    copy_text(message.note, each.note);
    message.stack = each.stack;
    message.created_by = each.created_by;
    child.send(message);
  }
  if (wanted.how_much == level::all || wanted.how_much == level::crash) {
    walk others{&child, threads, now_ns() + std::chrono::nanoseconds(patience_for_all).count()};
    for_each_thread(send_other, &others);
  }
  return child.finish();
}

// The kernel's number of the thread that reports, 0 if none does. Acquire and release, so that one report's
// writes to shared state are done when the next begins.
constinit std::atomic<pid_t> reporter{0};

void write_message(int fd, const char* message) {
  write_all(fd, message);
  write_all(fd, "\n");
}

}  // namespace

turn take_report_turn() noexcept {
  const pid_t me = gettid();
  const timespec pause{0, 1'000'000};
  for (int waited_ms = 0; waited_ms < child_patience_ms * 3 / 2; ++waited_ms) {
    pid_t other = 0;
    if (reporter.compare_exchange_strong(other, me, std::memory_order_acquire)) return turn::taken;
    if (other == me) return turn::nested;
    nanosleep(&pause, nullptr);
  }
  return turn::timed_out;
}

void leave_report_turn() noexcept { reporter.store(0, std::memory_order_release); }

void write_threads(int fd, std::span<const thread_trace> threads) noexcept {
  const traceback wanted = wanted_traceback();
  if (wanted.how_much == level::none) return;
  if (!print_by_child(fd, wanted, threads)) write_raw_threads(fd, threads);
}

void print_report(int fd, const char* message, std::span<const thread_trace> threads) noexcept {
  const kept_errno kept;
  const turn mine = take_report_turn();
  write_message(fd, message);
  write_threads(fd, threads);
  if (mine == turn::taken) leave_report_turn();
}

void die_with_report(int fd, const char* message, std::span<const thread_trace> threads,
                     int exit_code) noexcept {
  take_report_turn();
  write_message(fd, message);
  write_threads(fd, threads);
  if (wanted_traceback().how_much == level::crash) die_by(SIGABRT);
  _exit(exit_code);
}

}  // namespace racelab::stacks
