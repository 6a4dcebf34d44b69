// Correct programs in small, instrumented: in each, threads share plain memory in an order that something keeps.
#pragma once

#include <cstdint>
#include <vector>

namespace correct_programs {

struct program {
  const char* name;
  std::uint64_t (*run)(std::uint64_t rounds);
  std::uint64_t expected_per_round;  // run(n) == n * this
};

const std::vector<program>& all();

}  // namespace correct_programs
