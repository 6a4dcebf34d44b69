// Arguments: what every benchmark with paired rounds is started with.
#pragma once

#include <cstddef>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>

namespace racelab::bench {

struct arguments {
  std::size_t rounds = 0;
  bool check = false;
  std::string json{};
  std::string folder{};  // for results; empty: none
};

/// Who is started, and what --help says of it.
struct paired_program {
  const char* name = "";
  const char* asked = "";
  const char* bar = "";  // what --check asks for
  bool writes_json = false;
};

/// --rounds N, --check, --results DIR, --help and, if the program `writes_json`, --json FILE, or DIR/PROGRAM.json where there is a
/// DIR. An exit code if the program ends here: 0 after --help, 2 with a line on stderr for anything else and for fewer than 6 rounds,
/// which give no 95 % interval.
[[nodiscard]] std::optional<int> read_arguments(int argc, char** argv, const paired_program& program,
                                                arguments& into);

/// What main() of `program` returns: `run`'s exit code, or 2 with one line on stderr for what it throws.
[[nodiscard]] int exit_code_of(const char* program, auto run) {
  try {
    return run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", program, error.what());
    return 2;
  }
}

}  // namespace racelab::bench
