// A line is formatted into a buffer while another thread writes it to the log: what comes out is half of each.
// race: format_line() W vs flush_line() R
// maps: none
// truth: race, corrupt: the log has a line that nobody formatted
// expect: tsan=report gcc_tsan=report watchpoint=caught judge=confirmed
// shown: yes
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "repro/support/gate.hpp"

namespace {
constexpr int lines = 50;
using text = std::array<char, 256>;
text line{};
int log_file = -1;

[[gnu::noinline]] void format_line(char letter) {
  for (char& each : line) each = letter;
}

[[gnu::noinline]] bool flush_line() { return write(log_file, line.data(), line.size()) > 0; }

bool is_mixed(int number) {
  text flushed{};
  if (pread(log_file, flushed.data(), flushed.size(), number * static_cast<off_t>(flushed.size())) < 0)
    return true;
  return std::ranges::any_of(flushed, [&](char each) { return each != flushed.front(); });
}
}  // namespace

int main() {
  log_file = memfd_create("log", MFD_CLOEXEC);
  racelab::run_together(
      [] {
        for (int i = 0; i < lines; ++i) format_line(static_cast<char>('a' + i % 26));
      },
      [] {
        for (int i = 0; i < lines; ++i)
          if (!flush_line()) return;
      });
  for (int number = 0; number < lines; ++number) {
    if (!is_mixed(number)) continue;
    std::puts("corrupt: a line that nobody formatted");
    return 1;
  }
  return 0;
}
