#include "lab/list_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <limits>
#include <system_error>

#include "lab/catalogue.hpp"
#include "lab/corpus_table.hpp"
#include "lab/document.hpp"
#include "lab/terminal.hpp"

namespace racelab::lab {

namespace {

void flush_stdout() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
    throw std::system_error(errno, std::generic_category(), "stdout");
}

int list_corpus(const std::vector<corpus_program>& programs, const std::string& json) {
  const std::string document = corpus_document(programs);
  fmt::print("{}", json == "-" ? document : corpus_table(programs));
  if (!json.empty() && json != "-") write_document(json, document);
  flush_stdout();
  return 0;
}

}  // namespace

int list_command(const list_options& options) {
  const catalogue all = read_catalogue(options.catalogue);
  if (options.what == "corpus") return list_corpus(all.corpus, options.json);
  const std::vector<scenario>& scenarios = all.scenarios;
  if (options.json == "-") {
    fmt::print("{}", list_document(scenarios));
  } else {
    const bool coloured = wants_colour(STDOUT_FILENO);
    const std::size_t width = columns(STDOUT_FILENO, std::numeric_limits<std::size_t>::max());
    for (const scenario& one : scenarios) {
      std::string maps;
      for (const scenario_program& program : one.programs) maps += (maps.empty() ? "" : ", ") + program.map;
      fmt::print("{}  ({})\n{}", paint(one.name, style::bold, coloured), maps, wrapped(one.story, 2, width));
      std::string remedies;
      for (const scenario_program& program : one.fixed)
        remedies += (remedies.empty() ? "mended by " : ", ") + program.map;
      if (!remedies.empty()) fmt::print("{}", paint(wrapped(remedies, 2, width), style::dim, coloured));
    }
    if (!options.json.empty()) write_document(options.json, list_document(scenarios));
  }
  flush_stdout();
  return 0;
}

}  // namespace racelab::lab
