// Report: one report of ThreadSanitizer as data, whichever runtime printed it: LLVM's, gcc's or Go's.
//
// A part that a log does not tell is empty, 0 or nothing. Stacks are innermost first, as printed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace racelab::tsan {

enum class report_kind : std::uint8_t {
  data_race,
  vptr_race,  // of a destructor or constructor with a virtual call
  use_after_free,
  vptr_use_after_free,
  external_race,  // on an object whose library tells of its accesses (__tsan_external_*)
  thread_leak,
  mutex_destroy_locked,
  mutex_double_lock,
  mutex_invalid_access,
  mutex_bad_unlock,
  mutex_bad_read_lock,
  mutex_bad_read_unlock,
  mutex_held_in_wrong_context,
  signal_unsafe_call,
  errno_in_signal,
  lock_order_inversion,
  ignores_enabled,  // a thread ended while its accesses were ignored
  deadly_signal,
  check_failed,  // from here on the runtime itself failed: what it would have reported is not in the log
  nested_bug,
  fatal_error,
};

struct kind_description {
  report_kind kind;
  std::string_view name;  // for machines: where there is one, the runtime's own word (__tsan_get_report_data)
  std::string_view title;  // as a report's first line has it
};

/// One for each kind, in their order.
[[nodiscard]] const std::array<kind_description, 21>& kinds() noexcept;
[[nodiscard]] const kind_description& describe(report_kind kind) noexcept;

/// True for a failure of the runtime rather than of the program.
[[nodiscard]] bool is_runtime_failure(report_kind kind) noexcept;

struct frame {
  std::string function;  // demangled, as printed; empty if unknown
  std::string file;      // empty if unknown
  unsigned line = 0;     // 0 if unknown, as is the column
  unsigned column = 0;
  std::string module;        // the executable's or library's name or path, as printed
  std::uint64_t offset = 0;  // in the module; Go: in the function
  std::string build_id;
};

struct stack {
  std::vector<frame> frames;
  bool restored = true;  // false: the runtime had forgotten it ("[failed to restore the stack]")
};

/// The runtime's number of a thread, or Go's of a goroutine; 0 is main.
using thread_number = std::optional<unsigned>;

struct held_mutex {
  std::string id;  // M0
  bool write = true;
};

struct access {
  bool write = false;
  bool atomic = false;
  bool previous = false;   // the one that the runtime remembered, not the one at which it noticed
  std::uint64_t size = 0;  // bytes; 0 for Go and for external objects
  std::uint64_t address = 0;
  std::string object;  // the type of an external object
  thread_number thread;
  std::vector<held_mutex> mutexes;
  stack where;
};

enum class location_kind : std::uint8_t {
  heap,
  global,
  thread_stack,
  thread_local_storage,
  file_descriptor,
  external_object
};

[[nodiscard]] std::string_view name(location_kind kind) noexcept;

/// What the accessed memory is.
struct location {
  location_kind kind = location_kind::heap;
  std::string name;                     // of a global variable, or an external object's type
  std::uint64_t address = 0;            // where it begins
  std::uint64_t size = 0;               // bytes
  std::optional<std::uint64_t> offset;  // of the first access in it
  std::string module;                   // of a global variable, with its offset there
  std::uint64_t module_offset = 0;
  std::optional<int> descriptor;
  bool closed = false;   // the descriptor: `where` closed it, rather than opened it
  thread_number thread;  // whose stack or thread-local storage; who allocated or opened it
  stack where;           // of the allocation
};

struct mutex {
  std::string id;
  std::uint64_t address = 0;
  bool destroyed = false;
  stack created;
};

/// One edge of a lock-order inversion: `mutex` was locked while `held` was.
struct acquisition {
  std::string mutex;
  std::string held;
  thread_number thread;
  stack where;
  stack held_since;  // with second_deadlock_stack=1
};

struct thread {
  unsigned number = 0;
  std::string name;
  std::uint64_t os_id = 0;
  std::string state;  // running, finished
  thread_number created_by;
  bool worker = false;  // of the system's pool (libdispatch): nobody's pthread_create made it
  stack created;
};

/// A signal that killed the program.
struct fault {
  std::string signal;  // SEGV, BUS, …
  std::uint64_t address = 0;
  std::optional<bool> write;
  thread_number thread;
};

/// A stack with what the report says of it; nothing is said of the place where a lock was misused.
struct noted_stack {
  std::string note;
  stack where;
};

struct report {
  report_kind kind = report_kind::data_race;
  std::string title;   // as printed: "data race"
  bool go = false;     // printed by Go's runtime
  long process = 0;    // 0 if not told
  std::string prefix;  // what stood before the lines, less timestamps: "web-1 |"
  std::size_t first_line = 0;
  std::size_t last_line = 0;
  bool complete = false;  // read up to its end
  std::vector<access> accesses;
  std::optional<fault> caught;
  std::vector<noted_stack> stacks;  // other than those of accesses and of acquisitions
  std::vector<std::string> cycle;   // mutexes of a lock-order inversion, in order, each once
  std::vector<acquisition> acquisitions;
  std::optional<stack> sleep;  // "As if synchronized via sleep"
  std::optional<location> accessed;
  std::vector<mutex> mutexes;
  std::vector<thread> threads;
  std::uint64_t more_leaks = 0;  // "And N more similar thread leaks"
  std::string summary;           // of the SUMMARY line, what follows "ThreadSanitizer: "
};

}  // namespace racelab::tsan
