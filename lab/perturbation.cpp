#include "lab/perturbation.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace racelab::lab {
namespace {

constexpr std::array<std::string_view, 5> names{"none", "stall", "yield", "one-cpu", "heap"};

/// The finaliser of splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
constexpr std::uint64_t scramble(std::uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

std::uint64_t mix(std::uint64_t state, std::string_view text) noexcept {
  for (const char c : text) state = scramble(state ^ static_cast<unsigned char>(c));
  return scramble(state ^ text.size());  // so that ("a", "bc") and ("ab", "c") differ
}

constexpr std::string_view tunables = "GLIBC_TUNABLES=";

}  // namespace

std::string_view name(perturbation how) noexcept { return names[static_cast<std::size_t>(how)]; }

std::optional<perturbation> perturbation_named(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<perturbation>(found - names.begin());
}

bool has_seed(perturbation how) noexcept {
  return how == perturbation::stall || how == perturbation::yield || how == perturbation::heap;
}

std::uint64_t trial_seed(std::uint64_t base, std::string_view scenario, std::string_view map,
                         std::size_t index) noexcept {
  return scramble(mix(mix(scramble(base), scenario), map) ^ index) >> 32;
}

trial_request perturbed_trial(const scenario_program& program, perturbation how, std::uint64_t seed,
                              std::string_view traceback, std::chrono::milliseconds timeout) {
  trial_request request;
  request.program = has_seed(how) ? program.watch : program.plain;
  request.timeout = timeout;
  request.one_cpu = how == perturbation::one_cpu;
  request.abort_at_timeout = traceback != "none";
  request.environment.push_back("RACELAB_TRACEBACK=" + std::string(traceback));
  const auto pass_on = [&](const char* variable) {
    const char* value = std::getenv(variable);
    if (value != nullptr) request.environment.push_back(std::string(variable) + "=" + value);
  };
  pass_on("LD_LIBRARY_PATH");  // what the loader needs for racelab it needs for the program too
  if (has_seed(how)) {
    request.environment.push_back("RACELAB_PERTURB=" + std::string(name(how)));
    request.environment.push_back("RACELAB_SEED=" + std::to_string(seed));
    pass_on("RACELAB_WATCH");
    for (std::string& each : telling_heap()) request.environment.push_back(std::move(each));
  }
  return request;
}

std::vector<std::string> telling_heap() {
  return {"MALLOC_PERTURB_=165", std::string(tunables) + "glibc.malloc.tcache_count=0"};
}

void use_large_pages(trial_request& request) {
  const std::string large = "glibc.malloc.hugetlb=1";
  for (std::string& each : request.environment) {
    if (!each.starts_with(tunables)) continue;
    each += ":" + large;
    return;
  }
  request.environment.push_back(std::string(tunables) + large);
}

}  // namespace racelab::lab
