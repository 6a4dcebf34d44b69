#include "lab/catalogue.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <system_error>
#include <utility>

#include "lab/files.hpp"

namespace racelab::lab {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<std::string_view, scenario_kind>, 6> prefixes{{
    {"crash_", scenario_kind::crash},
    {"corrupt_", scenario_kind::corrupt},
    {"race_", scenario_kind::race},
    {"hang_", scenario_kind::hang},
    {"norace_", scenario_kind::norace},
    {"misuse_", scenario_kind::misuse},
}};

std::optional<scenario_kind> kind_of(std::string_view name) {
  for (const auto& [prefix, kind] : prefixes) {
    if (name.starts_with(prefix)) return kind;
  }
  return std::nullopt;
}

/// One object of the catalogue, read with errors that say where in the file it stands.
class object_reader {
 public:
  object_reader(const json& value, std::string where) : value_(value), where_(std::move(where)) {
    if (!value_.is_object()) throw catalogue_error(where_ + ": not an object");
  }

  [[noreturn]] void fail(const std::string& what) const { throw catalogue_error(where_ + ": " + what); }

  const json& member(const char* key) const {
    const auto found = value_.find(key);
    if (found == value_.end()) fail(fmt::format("no \"{}\"", key));
    return *found;
  }

  const json& array(const char* key) const {
    const json& found = member(key);
    if (!found.is_array()) fail(fmt::format("\"{}\" is not a list", key));
    return found;
  }

  std::string text(const char* key) const {
    const json& found = member(key);
    if (!found.is_string()) fail(fmt::format("\"{}\" is not a string", key));
    return found.get<std::string>();
  }

  std::string filled_text(const char* key) const {
    std::string found = text(key);
    if (found.empty()) fail(fmt::format("\"{}\" is empty", key));
    return found;
  }

  bool truth(const char* key) const {
    const json& found = member(key);
    if (!found.is_boolean()) fail(fmt::format("\"{}\" is neither true nor false", key));
    return found.get<bool>();
  }

  std::vector<std::string> texts(const char* key) const {
    std::vector<std::string> found;
    for (const json& item : array(key)) {
      if (!item.is_string()) fail(fmt::format("\"{}\" is not a list of strings", key));
      found.push_back(item.get<std::string>());
    }
    return found;
  }

  std::optional<std::chrono::milliseconds> duration(const char* key) const {
    const json& found = member(key);
    if (found.is_null()) return std::nullopt;
    if (!found.is_number_unsigned() || found.get<std::uint64_t>() == 0 ||
        found.get<std::uint64_t>() > 86'400'000) {
      fail(fmt::format("\"{}\" is not a number of milliseconds up to a day", key));
    }
    return std::chrono::milliseconds(found.get<std::int64_t>());
  }

 private:
  const json& value_;
  std::string where_;
};

scenario read_scenario(const json& value, const std::string& where, const std::filesystem::path& folder) {
  const object_reader unnamed(value, where);
  scenario read;
  read.name = unnamed.filled_text("name");
  const object_reader from(value, fmt::format("{} ({})", where, read.name));
  const std::optional<scenario_kind> kind = kind_of(read.name);
  if (!kind) from.fail("its name starts with none of crash_, corrupt_, race_, hang_, norace_, misuse_");
  read.kind = *kind;
  read.story = from.text("story");
  read.source = from.text("source");
  read.race = from.texts("race");
  read.expect = from.text("expect");
  read.fixes = from.text("fixes");
  read.not_fixes = from.texts("not");
  read.timeout = from.duration("timeout_ms");
  std::set<std::string> maps;
  const auto read_programs = [&](const char* key, const char* what, bool has_plain,
                                 std::vector<scenario_program>& into) {
    for (const json& item : from.array(key)) {
      const object_reader program(item,
                                  fmt::format("{} ({}), {} {}", where, read.name, what, into.size() + 1));
      into.push_back({.map = program.filled_text("map"),
                      .plain = has_plain ? folder / program.filled_text("plain") : std::filesystem::path(),
                      .watch = folder / program.filled_text("watch"),
                      .tsan = folder / program.filled_text("tsan")});
      if (!maps.insert(into.back().map).second)
        program.fail(fmt::format("map {} stands there twice", into.back().map));
    }
  };
  read_programs("programs", "program", true, read.programs);
  read_programs("fixed", "remedy", false, read.fixed);
  return read;
}

std::optional<truth> truth_named(std::string_view text) {
  for (const truth each : {truth::no_race, truth::race, truth::deadlock})
    if (name(each) == text) return each;
  return std::nullopt;
}

/// `tsan=report judge=confirmed` as a map.
std::map<std::string, std::string> expectations(const std::string& text, const object_reader& from) {
  std::map<std::string, std::string> read;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) from.fail(fmt::format("\"expect\": '{}' has no '='", word));
    read.emplace(word.substr(0, equals), word.substr(equals + 1));
  }
  return read;
}

corpus_program read_corpus_program(const json& value, const std::string& where,
                                   const std::filesystem::path& folder) {
  const object_reader unnamed(value, where);
  corpus_program read;
  read.name = unnamed.filled_text("name");
  const object_reader from(value, fmt::format("{} ({})", where, read.name));
  read.story = from.text("story");
  read.source = from.text("source");
  read.race = from.texts("race");
  const std::optional<truth> what = truth_named(from.text("truth"));
  if (!what) from.fail("\"truth\" is none of no race, race, deadlock");
  read.what = *what;
  read.harm = from.text("harm");
  read.reason = from.text("reason");
  read.cause = from.text("cause");
  read.expect = expectations(from.text("expect"), from);
  read.shown = from.truth("shown");
  read.plain = folder / from.filled_text("plain");
  read.watch = folder / from.filled_text("watch");
  read.tsan = folder / from.filled_text("tsan");
  if (!from.member("gcc").is_null()) read.gcc = folder / from.filled_text("gcc");
  if (!from.member("flag").is_null()) read.flag = folder / from.filled_text("flag");
  return read;
}

bool matches(const std::string& name, const std::string& pattern) {
  return name.starts_with(pattern) || fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

/// Those of `all` that the patterns name.
template <class Named>
std::vector<Named> selected(const std::vector<Named>& all, const std::vector<std::string>& patterns,
                            std::string_view kind, std::string_view list_command) {
  if (patterns.empty()) return all;
  std::set<std::string> chosen;
  for (const std::string& pattern : patterns) {
    const auto named = [&](const Named& candidate) { return candidate.name == pattern; };
    // A full name means that one alone, though it may also be the start of another one's.
    const bool exact = std::ranges::any_of(all, named);
    std::size_t found = 0;
    for (const Named& candidate : all) {
      if (exact ? named(candidate) : !pattern.empty() && matches(candidate.name, pattern)) {
        chosen.insert(candidate.name);
        ++found;
      }
    }
    if (found == 0)
      throw catalogue_error(fmt::format("no {} '{}' ({} shows what there is)", kind, pattern, list_command));
  }
  std::vector<Named> result;
  std::ranges::copy_if(all, std::back_inserter(result),
                       [&](const Named& candidate) { return chosen.contains(candidate.name); });
  return result;
}

}  // namespace

catalogue read_catalogue(const std::filesystem::path& file) {
  std::string text;
  try {
    text = content_of(file);
  } catch (const std::system_error& error) {
    throw catalogue_error(error.what());
  }
  json document;
  try {
    document = json::parse(text);
  } catch (const json::parse_error& error) {
    // what() starts with the library's own error number; the rest tells line and column.
    const std::string_view what = error.what();
    const std::size_t start = what.find("] ");
    throw catalogue_error(fmt::format("{}: {}", file.string(),
                                      start == std::string_view::npos ? what : what.substr(start + 2)));
  }
  const std::filesystem::path folder = std::filesystem::absolute(file).parent_path();
  const object_reader whole(document, file.string());
  catalogue read{.runtime = whole.filled_text("runtime"),
                 .runtime_version = whole.text("runtime_version"),
                 .fixes = {},
                 .scenarios = {},
                 .corpus = {}};
  for (const json& item : whole.array("fixes")) {
    const object_reader fix(item, fmt::format("{}: remedy {}", file.string(), read.fixes.size() + 1));
    read.fixes.push_back(
        {.name = fix.filled_text("name"), .story = fix.text("story"), .built = fix.truth("built")});
  }
  std::set<std::string> names;
  for (const json& item : whole.array("scenarios")) {
    const std::string where = fmt::format("{}: scenario {}", file.string(), read.scenarios.size() + 1);
    read.scenarios.push_back(read_scenario(item, where, folder));
    if (!names.insert(read.scenarios.back().name).second) {
      throw catalogue_error(
          fmt::format("{} ({}): that name stands there twice", where, read.scenarios.back().name));
    }
  }
  for (const json& item : whole.array("corpus")) {
    const std::string where =
        fmt::format("{}: program {} of the corpus", file.string(), read.corpus.size() + 1);
    read.corpus.push_back(read_corpus_program(item, where, folder));
    if (!names.insert(read.corpus.back().name).second)
      throw catalogue_error(
          fmt::format("{} ({}): that name stands there twice", where, read.corpus.back().name));
  }
  return read;
}

std::string_view name(truth what) noexcept {
  switch (what) {
    case truth::no_race:
      return "no race";
    case truth::race:
      return "race";
    case truth::deadlock:
      break;
  }
  return "deadlock";
}

std::vector<scenario> select_scenarios(const std::vector<scenario>& all,
                                       const std::vector<std::string>& patterns) {
  return selected(all, patterns, "scenario", "racelab list");
}

std::vector<corpus_program> select_programs(const std::vector<corpus_program>& all,
                                            const std::vector<std::string>& patterns) {
  return selected(all, patterns, "program of the corpus", "racelab list corpus");
}

std::vector<scenario> select_maps(std::vector<scenario> scenarios, const std::vector<std::string>& maps) {
  if (maps.empty()) return scenarios;
  std::set<std::string> present;
  for (const scenario& one : scenarios) {
    for (const scenario_program& program : one.programs) present.insert(program.map);
  }
  for (const std::string& map : maps) {
    if (!present.contains(map)) {
      std::string others;
      for (const std::string& other : present) others += (others.empty() ? "" : ", ") + other;
      throw catalogue_error(fmt::format("no such map here: '{}' (there are: {})", map, others));
    }
  }
  for (scenario& one : scenarios) {
    std::erase_if(one.programs, [&](const scenario_program& program) {
      return std::ranges::find(maps, program.map) == maps.end();
    });
  }
  std::erase_if(scenarios, [](const scenario& one) { return one.programs.empty(); });
  return scenarios;
}

}  // namespace racelab::lab
