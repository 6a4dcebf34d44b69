// Symbolise: program counters to function, file, line and inlined frames, by elfutils' libdwfl.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace racelab::stacks {

struct frame {
  std::uintptr_t pc = 0;  // as captured
  std::string function;   // demangled, in full; empty if unknown
  std::string file;       // as in the debug information; empty if unknown
  int line = 0;
  bool inlined = false;       // this frame's code was inlined into the next one's
  std::string module;         // path of the executable or library
  std::uintptr_t offset = 0;  // pc - start of the (non-inlined) function, or - start of the module if unknown
};

/// Where a module was loaded: the base is what is added to its file's addresses, as dl_iterate_phdr has it.
struct loaded_module {
  std::string path;
  std::uintptr_t base = 0;
};

/// Resolves addresses of one process. Not for signal paths, and for one thread at a time.
class symboliser {
 public:
  /// Reads the process's modules from /proc. Throws std::system_error if they can't be read.
  explicit symboliser(pid_t process);
  /// For a process that may be gone. A module whose file can't be read is left out.
  explicit symboliser(std::span<const loaded_module> modules);
  ~symboliser();
  symboliser(const symboliser&) = delete;
  symboliser& operator=(const symboliser&) = delete;
  symboliser(symboliser&&) noexcept;
  symboliser& operator=(symboliser&&) noexcept;

  /// The frames of one trace, innermost first; an address with inlined calls gives several. `exact_top` as in
  /// raw_trace.
  [[nodiscard]] std::vector<frame> resolve(std::span<const std::uintptr_t> pcs, bool exact_top) const;

 private:
  struct modules;
  std::unique_ptr<modules> modules_;
};

/// A demangled name as a person would say it: template arguments as <…>, parameters as (…) where there are
/// any, return type, "[abi:cxx11]" and the like gone. `racelab::hmap<…>::erase(…)`.
[[nodiscard]] std::string short_name(const std::string& demangled);

/// True for frames of detectors, sanitizer runtimes and thread start-up (the gate's run_together is part of
/// it), which a trace hides by default.
[[nodiscard]] bool is_runtime_frame(const frame& candidate);

/// True for frames that stand between the line that spawns a thread and pthread_create: those above, std::
/// and the gate's run_together.
[[nodiscard]] bool is_spawning_frame(const frame& candidate);

}  // namespace racelab::stacks
