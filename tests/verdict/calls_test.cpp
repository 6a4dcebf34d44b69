#include "sanitizers/verdict/calls.hpp"

#include <dlfcn.h>
#include <execinfo.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>

namespace {

using racelab::verdict::function_called;

struct called {
  std::string file;
  std::uintptr_t offset = 0;
};

called here(void* return_address) {
  Dl_info module{};
  dladdr(return_address, &module);
  return {.file = std::filesystem::read_symlink("/proc/self/exe").string(),
          .offset = reinterpret_cast<std::uintptr_t>(return_address) -
                    reinterpret_cast<std::uintptr_t>(module.dli_fbase)};
}

void* module_of(void* address) {
  Dl_info module{};
  return dladdr(address, &module) == 0 ? nullptr : module.dli_fbase;
}

[[gnu::noinline]] called place() { return here(__builtin_return_address(0)); }

// Where this program called the function of a library that calls it back.
void* caller = nullptr;

int note_caller(const void* /*one*/, const void* /*other*/) {
  std::array<void*, 32> addresses{};
  const auto found =
      static_cast<std::size_t>(backtrace(addresses.data(), static_cast<int>(addresses.size())));
  void* const own = module_of(reinterpret_cast<void*>(&note_caller));
  bool was_in_library = false;
  for (void* const each : std::span(addresses).first(found)) {
    const bool is_own = module_of(each) == own;
    if (is_own && was_in_library) {
      caller = each;
      break;
    }
    was_in_library = !is_own;
  }
  return 0;
}

TEST(Calls, OfALibrarysFunctionIsNamed) {
  std::array<int, 2> two{1, 2};
  std::qsort(two.data(), two.size(), sizeof two[0], note_caller);
  ASSERT_NE(caller, nullptr);
  const called at = here(caller);
  EXPECT_EQ(function_called(at.file, at.offset), "qsort");
}

TEST(Calls, OfAnOwnFunctionIsNot) {
  const called at = place();
  EXPECT_EQ(function_called(at.file, at.offset), "") << "it stays in its own file";
}

TEST(Calls, NothingIsSaidOfWhatIsNoProgram) {
  EXPECT_EQ(function_called("/no/such/file", 1000), "");
  EXPECT_EQ(function_called("/etc/passwd", 10), "");
  EXPECT_EQ(function_called("/proc/self/exe", 0), "");
}

}  // namespace
