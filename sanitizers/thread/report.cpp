#include "sanitizers/thread/report.hpp"

namespace racelab::tsan {

const std::array<kind_description, 21>& kinds() noexcept {
  using enum report_kind;
  // Source of names and titles: compiler-rt/lib/tsan/rtl/tsan_debugging.cpp and tsan_report.cpp.
  static constexpr std::array<kind_description, 21> table{{
      {data_race, "data-race", "data race"},
      {vptr_race, "data-race-vptr", "data race on vptr (ctor/dtor vs virtual call)"},
      {use_after_free, "heap-use-after-free", "heap-use-after-free"},
      {vptr_use_after_free, "heap-use-after-free-vptr", "heap-use-after-free (virtual call vs free)"},
      {external_race, "external-race", "race on external object"},
      {thread_leak, "thread-leak", "thread leak"},
      {mutex_destroy_locked, "locked-mutex-destroy", "destroy of a locked mutex"},
      {mutex_double_lock, "mutex-double-lock", "double lock of a mutex"},
      {mutex_invalid_access, "mutex-invalid-access",
       "use of an invalid mutex (e.g. uninitialized or destroyed)"},
      {mutex_bad_unlock, "mutex-bad-unlock", "unlock of an unlocked mutex (or by a wrong thread)"},
      {mutex_bad_read_lock, "mutex-bad-read-lock", "read lock of a write locked mutex"},
      {mutex_bad_read_unlock, "mutex-bad-read-unlock", "read unlock of a write locked mutex"},
      {mutex_held_in_wrong_context, "mutex-held-in-wrong-context", "mutex held in the wrong context"},
      {signal_unsafe_call, "signal-unsafe-call", "signal-unsafe call inside of a signal"},
      {errno_in_signal, "errno-in-signal-handler", "signal handler spoils errno"},
      {lock_order_inversion, "lock-order-inversion", "lock-order-inversion (potential deadlock)"},
      {ignores_enabled, "ignores-enabled", "finished with ignores enabled"},
      {deadly_signal, "deadly-signal", "deadly signal"},
      {check_failed, "check-failed", "CHECK failed"},
      {nested_bug, "nested-bug", "nested bug"},
      {fatal_error, "fatal-error", "fatal error"},
  }};
  return table;
}

const kind_description& describe(report_kind kind) noexcept {
  return kinds()[static_cast<std::size_t>(kind)];
}

bool is_runtime_failure(report_kind kind) noexcept { return kind >= report_kind::check_failed; }

std::string_view name(location_kind kind) noexcept {
  switch (kind) {
    case location_kind::heap:
      return "heap";
    case location_kind::global:
      return "global";
    case location_kind::thread_stack:
      return "stack";
    case location_kind::thread_local_storage:
      return "tls";
    case location_kind::file_descriptor:
      return "descriptor";
    case location_kind::external_object:
      return "object";
  }
  return "heap";
}

}  // namespace racelab::tsan
