// Trial: one run of one program in a process of its own, and what came of it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "lab/unique_fd.hpp"

namespace racelab::lab {

/// How a run ended, by the protocol that every scenario program follows.
enum class outcome {
  intact,   // exit 0
  corrupt,  // exit 1, with a line `corrupt: …` on stdout that names the broken invariant
  crash,    // died by a signal
  fatal,    // exit 2, with a line `fatal error: …` on stderr: the write-flag detector
  hang,     // ran into its timeout
  report,   // exit 66, with a sanitizer's report on stderr
  other,    // spoke no protocol: nothing is learnt from the run
};

[[nodiscard]] std::string_view name(outcome what) noexcept;

/// The bug showed itself: corrupt, crash, fatal or hang.
[[nodiscard]] bool is_failure(outcome what) noexcept;

struct trial_request {
  std::filesystem::path program;
  std::vector<std::string> arguments;    // without the program's own name
  std::vector<std::string> environment;  // NAME=value; the program sees nothing else
  std::filesystem::path standard_input;  // empty: nothing to be read
  std::filesystem::path working_folder;  // empty: the caller's
  std::chrono::milliseconds timeout{10'000};
  std::uint64_t memory_limit = std::uint64_t{4} << 30;  // bytes of address space; 0 for no limit
  std::size_t output_limit = 256 << 10;                 // bytes kept of stdout and stderr together
  bool one_cpu = false;                                 // bind the program to one processor
  // Off for LLVM's ThreadSanitizer on kernels that randomise addresses more widely than it can stand.
  bool randomise = true;
  // At the timeout, SIGABRT first and two seconds for a crash handler to print where it hangs.
  bool abort_at_timeout = false;
  // The kernel may make a core file of the program, and gets the time to write it after the timeout. Otherwise it makes
  // none.
  bool core_file = false;
};

struct trial_result {
  outcome what = outcome::other;
  int exit_code = -1;       // -1 if a signal ended it
  int signal = 0;           // 0 if it exited
  double milliseconds = 0;  // from the launch to the end, or to the timeout
  std::string standard_output;
  std::string standard_error;
  bool truncated = false;  // more was written than output_limit; the rest is lost
  bool randomised = true;  // false: address-space randomisation was off in this run
  std::string why;         // for outcome::other, what the program did instead
};

/// Whether a line that starts with `prefix` went by, whatever pieces its stream came in.
class line_watch {
 public:
  explicit line_watch(std::string_view prefix) noexcept : prefix_(prefix) {}
  void read(std::string_view piece) noexcept;
  [[nodiscard]] bool seen() const noexcept { return matched_ == prefix_.size(); }

 private:
  std::string_view prefix_;
  std::size_t matched_ = 0;  // characters of prefix_ on this line so far; past its size: another line
};

/// What the two streams said of the protocol.
struct protocol_lines {
  line_watch corrupt{"corrupt: "};    // on stdout
  line_watch fatal{"fatal error: "};  // on stderr
};

/// Sets result.what, exit_code, signal and why from a wait status.
void judge(int wait_status, bool timed_out, const protocol_lines& said, trial_result& result);

/// A launched program and the reading ends (non-blocking) of its stdout and stderr. Owns the streams, not the
/// process: whoever launched it kills its group and reaps it.
struct child_process {
  pid_t pid = -1;  // also its process group
  unique_fd standard_output;
  unique_fd standard_error;
};

/// Starts `request.program` in a process group of its own with its limits; `processor` counts from 0 and is
/// used (modulo what this process may use) if one_cpu asks for it. The program dies with the calling thread.
/// Throws std::system_error naming the program and the step that failed, also if it can't be executed.
[[nodiscard]] child_process launch(const trial_request& request, unsigned processor = 0);

/// The thread of `process` that has used the most processor time: in a hang, the one that spins. The process
/// itself if nothing can be read.
[[nodiscard]] pid_t busiest_thread(pid_t process);

}  // namespace racelab::lab
