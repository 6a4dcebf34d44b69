// Bare: the benchmark's mix on a store itself, without sockets, to see what of a map's lead is left behind one.
#pragma once

#include <cstddef>
#include <string>

#include "serve/store.hpp"

namespace racelab::serve {

/// The i-th key of the mix.
[[nodiscard]] std::string mix_key(std::size_t i);

/// Stores the first `keys` keys of the mix.
void preload(store& into, std::size_t keys);

/// What serve/mix.lua has wrk do: of a hundred operations 95 get one of the first `keys` keys, which are always there, three put
/// and two erase one of the hundred keys after them. So many threads do it for so many seconds; operations a second.
[[nodiscard]] double bare_throughput(store& on, std::size_t keys, unsigned threads, double seconds);

}  // namespace racelab::serve
