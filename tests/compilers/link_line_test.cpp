// Lines as clang 22 and gcc 12 write them, shortened.
#include "compilers/link_line.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using namespace racelab::compilers;
using words = std::vector<std::string>;

const runtime_files runtime{.folder = "/racelab", .libraries = {"-lgcc_s", "/unwind.so"}};
const std::string llvm = "/llvm/lib/clang/22/lib/linux/libclang_rt.";

words by_clang(const words& more = {}) {
  words all = {"-pie",
               "-o",
               "program",
               "Scrt1.o",
               "--whole-archive",
               llvm + "tsan-x86_64.a",
               "--no-whole-archive",
               "--dynamic-list=" + llvm + "tsan-x86_64.a.syms",
               "--whole-archive",
               llvm + "tsan_cxx-x86_64.a",
               "--no-whole-archive",
               "--dynamic-list=" + llvm + "tsan_cxx-x86_64.a.syms",
               "main.o",
               "-lstdc++",
               "-lc"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

words by_gcc(const words& more = {}) {
  words all = {"-pie",   "-o",          "program", "libtsan_preinit.o", "--push-state", "--no-as-needed",
               "-ltsan", "--pop-state", "main.o",  "-lstdc++"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

words watch(const words& arguments) { return watch_arguments(arguments, read_link_line(arguments), runtime); }

bool has(const words& all, const std::string& word) { return std::ranges::find(all, word) != all.end(); }

}  // namespace

TEST(LinkLine, OfClangGetsOurObjectInThePlaceOfLlvmsArchives) {
  EXPECT_EQ(read_link_line(by_clang()).what, linked::with_archive);
  EXPECT_EQ(read_link_line(by_clang()).output, "program");
  EXPECT_EQ(watch(by_clang()),
            (words{"-pie", "Scrt1.o", "/racelab/watch.o", "--dynamic-list=/racelab/watch.syms",
                   "--push-state", "-Bdynamic", "-lgcc_s", "/unwind.so", "--pop-state", "main.o", "-lstdc++",
                   "-lc", "-o", "program.watch", "-lc"}));
}

TEST(LinkLine, OfCGetsTheCxxLibraryThatOurObjectNeeds) {
  words c = by_clang();
  c.erase(std::ranges::find(c, "-lstdc++"));
  EXPECT_TRUE(has(watch(c), "-lstdc++"));
}

TEST(LinkLine, OfAClangWithAFolderForEachMachineIsKnownToo) {
  const words arguments = {"-o", "program",
                           "/llvm/lib/clang/22/lib/x86_64-unknown-linux-gnu/libclang_rt.tsan.a", "main.o"};
  EXPECT_EQ(read_link_line(arguments).what, linked::with_archive);
  EXPECT_TRUE(has(watch(arguments), "/racelab/watch.o"));
  EXPECT_FALSE(has(watch(arguments), arguments[2]));
}

TEST(LinkLine, OfGccGetsTheFolderOfOurLibraryBeforeAllOthers) {
  const words arguments = by_gcc({"-rpath", "/gcc", "--enable-new-dtags"});
  EXPECT_EQ(read_link_line(arguments).what, linked::with_library);
  EXPECT_EQ(watch(arguments),
            (words{"--disable-new-dtags", "-rpath", "/racelab/gcc", "-pie", "libtsan_preinit.o",
                   "--push-state", "--no-as-needed", "-ltsan", "--pop-state", "main.o", "-lstdc++", "-rpath",
                   "/gcc", "-o", "program.watch"}));
}

TEST(LinkLine, WithoutAProgramUnderThreadSanitizerIsLeftAlone) {
  EXPECT_EQ(read_link_line({"-o", "program", "main.o", "-lc"}).what, linked::other);
  EXPECT_EQ(read_link_line({"--version"}).what, linked::other);
  EXPECT_EQ(read_link_line({}).what, linked::other);
  for (const char* const word : {"-shared", "-r", "--relocatable", "-Bshareable"}) {
    EXPECT_EQ(read_link_line(by_gcc({word})).what, linked::other) << word;
    EXPECT_EQ(read_link_line(by_clang({word})).what, linked::other) << word;
  }
  // A configure script that only wants to know whether it links.
  EXPECT_EQ(read_link_line(by_clang({"-o", "/dev/null"})).what, linked::other);
}

TEST(LinkLine, ThatCanHaveNoSecondLinkIsRefusedWithTheReason) {
  const auto refused = [](const words& arguments, const std::string& why) {
    const link_line line = read_link_line(arguments);
    EXPECT_EQ(line.what, linked::refused) << why;
    EXPECT_TRUE(line.refusal.starts_with(why)) << line.refusal;
  };
  refused(by_clang({"-static"}), "-static: ");
  refused({"-o", "program", llvm + "tsan-x86_64.so", "main.o"}, "-shared-libsan: ");
  refused({"-shared", "-o", "library.so", llvm + "tsan-x86_64.so", "library.o"}, "-shared-libsan: ");
  refused({"-o", "program", "-Bstatic", "-ltsan", "-Bdynamic", "main.o"}, "-static-libtsan: ");
}

TEST(LinkLine, WithSomeStaticLibrariesIsNoStaticProgram) {
  EXPECT_EQ(read_link_line(by_clang({"-Bstatic", "-lz", "-Bdynamic", "-lc"})).what, linked::with_archive);
  EXPECT_EQ(read_link_line(by_clang({"-static", "-lz", "-Bdynamic", "-lc"})).what, linked::with_archive);
}

TEST(LinkLine, ThatSaysNothingOfAnOutputMeansAOut) {
  EXPECT_EQ(read_link_line({"main.o"}).output, "a.out");
  EXPECT_EQ(read_link_line({"main.o", "--output=program"}).output, "program");
  EXPECT_EQ(read_link_line({"main.o", "--output", "program"}).output, "program");
  EXPECT_EQ(read_link_line({"-o", "-shared", "main.o", "-ltsan"}).what, linked::with_library)
      << "a program of that name";
}

TEST(LinkLine, WritesItsOtherFilesBesideThoseOfTheProgram) {
  const words second =
      watch(by_clang({"-Map=program.map", "--dependency-file=program.d", "-Map", "other.map"}));
  EXPECT_TRUE(has(second, "-Map=program.map.watch"));
  EXPECT_TRUE(has(second, "-Map=other.map.watch"));
  EXPECT_FALSE(has(second, "program.map"));
  EXPECT_FALSE(has(second, "other.map"));
  EXPECT_FALSE(has(second, "--dependency-file=program.d"));
}
