#include "lab/classroom_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <exception>
#include <iostream>
#include <map>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "lab/catalogue.hpp"
#include "lab/classroom_lessons.hpp"
#include "lab/classroom_live.hpp"
#include "lab/classroom_text.hpp"
#include "lab/files.hpp"
#include "lab/progress.hpp"
#include "lab/terminal.hpp"

namespace racelab::lab {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t page_columns = 100;

std::string_view heading(lesson_step_kind kind) {
  using enum lesson_step_kind;
  switch (kind) {
    case story:
      return "The story";
    case source:
      return "The program";
    case run:
      return "It runs";
    case crash:
      return "It breaks";
    case report:
    case silence:
      return "ThreadSanitizer";
    case question:
      return "True or false? Why?";
    case judge:
      return "The judge";
    case answer:
      return "The answer";
    case remedy:
      return "The remedy";
  }
  return "";
}

bool is_header(const lesson_step& step) { return step.program.ends_with(".hpp"); }

// Also where its sources were installed.
fs::path source_of(const lesson_step& step, const fs::path& sources) {
  const std::string file =
      is_header(step) ? step.program : fmt::format("repro/{}.cpp", scenario_of(step.program));
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  const fs::path installed = self.parent_path().parent_path() / "share" / "racelab" / file;
  return fs::exists(installed, error) ? installed : sources / file;
}

std::size_t number_of(const lesson& of) {
  const auto found = std::ranges::find(lessons(), of.name, &lesson::name);
  return static_cast<std::size_t>(found - lessons().begin()) + 1;
}

std::vector<const lesson*> chosen_lessons(const std::vector<std::string>& wanted) {
  std::vector<const lesson*> chosen;
  for (const lesson& each : lessons()) {
    const auto is_this = [&](const std::string& text) {
      return text == each.name || text == std::to_string(number_of(each));
    };
    if (wanted.empty() || std::ranges::any_of(wanted, is_this)) chosen.push_back(&each);
  }
  for (const std::string& text : wanted) {
    const bool known = std::ranges::any_of(chosen, [&](const lesson* each) {
      return text == each->name || text == std::to_string(number_of(*each));
    });
    if (!known)
      throw std::runtime_error(fmt::format("no lesson '{}' (there are 1 to {}; racelab classroom --list)",
                                           text, lessons().size()));
  }
  return chosen;
}

void check_output() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
    throw std::system_error(errno, std::generic_category(), "stdout");
}

class walk {
 public:
  walk(const classroom_options& options, const catalogue& all)
      : options_(options), coloured_(wants_colour(STDOUT_FILENO)) {
    live_ = {.programs = options.catalogue.parent_path() / "programs",
             .runtime = tsan::runtime_named(all.runtime).value(),
             .seed = options.seed,
             .coloured = coloured_,
             .progress = {}};
  }

  int through(const std::vector<const lesson*>& chosen) {
    for (const lesson* each : chosen) {
      if (quit_ || stopped_by_ != 0) break;
      if (const std::optional<fs::path> missing = missing_program(*each)) {
        if (each->needs.empty())
          throw std::runtime_error(
              fmt::format("{}: no such program: make classroom builds it", missing->string()));
        fmt::print("\nSKIPPED: lesson {}, {}: there is no {} here\n", number_of(*each), each->name,
                   each->needs);
        continue;
      }
      teach(*each);
    }
    conclude();
    if (stopped_by_ != 0) return 128 + stopped_by_;
    return broken_ == 0 ? 0 : 1;
  }

 private:
  [[nodiscard]] std::optional<fs::path> missing_program(const lesson& of) const {
    for (const lesson_step& step : of.steps) {
      if (!is_live(step.kind)) continue;
      for (const char* kind : {"watch", "tsan"}) {
        std::error_code error;
        fs::path program = live_.programs / kind / step.program;
        if (!fs::exists(program, error)) return program;
      }
    }
    return std::nullopt;
  }

  void teach(const lesson& of) {
    ++taught_;
    scenarios_.clear();
    std::size_t answers = 0;
    for (const lesson_step& step : of.steps) {
      if (step.kind == lesson_step_kind::answer) ++answers;
      if (step.kind == lesson_step_kind::remedy || step.program.empty() || is_header(step)) continue;
      const std::string name(scenario_of(step.program));
      if (std::ranges::find(scenarios_, name) == scenarios_.end()) scenarios_.push_back(name);
    }
    const std::string title = fmt::format("Lesson {} of {}: {}", number_of(of), lessons().size(), of.title);
    fmt::print("\n{}\n{}\n", paint(title, style::bold, coloured_), std::string(title.size(), '='));
    for (const lesson_step& step : of.steps) {
      take(step);
      if (step.kind == lesson_step_kind::answer && --answers == 0) reveal();
      if (stopped_by_ != 0) return;
      go_on();
      if (quit_) return;
    }
  }

  void take(const lesson_step& step) {
    fmt::print("\n{}\n", paint(fmt::format("-- {} --", heading(step.kind)), style::bold, coloured_));
    if (!step.text.empty()) fmt::print("\n{}", wrapped(step.text, 0, page_columns));
    if (step.kind == lesson_step_kind::remedy) fmt::print("\nIt is {}.\n", step.program);
    check_output();
    if (step.kind == lesson_step_kind::source) {
      const fs::path file = source_of(step, options_.sources);
      const std::string name =
          is_header(step) ? step.program : fmt::format("repro/{}.cpp", scenario_of(step.program));
      fmt::print("\n{}:\n{}", anonymous(name, scenarios_),
                 fitted(numbered_source(content_of(file)), page_columns));
    }
    if (is_live(step.kind)) show(perform(step));
    check_output();
  }

  live_result perform(const lesson_step& step) {
    progress_line progress(true);
    live_.progress = [&](const std::string& doing) { progress.show(doing); };
    try {
      return run_live(step, live_);
    } catch (const std::exception& error) {
      return {.text = {}, .counts = error.what(), .broken = "this step could not be run", .stopped_by = 0};
    }
  }

  void show(const live_result& result) {
    stopped_by_ = result.stopped_by;
    if (stopped_by_ != 0) return;
    ++live_steps_;
    if (!result.text.empty())
      fmt::print("\n{}", fitted(anonymous(without_library_frames(result.text), scenarios_), page_columns));
    if (result.broken.empty()) {
      fmt::print("\n{}", paint(fitted("> " + result.counts, page_columns), style::green, coloured_));
      return;
    }
    ++broken_;
    const std::string line = fmt::format("> NOT AS THE LESSON SAYS: {}: {}", result.broken, result.counts);
    fmt::print("\n{}", paint(fitted(line, page_columns), style::red, coloured_));
  }

  // From here on the names may be seen.
  void reveal() {
    for (std::size_t i = 0; i < scenarios_.size(); ++i)
      fmt::print("\n{} is repro/{}.cpp", i == 0 ? "program.cpp" : fmt::format("program{}.cpp", i + 1),
                 scenarios_[i]);
    fmt::print("\n");
    scenarios_.clear();
  }

  void go_on() {
    if (options_.automatic) return;
    fmt::print("\n{}", paint("[enter: go on, q: quit] ", style::dim, coloured_));
    check_output();
    std::string answer;
    if (!std::getline(std::cin, answer) || answer.starts_with('q')) quit_ = true;
  }

  void conclude() const {
    if (quit_ || stopped_by_ != 0) {
      fmt::print("\n");
      return;
    }
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
    fmt::print("\n{} lesson{}, {} live steps, ", taught_, taught_ == 1 ? "" : "s", live_steps_);
    if (broken_ == 0)
      fmt::print("all as the lessons say, ");
    else
      fmt::print("{} NOT AS THE LESSONS SAY, ", broken_);
    fmt::print("{:.0f} s, seed {}\n", passed.count(), options_.seed);
  }

  const classroom_options& options_;
  bool coloured_;
  live_settings live_;
  std::vector<std::string> scenarios_;  // of the lesson, until its answer
  unsigned taught_ = 0;
  unsigned live_steps_ = 0;
  unsigned broken_ = 0;
  bool quit_ = false;
  int stopped_by_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

void list_lessons(const std::vector<const lesson*>& chosen) {
  for (const lesson* each : chosen)
    fmt::print("{:2}  {:<22}{:>2} min  {}\n", number_of(*each), each->name, each->minutes, each->title);
}

}  // namespace

int classroom_command(const classroom_options& options) {
  const std::vector<const lesson*> chosen = chosen_lessons(options.lessons);
  if (options.list) {
    list_lessons(chosen);
    check_output();
    return 0;
  }
  if (!options.automatic && isatty(STDIN_FILENO) == 0)
    throw std::runtime_error(
        "classroom: stdin is no terminal, where somebody presses enter (--auto goes on by itself)");
  const int result = walk(options, read_catalogue(options.catalogue)).through(chosen);
  check_output();
  return result;
}

}  // namespace racelab::lab
