// Documents: a judgement as JSON and as SARIF, and a recipe as a file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sanitizers/verdict/verdict.hpp"

namespace racelab::verdict {

/// {"program", "seconds", "verdict", "reports": [{"id", "kind", "sites", "verdict", "consequence", "evidence", "trials", …}], …};
/// docs/judge.md lists the keys. Ends in a newline.
[[nodiscard]] std::string json_document(const judgement& of);

/// SARIF 2.1.0: a result for each report, the verdict among its properties, both sites as related locations. `version` is the
/// tool's, `source_root` as in triage_documents.hpp.
[[nodiscard]] std::string sarif_document(const judgement& of, std::string_view version,
                                         std::string_view source_root);

/// What has to be run for a recipe, and how.
struct recipe_file {
  std::string program;            // under ThreadSanitizer; told for people
  std::string watch;              // linked with the watchpoint runtime: what is run
  std::string watch_fingerprint;  // of the file's bytes: a plan holds for these alone
  std::vector<std::string> arguments;
  std::string directory;       // where it was run
  std::string standard_input;  // a file, or empty
  std::string library_path;    // stands before LD_LIBRARY_PATH, or empty
  long timeout_ms = 10'000;
  std::string verdict_id;
  recipe what;
};

[[nodiscard]] std::string recipe_document(const recipe_file& of);

/// Throws std::runtime_error, in one line without the file's name, if `text` is no recipe.
[[nodiscard]] recipe_file read_recipe(std::string_view text);

}  // namespace racelab::verdict
