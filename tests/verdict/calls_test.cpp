#include "sanitizers/verdict/calls.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <list>
#include <string>
#include <vector>

namespace {

using racelab::verdict::defines;
using racelab::verdict::function_called;
using racelab::verdict::functions_called_around;

constexpr auto hook = "_ZNSt8__detail15_List_node_base7_M_hookEPS0_";

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

[[gnu::noinline]] called place() { return here(__builtin_return_address(0)); }

[[gnu::noinline]] called link() {
  std::__detail::_List_node_base head;
  std::__detail::_List_node_base node;
  head._M_next = head._M_prev = &head;
  node._M_hook(&head);
  return place();
}

std::string libstdcpp() {
  Dl_info module{};
  dladdr(reinterpret_cast<void*>(&std::__throw_bad_alloc), &module);
  return module.dli_fname;
}

TEST(Calls, OfAFunctionThatGoToLibraries) {
  const called at = link();
  const std::vector<std::string> all = functions_called_around(at.file, at.offset);
  EXPECT_EQ(std::ranges::count(all, hook), 1);
}

TEST(Calls, OfOneInstruction) {
  const called at = link();
  EXPECT_EQ(function_called(at.file, at.offset), "") << "it stays in its own file";
}

TEST(Calls, NothingIsSaidOfWhatIsNoProgram) {
  EXPECT_TRUE(functions_called_around("/no/such/file", 1000).empty());
  EXPECT_TRUE(functions_called_around("/etc/passwd", 10).empty());
  EXPECT_TRUE(functions_called_around("/proc/self/exe", 0).empty());
}

TEST(Calls, LibraryDefinesWhatItHasForOthers) {
  EXPECT_TRUE(defines(libstdcpp(), hook));
  EXPECT_FALSE(defines("/proc/self/exe", hook)) << "it is taken from libstdc++";
  EXPECT_FALSE(defines(libstdcpp(), "no_such_function"));
  EXPECT_FALSE(defines("/no/such/file", hook));
}

}  // namespace
