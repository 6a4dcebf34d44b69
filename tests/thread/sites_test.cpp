// Which frames count as the user's, and what makes two reports the same bug.
#include "sanitizers/thread/sites.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sanitizers/thread/frame_line.hpp"

namespace {

using namespace racelab::tsan;

stack stack_of(const std::vector<std::string>& lines) {
  stack made;
  for (const std::string& line : lines) made.frames.push_back(parse_frame(line));
  return made;
}

std::string user_function(const std::vector<std::string>& lines) {
  const stack made = stack_of(lines);
  return made.frames[user_frame(made)].function;
}

report race(const std::string& f, const std::string& g) {
  report made;
  made.accesses.resize(2);
  made.accesses[0].write = true;
  made.accesses[0].where = stack_of({f});
  made.accesses[1].where = stack_of({g});
  return made;
}

TEST(UserFrame, IsBelowInterceptorsAndTheStandardLibrary) {
  EXPECT_EQ(
      user_function(
          {"operator delete(void*) ../../src/libsanitizer/tsan/tsan_new_delete.cpp:150 (libtsan.so.2+0x1)",
           "std::_Hashtable<int>::erase(int) /usr/include/c++/12/bits/hashtable.h:9 (p+0x1)",
           "drop() /src/x.cpp:3 (p+0x2)", "main /src/x.cpp:9 (p+0x3)"}),
      "drop()");
  EXPECT_EQ(user_function({"free <null> (p+0x1)", "drop() /src/x.cpp:3 (p+0x2)"}), "drop()");
  EXPECT_EQ(
      user_function({"_M_run /usr/include/c++/12/bits/std_thread.h:210 (p+0x1)", "f() /src/x.cpp:3 (p+0x2)"}),
      "f()");
  EXPECT_EQ(
      user_function(
          {"__gthread_mutex_unlock(pthread_mutex_t*) "
           "/usr/lib/gcc/x/12/../../../../include/x86_64-linux-gnu/c++/12/bits/gthr-default.h:779:12 (p+0x1)",
           "std::mutex::unlock() /usr/include/c++/12/bits/std_mutex.h:118 (p+0x1)",
           "leave() /src/x.cpp:7 (p+0x2)"}),
      "leave()");
}

TEST(UserFrame, MayLackDebugInformation) {
  EXPECT_EQ(user_function({"std::thread::_M_run() <null> (p+0x1)", "work(int*) <null> (p+0x2)"}),
            "work(int*)");
  const stack bare = stack_of({"<null> <null> (libtsan.so.2+0x1)", "<null> <null> (prog+0x2)"});
  EXPECT_EQ(user_frame(bare), 1U);
  EXPECT_EQ(user_frame(stack{}), 0U);
}

TEST(Signature, DoesNotDependOnWhoCameFirst) {
  EXPECT_EQ(signature(race("f() /src/x.cpp:1", "g() /src/x.cpp:2")),
            signature(race("g() /src/x.cpp:2", "f() /src/x.cpp:1")));
}

TEST(Signature, DoesNotDependOnLinesFoldersAndTemplateArguments) {
  EXPECT_EQ(signature(race("m<int>::f() /src/x.cpp:1", "g() /src/x.cpp:2")),
            signature(race("m<long>::f() /home/me/x.cpp:7", "g() /home/me/x.cpp:8")));
}

TEST(Signature, DependsOnKindFunctionAndFile) {
  const report one = race("f() /src/x.cpp:1", "g() /src/x.cpp:2");
  EXPECT_NE(signature(one), signature(race("f() /src/x.cpp:1", "h() /src/x.cpp:2")));
  EXPECT_NE(signature(one), signature(race("f() /src/x.cpp:1", "g() /src/y.cpp:2")));
  report other = one;
  other.kind = report_kind::use_after_free;
  EXPECT_NE(signature(one), signature(other));
  EXPECT_NE(fingerprint(signature(one)), fingerprint(signature(other)));
}

TEST(Signature, OfAFrameWithoutSymbolsIsItsModuleAndOffset) {
  EXPECT_EQ(signature(race("<null> <null> (prog+0x10)", "<null> <null> (prog+0x20)")),
            "data-race | prog+0x10 | prog+0x20");
}

TEST(Signature, OfAFailureDoesNotDependOnAddresses) {
  report one;
  one.kind = report_kind::fatal_error;
  one.title = "unexpected memory mapping 0x5588-0x55af";
  report two = one;
  two.title = "unexpected memory mapping 0x7f01-0x7fcc";
  EXPECT_EQ(signature(one), signature(two));
}

TEST(Fingerprint, IsTheSameAlways) {
  EXPECT_EQ(fingerprint(""), "cbf29ce484222325");
  EXPECT_EQ(fingerprint("a"), "af63dc4c8601ec8c");  // FNV-1a's own test vector
}

TEST(Titles, SayWhoDidWhat) {
  report of = race("f() /src/x.cpp:1", "g() /src/x.cpp:2");
  racelab::tsan::access& first = of.accesses[0];
  first.size = 8;
  first.thread = 1;
  first.mutexes = {{"M0", true}, {"M1", false}};
  of.threads.push_back({1, "writer", 9, "running", 0, false, {}});
  EXPECT_EQ(access_title(of, first), "write of 8 bytes by thread T1 'writer', holding M0, M1 to read");
  EXPECT_EQ(access_title(of, of.accesses[1]), "read by an unknown thread");
  of.accessed = location{};
  of.accessed->size = 16;
  of.accessed->offset = 8;
  of.accessed->thread = 0;
  EXPECT_EQ(location_title(of), "heap block of 16 bytes, 8 bytes into it, allocated by main thread");
}

}  // namespace
