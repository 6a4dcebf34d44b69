// Judged process: the program that `racelab judge` runs, under ThreadSanitizer and under the watchpoint runtime.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lab/files.hpp"
#include "lab/stop_signals.hpp"
#include "lab/trial.hpp"
#include "sanitizers/thread/options.hpp"
#include "sanitizers/verdict/judge.hpp"

namespace racelab::lab {

/// The program's two links.
struct judged_files {
  std::filesystem::path tsan;   // under ThreadSanitizer
  std::filesystem::path watch;  // under the watchpoint runtime
  std::filesystem::path
      library_path;  // where the runtime is found that takes gcc's libtsan's place; empty if not needed
  tsan::runtime runtime = tsan::runtime::llvm;
};

/// Finds the program (as a shell would) and its watch program: `watch` if given, PROGRAM.watch, or for a program linked with
/// gcc's shared libtsan the program itself with racelab's library of the same name. Throws std::runtime_error with one line
/// that says what is missing and how to get it.
[[nodiscard]] judged_files find_judged_files(const std::string& program, const std::filesystem::path& watch);

/// True if the dynamic linker would load gcc's libtsan for `program`.
[[nodiscard]] bool needs_gcc_libtsan(const std::filesystem::path& program);

struct judged_run_settings {
  std::vector<std::string> arguments;
  std::filesystem::path standard_input;              // empty: nothing to be read
  std::optional<std::chrono::milliseconds> timeout;  // of a run; nothing: as the judge thinks
  std::uint64_t memory_limit = 0;                    // bytes, of a watched run; 0 for none
  std::vector<std::string> tsan_options;             // NAME=VALUE, after the lab's own
  std::filesystem::path logs;                        // a folder to keep what runs log; empty: nothing is kept
};

class judged_process final : public verdict::judged_program {
 public:
  judged_process(judged_files files, judged_run_settings settings);

  verdict::tsan_run run_tsan(const verdict::tsan_request& request) override;
  verdict::watch_run run_watch(const verdict::watch_request& request) override;
  [[nodiscard]] bool stopped() const override { return stopped_by() != 0; }
  verdict::module_table& modules() override { return modules_; }
  [[nodiscard]] bool is_instrumented(const std::string& module) const override;
  [[nodiscard]] bool has_archer() const override { return !archer().empty(); }

  /// The signal that came while it lives, 0 for none.
  [[nodiscard]] int stopped_by() const { return stop_.seen(); }
  /// Called now and then while a run goes on.
  void set_tick(std::function<void()> tick) { tick_ = std::move(tick); }

 private:
  [[nodiscard]] trial_request request_for(const std::filesystem::path& program,
                                          std::chrono::milliseconds timeout) const;
  // Empty: there is none, or the program has been seen without LLVM's OpenMP library.
  [[nodiscard]] std::filesystem::path archer() const;
  verdict::ending run(trial_request request);
  void keep(const std::filesystem::path& file) const;

  judged_files files_;
  judged_run_settings settings_;
  verdict::module_table modules_;
  temporary_folder folder_;
  unsigned number_ = 0;
  mutable stop_signals stop_;  // looks for new ones when asked
  std::function<void()> tick_;
  mutable std::map<std::string, bool> instrumented_;
};

/// A file's bytes as 16 hexadecimal digits. Throws std::system_error naming it.
[[nodiscard]] std::string fingerprint_of_file(const std::filesystem::path& file);

}  // namespace racelab::lab
