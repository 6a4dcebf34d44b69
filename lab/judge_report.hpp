// Judge report: a judgement as text that can be pasted into a bug tracker.
#pragma once

#include <string>
#include <vector>

#include "sanitizers/verdict/verdict.hpp"

namespace racelab::lab {

/// One report; `recipe` is the file of its recipe, empty for none.
[[nodiscard]] std::string judged_report_text(const verdict::judged_report& of, const std::string& recipe,
                                             bool coloured);

/// `recipes`: for each report, the file of its recipe; empty for none.
[[nodiscard]] std::string judgement_text(const verdict::judgement& of,
                                         const std::vector<std::string>& recipes, bool coloured);

}  // namespace racelab::lab
