#include "sanitizers/verdict/controls.hpp"

#include <algorithm>
#include <array>

namespace racelab::verdict {
namespace {

constexpr auto table = std::to_array<negative_control>({
#define RACELAB_CONTROL(cause, program, mechanism, advice) {cause, program, mechanism, advice},
#include "sanitizers/verdict/controls.def"
#undef RACELAB_CONTROL
});

}  // namespace

std::span<const negative_control> negative_controls() noexcept { return table; }

const negative_control* control_of(std::string_view cause) noexcept {
  const auto* const found = std::ranges::find(table, cause, &negative_control::cause);
  return found == table.end() ? nullptr : found;
}

}  // namespace racelab::verdict
