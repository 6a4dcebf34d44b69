// Unseen: who wrote where a value changed and nobody was seen? The processor's breakpoints tell the instruction, instrumented or not.
#pragma once

#include <string>
#include <vector>

#include "sanitizers/verdict/runner.hpp"
#include "sanitizers/verdict/targets.hpp"

namespace racelab::verdict {

struct unseen_writer {
  enum class kind {
    unknown,  // no breakpoints to be had, or they saw nobody: the kernel or another process may have written
    library,  // a plain instruction of a library that is not instrumented
    other_mapping,  // nobody, and the bytes have another address in this process
    assembly,       // an instruction of the program's own that is not instrumented
    atomic,         // an atomic instruction, wherever
  };
  kind what = kind::unknown;
  std::string function;     // in short; of an instruction
  std::string library;      // its file's name
  bool in_program = false;  // that is the program's own executable
  bool anybody = false;     // somebody wrote there: the value changed, or an instrumented access came

  /// The accesses conflict and nothing makes either of them atomic. Assembly is not believed: how locks are written, a plain
  /// move to a word that others read as volatile, is no bug.
  [[nodiscard]] bool is_a_race() const noexcept {
    return what == kind::library || what == kind::other_mapping;
  }

  /// Assembly of the program's own, as a lock is written in.
  [[nodiscard]] bool is_assembly() const noexcept {
    return in_program && (what == kind::assembly || what == kind::atomic);
  }
};

/// Makes a few runs in which the thread of such a catch is stalled again, under breakpoints.
[[nodiscard]] unseen_writer find_writer(const target& of, runner& runs);

/// The same for whoever comes to a site that reads.
[[nodiscard]] unseen_writer find_writer(const place& read_at, runner& runs);

/// Plans under which a thread other than the one that stood there may change the value at `of`'s site.
[[nodiscard]] std::vector<std::vector<std::string>> plans_for_a_change(const target& of, const runner& runs,
                                                                       const std::string& more);

/// "rotate() of libstdc++.so.6 wrote there, which is not instrumented"
[[nodiscard]] std::string text_of(const unseen_writer& writer);

}  // namespace racelab::verdict
