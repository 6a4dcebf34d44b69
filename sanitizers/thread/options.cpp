#include "sanitizers/thread/options.hpp"

#include <algorithm>
#include <array>

namespace racelab::tsan {
namespace {

#define RACELAB_TSAN_OPTION(name, value, runtimes, reason) option{#name, value, #runtimes, reason},
constexpr std::array all_options{
#include "sanitizers/thread/options.def"
};
#undef RACELAB_TSAN_OPTION

#define RACELAB_TSAN_SUPPRESSION(kind, pattern, runtimes, map, reason) \
  suppression{#kind, pattern, #runtimes, #map, reason},
constexpr std::initializer_list<suppression> all_suppressions{
#include "sanitizers/thread/suppressions.def"
};
#undef RACELAB_TSAN_SUPPRESSION

bool is_for(std::string_view runtimes, runtime which) { return runtimes == "any" || runtimes == name(which); }

}  // namespace

std::string_view name(runtime which) noexcept { return which == runtime::llvm ? "llvm" : "gcc"; }

std::optional<runtime> runtime_named(std::string_view name) noexcept {
  if (name == "llvm") return runtime::llvm;
  if (name == "gcc") return runtime::gcc;
  return std::nullopt;
}

std::string suppression::line() const { return std::string(kind) + ":" + std::string(pattern); }

std::span<const option> options() noexcept { return all_options; }

std::span<const suppression> suppressions() noexcept {
  return {all_suppressions.begin(), all_suppressions.size()};
}

std::vector<suppression> suppressions_for(std::span<const suppression> all, runtime which,
                                          std::string_view map) {
  std::vector<suppression> chosen;
  std::ranges::copy_if(all, std::back_inserter(chosen), [&](const suppression& each) {
    return is_for(each.runtimes, which) && each.map == map;
  });
  return chosen;
}

std::string options_text(runtime which, const std::string& log_path, const std::string& suppressions_file,
                         std::span<const std::string> more) {
  std::string text;
  const auto add = [&text](std::string_view name, std::string_view value) {
    text += (text.empty() ? "" : " ") + std::string(name) + "=" + std::string(value);
  };
  for (const option& each : options())
    if (is_for(each.runtimes, which)) add(each.name, each.value);
  if (!log_path.empty()) add("log_path", log_path);
  if (!suppressions_file.empty()) add("suppressions", suppressions_file);
  for (const std::string& each : more) text += " " + each;
  return text;
}

std::vector<std::string> used_suppressions(std::string_view log) {
  // ThreadSanitizer: Matched 2 suppressions (pid=…):
  // 1 race:pattern
  std::vector<std::string> used;
  bool listed = false;
  while (!log.empty()) {
    const std::size_t end = log.find('\n');
    const std::string_view line = log.substr(0, end);
    if (line.starts_with("ThreadSanitizer: Matched ")) {
      listed = true;
    } else if (listed) {
      const std::size_t count_end = line.find_first_not_of("0123456789");
      if (count_end == 0 || count_end == std::string_view::npos || line[count_end] != ' ')
        listed = false;
      else
        used.emplace_back(line.substr(count_end + 1));
    }
    log.remove_prefix(end == std::string_view::npos ? log.size() : end + 1);
  }
  return used;
}

}  // namespace racelab::tsan
