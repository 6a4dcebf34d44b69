// Flame graph: many stacks as one picture. A box is a function, as wide as the share of samples that it was in, and stands
// on its caller. Source of the idea and of the folded form: B. Gregg, https://www.brendangregg.com/flamegraphs.html
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "serve/profile.hpp"

namespace racelab::serve {

/// Names from the outermost function in, separated by semicolons, and how often that stack was seen.
using folded_stacks = std::map<std::string, std::uint64_t>;

/// Short names; frames of thread start-up are left out, and a stretch of Asio's and Beast's is one. Idle threads are kept: that they wait is part of the picture.
[[nodiscard]] folded_stacks fold(const std::vector<sampled_stack>& samples);

/// One line for each stack, `a;b;c 12`: what flamegraph.pl and speedscope read.
[[nodiscard]] std::string folded_text(const folded_stacks& stacks);

/// A picture of its own: no script; the title of each box, which a browser shows, has the whole name and the share. Frames that
/// take a lock are blue.
[[nodiscard]] std::string flame_graph_svg(const folded_stacks& stacks, const std::string& title);

}  // namespace racelab::serve
