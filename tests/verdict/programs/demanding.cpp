// Has its race only if it is run as it asks for: an argument, a variable, its input, a file in the working directory.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>

#include "tests/verdict/programs/counter.hpp"

int main(int argc, char** argv) {
  using std::string_view_literals::operator""sv;
  std::string line;
  std::getline(std::cin, line);
  const char* variable = std::getenv("JUDGED_VARIABLE");
  const bool as_asked = argc == 2 && argv[1] == "--race it"sv && variable != nullptr && variable == "set"sv &&
                        line == "input" && std::ifstream("here.txt").good();
  if (!as_asked) {
    std::puts("not as asked for");
    return 4;
  }
  long counter = 0;
  racelab::judged::race_on(counter);
  return 0;
}
