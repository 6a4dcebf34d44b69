#include "tests/support/tsan_reports.hpp"

#include <atomic>

namespace {
std::atomic<int> reports{0};  // relaxed: it must not order what is looked for
}  // namespace

// Called by the runtime at each report.
extern "C" void __tsan_on_report(void* /*report*/) { reports.fetch_add(1, std::memory_order_relaxed); }

extern "C" const char* __tsan_default_options() {
  return "exitcode=0:suppress_equal_stacks=0:suppress_equal_addresses=0:symbolize=0";
}

int tsan_reports::count() noexcept { return reports.load(std::memory_order_relaxed); }
