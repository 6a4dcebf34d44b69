// Records: ThreadSanitizer's reports as sanitizers/thread/on_report.cpp wrote them inside the program, one JSON object
// a line:
//
//   {"process":15786,"kind":"data-race","base":"0x558c1db74000",
//    "accesses":[{"thread":1,"address":"0x7ffc2c00a968","size":8,"write":false,"atomic":false,"stack":["0x558c1dc65279",…]},…],
//    "stacks":[{"stack":[…]},…],
//    "locations":[{"type":"heap","start":"0x721400000050","size":40,"thread":0,"stack":[…]},…]}
//
// `kind` is the runtime's own word (data-race, heap-use-after-free, lock-order-inversion, …); `base` is where the
// program's file begins in memory; addresses of stacks are return addresses, innermost first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace racelab::tsan {

struct recorded_access {
  int thread = 0;  // the runtime's number; 0 is main
  std::uintptr_t address = 0;
  std::size_t size = 0;  // bytes
  bool write = false;
  bool atomic = false;
  std::vector<std::uintptr_t> stack;
};

struct recorded_report {
  long process = 0;
  std::string kind;
  std::uintptr_t base = 0;
  std::vector<recorded_access> accesses;
  std::vector<std::vector<std::uintptr_t>> stacks;
};

/// The reports of a file, in order; none if it isn't there. A last line that is cut off (the program died while it
/// wrote) is left out. Throws std::runtime_error, naming file and line, if another line can't be read.
[[nodiscard]] std::vector<recorded_report> read_records(const std::filesystem::path& file);

}  // namespace racelab::tsan
