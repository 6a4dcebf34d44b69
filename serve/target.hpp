// Target: what the request line asks for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace racelab::serve {

/// The path of a request target in origin form (`/kv/a?b`) or absolute form (`http://host/kv/a`, which RFC 9112 has servers
/// take), without its query. Empty if it is neither.
[[nodiscard]] std::string_view path_of(std::string_view target);

/// `text` with each %XX as the byte that it stands for. Nothing if a % is followed by anything but two hexadecimal digits.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace racelab::serve
