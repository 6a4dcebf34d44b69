// Judge report: a judgement as text that can be pasted into a bug tracker.
#pragma once

#include <string>
#include <vector>

#include "sanitizers/verdict/verdict.hpp"

namespace racelab::lab {

/// One report; `recipe_command` repeats its catch, empty for none.
[[nodiscard]] std::string judged_report_text(const verdict::judged_report& of,
                                             const std::string& recipe_command, bool coloured);

/// `recipe_commands`: for each report, the command that repeats its catch; empty for none.
[[nodiscard]] std::string judgement_text(const verdict::judgement& of,
                                         const std::vector<std::string>& recipe_commands, bool coloured);

}  // namespace racelab::lab
