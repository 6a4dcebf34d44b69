// Crash: what a log, a debugger or a core file tells of the end of a program, as data, whoever printed it.
//
// A part that is not told is empty or nothing. Stacks are innermost first, as all of them print them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace racelab::reading {

enum class form : std::uint8_t {
  racelab_fatal,  // the lab's own: `fatal error: …`, then `thread N [state]:`
  go,             // Go's: `fatal error: …` or `panic: …`, then `goroutine N [state]:`
  sanitizer,  // `==PID==ERROR: AddressSanitizer: …`, and the deadly signals of ThreadSanitizer and its kin
  undefined,  // UndefinedBehaviorSanitizer's `FILE:LINE:COLUMN: runtime error: …`
  gdb,        // gdb's `bt`, for one thread or for all
  aborted,    // one line of glibc's or of the C++ library's, no stack
};

struct frame {
  std::string function;   // as printed, without its arguments; empty if unknown
  std::string arguments;  // as printed, between the brackets; empty if none are told
  std::string file;
  unsigned line = 0;          // 0 if unknown
  std::string module;         // the library or program, where that is told
  bool below_signal = false;  // the frame above it is the kernel's signal frame: here the signal came
};

struct thread {
  std::string title;  // "thread 4 [running]", as printed, without the colon
  std::string note;   // what is said of a stack that is no thread's own: "freed by thread T0 here"
  std::vector<frame> frames;
  std::vector<frame> created;  // the stack of whoever created it; Go and the lab tell one frame
};

struct crash {
  form read_from = form::aborted;
  std::size_t line = 0;                  // of the log, where it begins; from 1
  std::string headline;                  // "fatal error: concurrent map writes"
  std::string signal;                    // SIGSEGV, without what follows
  std::optional<std::uint64_t> address;  // of the access that failed
  bool not_canonical =
      false;           // x86-64: the address was none that memory can have, and the processor keeps it
  std::string failed;  // how the title of the thread begins that failed; empty: the first one
  std::vector<std::string> said;  // lines above the headline that belong to it: glibc's, the verifier's
  std::vector<thread> threads;    // the one that died first
};

/// True if the access that failed was through a null pointer: nothing is mapped on the first page.
[[nodiscard]] inline bool is_null_access(const crash& what) {
  constexpr std::uint64_t first_page = 4096;
  if (what.not_canonical) return false;
  if (what.address) return *what.address < first_page;
  return what.headline.find("nil pointer dereference") != std::string::npos ||
         what.headline.find("null pointer") != std::string::npos;
}

}  // namespace racelab::reading
