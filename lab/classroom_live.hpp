// Classroom live steps: what a lesson runs in front of the class, and whether it came out as the lesson says.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "lab/classroom_lessons.hpp"
#include "sanitizers/thread/options.hpp"

namespace racelab::lab {

struct live_settings {
  std::filesystem::path programs;  // with the folders plain, watch and tsan in it
  tsan::runtime runtime = tsan::runtime::llvm;
  std::uint64_t seed = 0;
  bool coloured = false;
  std::function<void(const std::string&)> progress;  // what is being done; may not be empty
};

struct live_result {
  std::string text;    // what there is to be seen
  std::string counts;  // one line: how often what was seen
  std::string broken;  // one line: what should have been seen and was not; empty if all is as the lesson says
  int stopped_by = 0;  // the signal that ended it early
};

/// True for a step that runs something.
[[nodiscard]] bool is_live(lesson_step_kind kind) noexcept;

/// Runs a live step. Throws std::exception with one line for what can't be run.
[[nodiscard]] live_result run_live(const lesson_step& step, const live_settings& settings);

}  // namespace racelab::lab
