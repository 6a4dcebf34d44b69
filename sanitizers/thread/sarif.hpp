// SARIF: what the documents of triages and of judgements share.
// Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace racelab::tsan {

/// A source root without slashes at its end.
[[nodiscard]] std::string_view sarif_root(std::string_view source_root);

/// A physicalLocation. A file below `source_root` (an absolute path, or empty for none), or one that is relative already, is
/// given relative to %SRCROOT%. A line or column of 0 is left out.
[[nodiscard]] nlohmann::ordered_json sarif_place(std::string_view file, std::size_t line, std::size_t column,
                                                 std::string_view source_root);

/// A whole document with one run, which is given its originalUriBaseIds. Ends in a newline.
[[nodiscard]] std::string sarif_log(nlohmann::ordered_json run, std::string_view source_root);

}  // namespace racelab::tsan
