#include "sanitizers/watchpoint/modules.hpp"

#include <link.h>
#include <unistd.h>

#include <span>

namespace racelab::watch {
namespace {

// The executable's path; PATH_MAX bytes. The loader knows it only by an empty name.
struct executable_path {
  // At most one byte less than there is: the rest stays zero.
  executable_path() noexcept {
    if (readlink("/proc/self/exe", text, sizeof text - 1) < 0) text[0] = '\0';
  }
  char text[4096] = {};
};

struct walk {
  bool (*visit)(const module&, void*);
  void* argument;
};

int visit_one(dl_phdr_info* info, std::size_t /*size*/, void* argument) noexcept {
  static const executable_path executable;
  const std::string_view name = info->dlpi_name == nullptr ? "" : info->dlpi_name;
  module found{.path = name, .base = info->dlpi_addr, .end = info->dlpi_addr, .is_executable = name.empty()};
  if (found.is_executable) found.path = executable.text;
  for (const auto& segment : std::span(info->dlpi_phdr, info->dlpi_phnum)) {
    if (segment.p_type == PT_LOAD && info->dlpi_addr + segment.p_vaddr + segment.p_memsz > found.end)
      found.end = info->dlpi_addr + segment.p_vaddr + segment.p_memsz;
  }
  const auto& wanted = *static_cast<const walk*>(argument);
  return wanted.visit(found, wanted.argument) ? 0 : 1;
}

int count(dl_phdr_info* info, std::size_t /*size*/, void* argument) noexcept {
  *static_cast<unsigned long long*>(argument) = info->dlpi_adds;
  return 1;
}

}  // namespace

unsigned long long modules_loaded() noexcept {
  unsigned long long loaded = 0;
  dl_iterate_phdr(count, &loaded);
  return loaded;
}

void for_each_module(bool (*visit)(const module&, void*), void* argument) noexcept {
  walk wanted{visit, argument};
  dl_iterate_phdr(visit_one, &wanted);
}

}  // namespace racelab::watch
