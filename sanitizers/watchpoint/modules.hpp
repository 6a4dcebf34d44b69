// What is loaded where: the executable and its shared libraries.
#pragma once

#include <cstdint>
#include <string_view>

namespace racelab::watch {

struct module {
  std::string_view path;
  std::uintptr_t base = 0;  // what the loader added to the addresses in the file
  std::uintptr_t end = 0;
  bool is_executable = false;
};

/// How many modules have been loaded since the start of the process. Changes whenever one is.
unsigned long long modules_loaded() noexcept;

/// Calls visit(module, argument) for each, the executable first, until it returns false. Takes nothing from the
/// heap, but the loader's lock.
void for_each_module(bool (*visit)(const module&, void*), void* argument) noexcept;

}  // namespace racelab::watch
