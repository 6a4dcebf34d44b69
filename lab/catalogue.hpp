// Catalogue: the scenarios that were built, as cmake/RacelabScenarios.cmake writes them to catalogue.json.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace racelab::lab {

/// A scenario's prefix: what it shows.
enum class scenario_kind { crash, corrupt, race, hang, norace, misuse };

/// One map or remedy that a scenario was built on, and the programs made of it; paths are absolute.
struct scenario_program {
  std::string map;
  std::filesystem::path plain;  // empty for a remedy
  std::filesystem::path watch;  // linked with the watchpoint runtime
  std::filesystem::path tsan;   // linked with the compiler's ThreadSanitizer
};

struct scenario {
  std::string name;  // crash_concurrent_delete
  scenario_kind kind = scenario_kind::crash;
  std::string story;                   // one sentence
  std::string source;                  // repro/crash_concurrent_delete.cpp
  std::vector<std::string> race;       // racing pairs by function
  std::string expect;                  // what each detector should say
  std::string fixes;                   // all, none, or names
  std::vector<std::string> not_fixes;  // "NAME: reason"
  std::optional<std::chrono::milliseconds> timeout;
  std::vector<scenario_program> programs;  // over the maps that race
  std::vector<scenario_program> fixed;     // over the remedies that apply
};

/// What is true of a program of the corpus.
enum class truth { no_race, race, deadlock };

/// As a program's header says it: `no race` and so on.
[[nodiscard]] std::string_view name(truth what) noexcept;

/// A program of the labelled corpus (docs/corpus.md): built over no map, and known; paths are absolute.
struct corpus_program {
  std::string name;    // norace_asm_lock
  std::string story;   // one sentence
  std::string source;  // repro/norace_asm_lock.cpp
  std::vector<std::string> race;
  truth what = truth::no_race;
  std::string harm;                           // crash, corrupt, … hang; empty if there is none
  std::string reason;                         // why that is true
  std::string cause;                          // why a detector is wrong about it; empty if none is
  std::map<std::string, std::string> expect;  // what each detector should say: tsan -> report
  bool shown = false;                         // a race whose accesses can be caught in the act on x86-64
  std::filesystem::path plain;
  std::filesystem::path watch;  // linked with the watchpoint runtime
  std::filesystem::path tsan;   // linked with the compiler's ThreadSanitizer
  std::filesystem::path gcc;    // built with g++ -fsanitize=thread; empty if it was not
  std::filesystem::path flag;   // its maps are checked by the write flag; empty if it has none
};

struct remedy {
  std::string name;
  std::string story;  // one sentence
  bool built = true;  // false: the library that it wraps is missing
};

struct catalogue {
  std::string runtime;          // whose ThreadSanitizer: llvm or gcc
  std::string runtime_version;  // of the compiler
  std::vector<remedy> fixes;
  std::vector<scenario> scenarios;
  std::vector<corpus_program> corpus;
};

/// What is wrong with a catalogue or with what was asked of it: one line that names the file and the place.
struct catalogue_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Reads a catalogue. Throws catalogue_error if the file can't be read, is no JSON, or says something else
/// than what a catalogue says.
[[nodiscard]] catalogue read_catalogue(const std::filesystem::path& file);

/// The scenarios that the patterns name, in the catalogue's order: each pattern is a name, a glob
/// (`*_delete`) or the start of names (`crash_`); no pattern means all. Throws catalogue_error for one that
/// names nothing.
[[nodiscard]] std::vector<scenario> select_scenarios(const std::vector<scenario>& all,
                                                     const std::vector<std::string>& patterns);

/// The same of the corpus.
[[nodiscard]] std::vector<corpus_program> select_programs(const std::vector<corpus_program>& all,
                                                          const std::vector<std::string>& patterns);

/// Leaves only the programs for these maps, and only the scenarios that have one; no map means all. Throws
/// catalogue_error for a map that none of the scenarios has. Remedies are left as they are.
[[nodiscard]] std::vector<scenario> select_maps(std::vector<scenario> scenarios,
                                                const std::vector<std::string>& maps);

}  // namespace racelab::lab
