// The runtime's settings, from the environment.
#pragma once

#include <cstdint>

namespace racelab::watch {

enum class perturbation : std::uint8_t { stall, none, yield, heap };

struct options {
#define RACELAB_OPTION(type, name, value, description) type name = value;
#include "sanitizers/watchpoint/options.def"
#undef RACELAB_OPTION
  perturbation perturb = perturbation::stall;  // RACELAB_PERTURB
  std::uint64_t seed = 0;                      // RACELAB_SEED; random if unset
  const char* log = nullptr;                   // RACELAB_WATCH_LOG: the file that records are appended to
  const char* plan = nullptr;                  // RACELAB_WATCH_PLAN: where to stall
  const char* sites = nullptr;                 // RACELAB_WATCH_SITES: the file of the sites that are visited
  const char* events = nullptr;  // RACELAB_WATCH_EVENTS: the file of what happens at the observed ones
};

/// Reads RACELAB_PERTURB, RACELAB_SEED, RACELAB_WATCH and the names of files in RACELAB_WATCH_LOG, _PLAN, _SITES and
/// _EVENTS. With a plan nothing else is stalled, unless RACELAB_PERTURB says so. An unknown name or value ends the
/// process with exit status 2 and one line on stderr.
[[nodiscard]] options options_from_environment() noexcept;

}  // namespace racelab::watch
