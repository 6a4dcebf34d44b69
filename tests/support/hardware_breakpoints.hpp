// Whether this machine lets a process have the processor's breakpoints: a virtual machine or a sandbox may not.
#pragma once

#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace racelab::tests {

inline bool has_hardware_breakpoints() {
  static const std::uint64_t watched = 0;
  perf_event_attr wanted{};
  wanted.size = sizeof wanted;
  wanted.type = PERF_TYPE_BREAKPOINT;
  wanted.bp_type = HW_BREAKPOINT_W;
  wanted.bp_addr = reinterpret_cast<std::uintptr_t>(&watched);
  wanted.bp_len = sizeof watched;
  wanted.exclude_kernel = 1;
  wanted.exclude_hv = 1;
  const long file = syscall(SYS_perf_event_open, &wanted, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
  if (file < 0) return false;
  close(static_cast<int>(file));
  return true;
}

}  // namespace racelab::tests
