// Triage documents: a triage as JSON and as SARIF.
#pragma once

#include <string>
#include <string_view>

#include "sanitizers/thread/triage.hpp"

namespace racelab::tsan {

/// {"version":1,…}; docs/triage.md lists the keys. Ends in a newline.
[[nodiscard]] std::string json_document(const triage_result& result);

/// SARIF 2.1.0 with a rule for each kind. Files below `source_root` (an absolute path, or empty for none), and those that
/// are relative already, are given relative to %SRCROOT%. `version` is the tool's. Ends in a newline.
/// Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
[[nodiscard]] std::string sarif_document(const triage_result& result, std::string_view version,
                                         std::string_view source_root);

}  // namespace racelab::tsan
