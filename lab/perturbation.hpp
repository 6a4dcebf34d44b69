// Perturbation: how a trial's schedule is disturbed, and the seeds that make its choices repeatable.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/catalogue.hpp"
#include "lab/trial.hpp"

namespace racelab::lab {

enum class perturbation {
  none,     // the program as a person would build and start it
  stall,    // the watchpoint runtime stalls threads just before their accesses
  yield,    // the watchpoint runtime yields the processor there
  one_cpu,  // the plain program, bound to one processor
  heap,     // a thread of the watchpoint runtime churns the heap
};

/// As on the command line: one-cpu and so on.
[[nodiscard]] std::string_view name(perturbation how) noexcept;
[[nodiscard]] std::optional<perturbation> perturbation_named(std::string_view name) noexcept;

/// True if the perturbation makes choices that a seed repeats.
[[nodiscard]] bool has_seed(perturbation how) noexcept;

/// The seed of one trial: the same base, scenario, map and index always give the same, and others others. 32
/// bits of it are used, so that it can be typed.
[[nodiscard]] std::uint64_t trial_seed(std::uint64_t base, std::string_view scenario, std::string_view map,
                                       std::size_t index) noexcept;

/// A trial of `program` under `how`. `traceback` becomes its RACELAB_TRACEBACK.
[[nodiscard]] trial_request perturbed_trial(const scenario_program& program, perturbation how,
                                            std::uint64_t seed, std::string_view traceback,
                                            std::chrono::milliseconds timeout);

/// What makes the use of freed memory tell, as NAME=value. Freed memory is overwritten with 165 = 0xa5 (mallopt(3), M_PERTURB). Not
/// what the thread cache takes, though: malloc puts a block there before it would overwrite it, hence no thread cache.
[[nodiscard]] std::vector<std::string> telling_heap();

/// glibc's malloc in few large pages, for maps of megabytes: one more of the tunables that the trial has.
void use_large_pages(trial_request& request);

}  // namespace racelab::lab
