// What `racelab explain` says: a crash with its frames annotated, and where a null pointer came from.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/explain_core.hpp"
#include "stacks/reading/crash.hpp"
#include "stacks/reading/null_way.hpp"

namespace racelab::lab {

struct explained_crash {
  reading::crash what;
  std::string meaning;                       // in one sentence; empty if nothing is known
  std::vector<reading::null_step> null_way;  // empty if no null was used, or nothing tells
  std::optional<null_run> again;
  std::vector<examined_map> maps;  // of a core file
};

/// Puts the meaning and, for a null pointer, the way that it came.
[[nodiscard]] explained_crash explain(reading::crash what, const reading::source_of& sources);

[[nodiscard]] std::string explained_text(const std::string& input, const explained_crash& one, bool coloured);

/// version, crashes[{form, line, headline, meaning, signal, address, threads[{title, note, role, frames[{function, file, line,
/// owner, thrown, first_of_yours}], created_by[]}], null_way[], again, maps[{name, type, address, findings[]}]}].
[[nodiscard]] std::string explained_document(const std::string& input,
                                             const std::vector<explained_crash>& all);

}  // namespace racelab::lab
