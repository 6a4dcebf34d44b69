// Counts the reports of ThreadSanitizer on races that are made on purpose. Linked with tsan_reports.cpp, a program is not
// failed by them, and the same one counts every time.
#pragma once

#include <fcntl.h>
#include <unistd.h>

namespace tsan_reports {

/// How many there were so far.
[[nodiscard]] int count() noexcept;

/// While it lives, standard error goes nowhere: reports are counted, not read.
class silence {
 public:
  silence() : errors_(dup(STDERR_FILENO)), nowhere_(open("/dev/null", O_WRONLY | O_CLOEXEC)) {
    if (nowhere_ >= 0) dup2(nowhere_, STDERR_FILENO);
  }
  ~silence() {
    if (errors_ >= 0) dup2(errors_, STDERR_FILENO);
    close(errors_);
    close(nowhere_);
  }
  silence(const silence&) = delete;
  silence& operator=(const silence&) = delete;

 private:
  int errors_;
  int nowhere_;
};

/// In how many of `trials` runs race() was reported.
template <typename Race> int trials_reported(int trials, Race race) {
  const silence reports_go_nowhere;
  int reported = 0;
  for (int trial = 0; trial < trials; ++trial) {
    const int before = count();
    race();
    reported += count() > before;
  }
  return reported;
}

}  // namespace tsan_reports
