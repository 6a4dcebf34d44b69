#include "lab/trials.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace racelab::lab {
namespace {

namespace asio = boost::asio;
using steady_clock = std::chrono::steady_clock;

constexpr std::chrono::seconds last_words{2};      // for a crash handler to print its stack
constexpr std::chrono::seconds time_for_core{30};  // and for the kernel to write a core file
constexpr std::chrono::milliseconds between_ticks{100};

/// The children that this process has now, dead ones that nobody waited for included.
std::vector<pid_t> children() {
  std::vector<pid_t> found;
  // The kernel hands orphans to a subreaper's main thread; trials are launched there too.
  std::ifstream list(fmt::format("/proc/self/task/{}/children", getpid()));
  if (list) {
    for (pid_t pid = 0; list >> pid;) found.push_back(pid);
    return found;
  }
  // Kernels without CONFIG_PROC_CHILDREN: every process, by its parent.
  const std::unique_ptr<DIR, int (*)(DIR*)> processes(opendir("/proc"), &closedir);
  while (const dirent* entry = processes ? readdir(processes.get()) : nullptr) {
    std::ifstream file(fmt::format("/proc/{}/stat", entry->d_name));
    std::string line;
    std::getline(file, line);
    const std::size_t name_end = line.rfind(')');
    int parent = 0;
    char state = 0;
    if (name_end == std::string::npos) continue;
    std::istringstream rest(line.substr(name_end + 1));
    if (rest >> state >> parent && parent == getpid()) {
      found.push_back(static_cast<pid_t>(std::stol(entry->d_name)));
    }
  }
  return found;
}

int reap(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

/// This process as the one to which orphans of its descendants go; afterwards as before.
class subreaper {
 public:
  subreaper() {
    if (prctl(PR_GET_CHILD_SUBREAPER, &before_) != 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
      throw std::system_error(errno, std::generic_category(), "can't become a subreaper");
    }
  }
  subreaper(const subreaper&) = delete;
  subreaper& operator=(const subreaper&) = delete;
  ~subreaper() { prctl(PR_SET_CHILD_SUBREAPER, before_); }

 private:
  int before_ = 0;
};

/// One program that runs.
struct running_trial {
  running_trial(asio::io_context& loop, std::size_t trial_number, unsigned used_slot, trial_request wanted)
      : number(trial_number),
        slot(used_slot),
        request(std::move(wanted)),
        start(steady_clock::now()),
        process(launch(request, slot)),
        output(loop, process.standard_output.release()),
        errors(loop, process.standard_error.release()),
        timer(loop) {}

  std::size_t number;
  unsigned slot;
  trial_request request;
  steady_clock::time_point start;
  child_process process;
  asio::posix::stream_descriptor output;
  asio::posix::stream_descriptor errors;
  asio::steady_timer timer;
  protocol_lines said;
  trial_result result;
  std::size_t kept = 0;  // bytes of output
  bool timed_out = false;
  bool has_last_words = false;  // the timeout came while it was printing a fatal error
  bool ended = false;
};

using trial_pointer = std::shared_ptr<running_trial>;

class trial_pool {
 public:
  trial_pool(unsigned jobs, const trial_callbacks& callbacks)
      : callbacks_(callbacks),
        before_(children()),
        stop_signals_(loop_, SIGINT, SIGTERM, SIGHUP),
        child_signals_(loop_, SIGCHLD),
        ticker_(loop_),
        running_(std::max(jobs, 1U)) {}
  trial_pool(const trial_pool&) = delete;
  trial_pool& operator=(const trial_pool&) = delete;

  // Also after an exception: nothing stays behind.
  ~trial_pool() {
    for (const trial_pointer& trial : running_) {
      if (trial) kill(-trial->process.pid, SIGKILL);
    }
    for (trial_pointer& trial : running_) {
      if (trial) reap(trial->process.pid);
      trial.reset();
    }
    kill_strays();
  }

  int run() {
    wait_for_stop();
    wait_for_children();
    tick();
    for (unsigned slot = 0; slot < running_.size(); ++slot) fill(slot);
    if (active_ != 0) loop_.run();
    return stopped_by_;
  }

 private:
  void fill(unsigned slot) {
    std::optional<trial_request> request = callbacks_.next();
    if (!request) return;
    start(slot, launched_++, std::move(*request));
  }

  void start(unsigned slot, std::size_t number, trial_request request) {
    running_[slot] = std::make_shared<running_trial>(loop_, number, slot, std::move(request));
    ++active_;
    const trial_pointer& trial = running_[slot];
    read_more(trial, trial->output, trial->result.standard_output, trial->said.corrupt);
    read_more(trial, trial->errors, trial->result.standard_error, trial->said.fatal);
    limit(trial, trial->request.timeout);
  }

  void limit(const trial_pointer& trial, std::chrono::milliseconds time) {
    trial->timer.expires_after(time);
    trial->timer.async_wait([this, trial](const boost::system::error_code& error) {
      if (!error && !trial->ended) time_is_up(trial);
    });
  }

  void time_is_up(const trial_pointer& trial) {
    if (trial->timed_out) {
      kill(-trial->process.pid, SIGKILL);
    } else if (trial->said.fatal.seen() && !trial->has_last_words) {
      // It is no hang that the trace of a late crash takes its time.
      trial->has_last_words = true;
      limit(trial, time_to_die(*trial));
    } else {
      trial->timed_out = true;
      note_time(*trial);
      if (trial->request.abort_at_timeout && !trial->has_last_words) {
        syscall(SYS_tgkill, trial->process.pid, busiest_thread(trial->process.pid), SIGABRT);
        limit(trial, time_to_die(*trial));
      } else {
        kill(-trial->process.pid, SIGKILL);
      }
    }
  }

  static std::chrono::milliseconds time_to_die(const running_trial& trial) {
    return trial.request.core_file ? last_words + time_for_core : last_words;
  }

  static void note_time(running_trial& trial) {
    trial.result.milliseconds =
        std::chrono::duration<double, std::milli>(steady_clock::now() - trial.start).count();
  }

  /// Waits until the stream can be read, then reads it here and now: were the reading left to Asio, the end
  /// of the program could be noticed while its last words lie in a buffer whose handler has not run yet.
  void read_more(const trial_pointer& trial, asio::posix::stream_descriptor& stream, std::string& into,
                 line_watch& watch) {
    stream.async_wait(asio::posix::stream_descriptor::wait_read,
                      [this, trial, &stream, &into, &watch](const boost::system::error_code& error) {
                        if (error || trial->ended) return;
                        if (drain(*trial, stream, into, watch)) read_more(trial, stream, into, watch);
                      });
  }

  /// Reads what is there, up to a few buffers so that one program can't hold up the others. False at the end.
  bool drain(running_trial& trial, asio::posix::stream_descriptor& stream, std::string& into,
             line_watch& watch) {
    for (int round = 0; round < 8; ++round) {
      const ssize_t size = read(stream.native_handle(), buffer_.data(), buffer_.size());
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) return errno == EAGAIN;
      if (size == 0) return false;
      const std::string_view piece(buffer_.data(), static_cast<std::size_t>(size));
      watch.read(piece);
      const std::size_t room = trial.request.output_limit - trial.kept;
      into.append(piece.substr(0, room));
      trial.kept += std::min(room, piece.size());
      trial.result.truncated = trial.result.truncated || piece.size() > room;
    }
    return true;
  }

  void wait_for_children() {
    child_signals_.async_wait([this](const boost::system::error_code& error, int /*number*/) {
      if (error) return;
      // Signals of one kind merge, so one says nothing of how many have ended.
      for (unsigned slot = 0; slot < running_.size(); ++slot) {
        if (running_[slot] && has_ended(running_[slot]->process.pid)) finish(slot);
      }
      if (active_ == 0) {
        loop_.stop();
      } else {
        wait_for_children();
      }
    });
  }

  static bool has_ended(pid_t pid) {
    siginfo_t info{};
    // Left unreaped, so that its number and its group's can't be given to anybody else before the group is
    // killed.
    return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == pid;
  }

  void finish(unsigned slot) {
    const trial_pointer trial = running_[slot];
    if (!trial->timed_out) note_time(*trial);
    kill(-trial->process.pid, SIGKILL);
    const int status = reap(trial->process.pid);
    running_[slot].reset();
    --active_;
    kill_strays();
    // With its last writer gone a pipe holds what it holds: at most what these rounds read.
    drain(*trial, trial->output, trial->result.standard_output, trial->said.corrupt);
    drain(*trial, trial->errors, trial->result.standard_error, trial->said.fatal);
    trial->ended = true;
    trial->timer.cancel();
    trial->output.close();
    trial->errors.close();

    const bool needs_fixed_addresses =
        trial->request.randomise &&
        trial->result.standard_error.find("FATAL: ThreadSanitizer: unexpected memory mapping") !=
            std::string::npos;
    if (needs_fixed_addresses) {
      trial_request again = trial->request;
      again.randomise = false;
      start(slot, trial->number, std::move(again));
      return;
    }
    trial->result.randomised = trial->request.randomise;
    judge(status, trial->timed_out, trial->said, trial->result);
    callbacks_.done(trial->number, std::move(trial->result));
    fill(slot);
  }

  /// Kills what came to this process from trials that have ended, and what comes to it from those, until
  /// nothing more comes.
  void kill_strays() {
    for (bool found = true; found;) {
      found = false;
      for (const pid_t pid : children()) {
        if (is_ours(pid)) continue;
        kill(pid, SIGKILL);
        reap(pid);
        found = true;
      }
    }
  }

  [[nodiscard]] bool is_ours(pid_t pid) const {
    if (std::ranges::find(before_, pid) != before_.end()) return true;
    const pid_t group = getpgid(pid);
    return std::ranges::any_of(running_, [&](const trial_pointer& trial) {
      return trial && (trial->process.pid == pid || trial->process.pid == group);
    });
  }

  void wait_for_stop() {
    stop_signals_.async_wait([this](const boost::system::error_code& error, int number) {
      if (error) return;
      stopped_by_ = number;
      loop_.stop();
    });
  }

  void tick() {
    if (!callbacks_.tick) return;
    callbacks_.tick();
    ticker_.expires_after(between_ticks);
    ticker_.async_wait([this](const boost::system::error_code& error) {
      if (!error) tick();
    });
  }

  const trial_callbacks& callbacks_;
  const subreaper reaper_;
  const std::vector<pid_t> before_;
  asio::io_context loop_{1};
  asio::signal_set stop_signals_;
  asio::signal_set child_signals_;
  asio::steady_timer ticker_;
  std::vector<trial_pointer> running_;  // one for each job; null if idle
  std::size_t active_ = 0;
  std::size_t launched_ = 0;
  int stopped_by_ = 0;
  std::vector<char> buffer_ = std::vector<char>(64 << 10);
};

}  // namespace

int run_trials(unsigned jobs, const trial_callbacks& callbacks) { return trial_pool(jobs, callbacks).run(); }

trial_result run_trial(const trial_request& request) {
  bool launched = false;
  trial_result result;
  const int stopped_by =
      run_trials(1, {.next = [&]() -> std::optional<trial_request> {
                       if (std::exchange(launched, true)) return std::nullopt;
                       return request;
                     },
                     .done = [&](std::size_t /*number*/, trial_result ended) { result = std::move(ended); },
                     .tick = {}});
  if (stopped_by != 0) throw std::runtime_error(fmt::format("stopped by signal {}", stopped_by));
  return result;
}

}  // namespace racelab::lab
