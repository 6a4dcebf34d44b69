// Options: what programs under ThreadSanitizer are started with, each for a reason. The tables are options.def and
// suppressions.def.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace racelab::tsan {

/// Whose runtime a program is linked with.
enum class runtime { llvm, gcc };

[[nodiscard]] std::string_view name(runtime which) noexcept;
[[nodiscard]] std::optional<runtime> runtime_named(std::string_view name) noexcept;

struct option {
  std::string_view name;
  std::string_view value;
  std::string_view runtimes;  // any, llvm or gcc
  std::string_view reason;
};

struct suppression {
  std::string_view kind;      // race, deadlock, …
  std::string_view pattern;   // of a function, file or module
  std::string_view runtimes;  // any, llvm or gcc
  std::string_view map;       // whose programs get it
  std::string_view reason;

  /// The line of a suppressions file, and what the runtime prints at the end when it has matched.
  [[nodiscard]] std::string line() const;
};

[[nodiscard]] std::span<const option> options() noexcept;
[[nodiscard]] std::span<const suppression> suppressions() noexcept;

/// Those of `all` that the programs over `map` are given under `which`.
[[nodiscard]] std::vector<suppression> suppressions_for(std::span<const suppression> all, runtime which,
                                                        std::string_view map);

/// The value of TSAN_OPTIONS: the table's, then the files (not named if empty), then `more`, of which later ones win.
/// `more` holds NAME=VALUE strings.
[[nodiscard]] std::string options_text(runtime which, const std::string& log_path,
                                       const std::string& suppressions_file,
                                       std::span<const std::string> more);

/// The lines (kind:pattern) that a program says it has used, from what print_suppressions=1 makes it write.
[[nodiscard]] std::vector<std::string> used_suppressions(std::string_view log);

}  // namespace racelab::tsan
