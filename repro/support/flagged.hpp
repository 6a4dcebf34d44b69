// Flagged: standard maps with the write flag in them. A program of the corpus whose maps are these instead of std's is what the
// detector `write-flag` runs (cmake/RacelabCorpus.cmake makes it).
#pragma once

#include <map>
#include <unordered_map>

#include "sanitizers/write_flag/checked.hpp"

namespace racelab::flagged {

template <class... Of> using map = checked<std::map<Of...>>;
template <class... Of> using unordered_map = checked<std::unordered_map<Of...>>;

}  // namespace racelab::flagged
