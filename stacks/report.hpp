// Report: what the dying process writes to its child, and what the child makes of it. The inside of
// fatal.hpp.
#pragma once

#include <sys/types.h>

#include <array>
#include <string>
#include <vector>

#include "stacks/capture.hpp"

namespace racelab::stacks {

/// The first message.
struct report_head {
  pid_t process = 0;
  bool system = false;
  bool json = false;
};

/// Each further message, until the end of the stream.
struct report_thread {
  std::uint32_t id = 0;
  pid_t tid = 0;                 // set if `state` is to be read from /proc
  std::array<char, 32> state{};  // ends with a zero, as does the note
  std::array<char, 160> note{};
  raw_trace stack;
  raw_trace created_by;
};

/// The report, from the empty line on: text, or one line of JSON {"threads":[{"ids":[],"state":"","note":"","frames":[{"function",
/// "file","line","module","offset","inlined"}],"created_by":[]}]}. Threads whose state is read from /proc and whose stacks are
/// the same are told once, with their number. Throws std::system_error if the process's modules can't be read.
[[nodiscard]] std::string format_report(const report_head& head, const std::vector<report_thread>& threads);

/// What a thread that is alive waits for, as far as /proc tells: running, futex wait, sleep, IO wait, system call N,
/// in the kernel, stopped, ended; sleeping where the system keeps to itself in which call.
[[nodiscard]] std::string thread_state(pid_t process, pid_t tid);

/// What a report says of a thread whose stack it has not got.
inline constexpr const char* no_stack_note = "thread running on other CPU; stack unavailable";

}  // namespace racelab::stacks
