// libc's memory and string functions: which bytes a call touches, what it returns, and whose calls count.
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

#include "tests/watchpoint/accesses_of.hpp"
#include "tests/watchpoint/libc_calls.hpp"
#include "tests/watchpoint/staging.hpp"

namespace {

using namespace staging;
using namespace instrumented;
using watch::record;

constexpr std::size_t all = SIZE_MAX;

class Intercepts : public Staged {};

struct libc_case {
  const char* name;
  const char* a;
  const char* b;
  std::function<std::string(buffers&)> call;  // says what it returned
  std::string returned;
  std::vector<touched> expected;
};

std::string sign(int value) {
  if (value == 0) return "equal";
  return value < 0 ? "less" : "greater";
}

std::string position(const buffers& in, const void* found) {
  return found == nullptr ? "null" : std::to_string(static_cast<const char*>(found) - in.a.data());
}

std::vector<libc_case> cases() {
  const auto position_in_a = position;
  return {
      {"memcpy",
       "one",
       "two",
       [](buffers& in) {
         call_memcpy(in.a.data(), in.b.data(), 3);
         return std::string(in.a.data());
       },
       "two",
       {{'b', 0, 3, false}, {'a', 0, 3, true}}},
      {"memmove_up",
       "abcdef",
       "",
       [](buffers& in) {
         call_memmove(in.a.data() + 1, in.a.data(), 5);
         return std::string(in.a.data());
       },
       "aabcde",
       {{'a', 0, 5, false}, {'a', 1, 5, true}}},
      {"memset",
       "abcdef",
       "",
       [](buffers& in) {
         call_memset(in.a.data() + 1, 'x', 2);
         return std::string(in.a.data());
       },
       "axxdef",
       {{'a', 1, 2, true}}},
      {"memcpy_of_nothing",
       "one",
       "two",
       [](buffers& in) {
         call_memcpy(in.a.data(), in.b.data(), 0);
         return std::string(in.a.data());
       },
       "one",
       {}},
      {"memcmp_compares_all",
       "abc",
       "axc",
       [](buffers& in) { return sign(call_memcmp(in.a.data(), in.b.data(), 4)); },
       "less",
       {{'a', 0, 4, false}, {'b', 0, 4, false}}},
      {"bcmp",
       "abc",
       "abc",
       [](buffers& in) { return sign(call_bcmp(in.a.data(), in.b.data(), 4)); },
       "equal",
       {{'a', 0, 4, false}, {'b', 0, 4, false}}},
      {"memchr_up_to_what_is_found",
       "abcabc",
       "",
       [=](buffers& in) { return position_in_a(in, call_memchr(in.a.data(), 'c', 64)); },
       "2",
       {{'a', 0, 3, false}}},
      {"memchr_of_what_is_not_there",
       "abcabc",
       "",
       [=](buffers& in) { return position_in_a(in, call_memchr(in.a.data(), 'x', 5)); },
       "null",
       {{'a', 0, 5, false}}},
      {"strlen_with_the_end",
       "abc",
       "",
       [](buffers& in) { return std::to_string(call_strlen(in.a.data())); },
       "3",
       {{'a', 0, 4, false}}},
      {"strnlen_of_a_shorter_one",
       "abc",
       "",
       [](buffers& in) { return std::to_string(call_strnlen(in.a.data(), 9)); },
       "3",
       {{'a', 0, 4, false}}},
      {"strnlen_of_a_longer_one",
       "abc",
       "",
       [](buffers& in) { return std::to_string(call_strnlen(in.a.data(), 2)); },
       "2",
       {{'a', 0, 2, false}}},
      {"strcmp_up_to_the_difference",
       "abcd",
       "abxd",
       [](buffers& in) { return sign(call_strcmp(in.a.data(), in.b.data())); },
       "less",
       {{'a', 0, 3, false}, {'b', 0, 3, false}}},
      {"strcmp_of_equal_ones",
       "abcd",
       "abcd",
       [](buffers& in) { return sign(call_strcmp(in.a.data(), in.b.data())); },
       "equal",
       {{'a', 0, 5, false}, {'b', 0, 5, false}}},
      {"strcmp_of_a_prefix",
       "ab",
       "abcd",
       [](buffers& in) { return sign(call_strcmp(in.a.data(), in.b.data())); },
       "less",
       {{'a', 0, 3, false}, {'b', 0, 3, false}}},
      {"strcmp_is_unsigned",
       "\xff",
       "a",
       [](buffers& in) { return sign(call_strcmp(in.a.data(), in.b.data())); },
       "greater",
       {{'a', 0, 1, false}, {'b', 0, 1, false}}},
      {"strncmp_up_to_its_limit",
       "abcd",
       "abxd",
       [](buffers& in) { return sign(call_strncmp(in.a.data(), in.b.data(), 2)); },
       "equal",
       {{'a', 0, 2, false}, {'b', 0, 2, false}}},
      {"strncmp_up_to_the_difference",
       "abcd",
       "abxd",
       [](buffers& in) { return sign(call_strncmp(in.a.data(), in.b.data(), all)); },
       "less",
       {{'a', 0, 3, false}, {'b', 0, 3, false}}},
      {"strcpy",
       "abcd",
       "xy",
       [](buffers& in) {
         return position(in, call_strcpy(in.a.data(), in.b.data())) + in.a.data() + in.a[3];
       },
       "0xyd",
       {{'b', 0, 3, false}, {'a', 0, 3, true}}},
      {"strncpy_fills_up",
       "abcdef",
       "xy",
       [](buffers& in) {
         call_strncpy(in.a.data(), in.b.data(), 5);
         return in.a.data() + std::string(in.a.data() + 4, 2);
       },
       std::string("xy") + std::string("\0f", 2),
       {{'b', 0, 3, false}, {'a', 0, 5, true}}},
      {"strncpy_cuts",
       "abcdef",
       "uvwxyz",
       [](buffers& in) { return std::string(call_strncpy(in.a.data(), in.b.data(), 3)); },
       "uvwdef",
       {{'b', 0, 3, false}, {'a', 0, 3, true}}},
      {"strcat",
       "abc",
       "xy",
       [](buffers& in) { return std::string(call_strcat(in.a.data(), in.b.data())); },
       "abcxy",
       {{'a', 0, 4, false}, {'b', 0, 3, false}, {'a', 3, 3, true}}},
      {"strchr_up_to_what_is_found",
       "abcabc",
       "",
       [=](buffers& in) { return position_in_a(in, call_strchr(in.a.data(), 'c')); },
       "2",
       {{'a', 0, 3, false}}},
      {"strchr_of_what_is_not_there",
       "abcabc",
       "",
       [=](buffers& in) { return position_in_a(in, call_strchr(in.a.data(), 'x')); },
       "null",
       {{'a', 0, 7, false}}},
      {"strchr_of_the_end",
       "abc",
       "",
       [=](buffers& in) { return position_in_a(in, call_strchr(in.a.data(), 0)); },
       "3",
       {{'a', 0, 4, false}}},
      {"strrchr",
       "abcabc",
       "",
       [=](buffers& in) { return position_in_a(in, call_strrchr(in.a.data(), 'a')); },
       "3",
       {{'a', 0, 7, false}}},
      {"strrchr_of_what_is_not_there",
       "abcabc",
       "",
       [=](buffers& in) { return position_in_a(in, call_strrchr(in.a.data(), 'x')); },
       "null",
       {{'a', 0, 7, false}}},
      {"strdup",
       "abc",
       "",
       [](buffers& in) {
         char* copy = call_strdup(in.a.data());
         std::string text = copy;
         std::free(copy);
         return text;
       },
       "abc",
       {{'a', 0, 4, false}}},
      {"checked_memcpy",
       "one",
       "two",
       [](buffers& in) {
         call_checked_memcpy(in.a.data(), in.b.data(), 3, 3);
         return std::string(in.a.data());
       },
       "two",
       {{'b', 0, 3, false}, {'a', 0, 3, true}}},
      {"checked_memmove",
       "abcdef",
       "",
       [](buffers& in) {
         call_checked_memmove(in.a.data() + 1, in.a.data(), 5, 63);
         return std::string(in.a.data());
       },
       "aabcde",
       {{'a', 0, 5, false}, {'a', 1, 5, true}}},
      {"checked_memset",
       "abcdef",
       "",
       [](buffers& in) {
         call_checked_memset(in.a.data() + 1, 'x', 2, 63);
         return std::string(in.a.data());
       },
       "axxdef",
       {{'a', 1, 2, true}}},
      {"checked_strcpy",
       "abcd",
       "xy",
       [](buffers& in) { return std::string(call_checked_strcpy(in.a.data(), in.b.data(), 3)); },
       "xy",
       {{'b', 0, 3, false}, {'a', 0, 3, true}}},
      {"checked_strncpy",
       "abcdef",
       "uvwxyz",
       [](buffers& in) { return std::string(call_checked_strncpy(in.a.data(), in.b.data(), 3, 3)); },
       "uvwdef",
       {{'b', 0, 3, false}, {'a', 0, 3, true}}},
      {"checked_strcat",
       "abc",
       "xy",
       [](buffers& in) { return std::string(call_checked_strcat(in.a.data(), in.b.data(), 6)); },
       "abcxy",
       {{'a', 0, 4, false}, {'b', 0, 3, false}, {'a', 3, 3, true}}},
  };
}

class LibcFunction : public testing::TestWithParam<libc_case> {
 protected:
  void SetUp() override { watch::reset(); }
  void TearDown() override { watch::set_decide(nullptr); }
};

TEST_P(LibcFunction, TouchesTheseBytesAndNoOthers) {
  buffers in(GetParam().a, GetParam().b);
  std::string returned;
  const auto accesses = accesses_of(in, [&] { returned = GetParam().call(in); });
  EXPECT_EQ(returned, GetParam().returned);
  EXPECT_EQ(accesses, GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(All, LibcFunction, testing::ValuesIn(cases()),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(CheckedLibcFunctionDeathTest, EndsWhereThereIsNoRoom) {
  buffers in("abc", "uvwxyz");
  EXPECT_DEATH(call_checked_memcpy(in.a.data(), in.b.data(), 4, 3), "buffer overflow detected");
  EXPECT_DEATH(call_checked_strcpy(in.a.data(), in.b.data(), 6), "buffer overflow detected");
  EXPECT_DEATH(call_checked_strcat(in.a.data(), in.b.data(), 9), "buffer overflow detected");
}

TEST_F(Intercepts, AStringIsCaughtWhileItIsRead) {
  buffers in("a name", "");
  stage(in.a.data(), [&] { call_strlen(in.a.data()); }, [&] { write1(in.a.data() + 6, 0); });
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(function_at(records[0].stalled.what.pc), "instrumented::call_strlen(…)");
  EXPECT_EQ(records[0].stalled.what.size, 7U);
}

TEST_F(Intercepts, AComparisonMeetsAWriteThatWaits) {
  buffers in("a name", "a name");
  stage(
      in.b.data() + 2, [&] { write1(in.b.data() + 2, 'N'); },
      [&] { call_memcmp(in.a.data(), in.b.data(), 7); });
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(function_at(records[0].came.what.pc), "instrumented::call_memcmp(…)");
  EXPECT_FALSE(records[0].came.what.write);
}

TEST_F(Intercepts, WhatIsBehindTheEndIsNotTouched) {
  buffers in("a name", "a name");
  expect_not_caught(
      in.a.data() + 7, [&] { write1(in.a.data() + 7, 'x'); },
      [&] {
        call_strlen(in.a.data());
        call_strcmp(in.a.data(), in.b.data());
        call_strchr(in.a.data(), 'x');
        call_strcpy(in.a.data(), in.b.data());
        std::free(call_strdup(in.a.data()));
      });
}

TEST_F(Intercepts, AStringThatGetsShorterMeanwhileIsReadAsItIsThen) {
  buffers in("a name", "");
  std::size_t length = 0;
  stage_without_meeting(
      in.a.data(), [&] { length = call_strlen(in.a.data()); }, [&](std::thread&) { in.a[1] = 0; });
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].what, record::kind::changed);
  EXPECT_EQ(length, 1U) << "measured before the stall, but done after it";
}

TEST_F(Intercepts, ReallocGivesTheOldBlockBack) {
  auto* block = static_cast<std::uint64_t*>(std::calloc(1, 100));
  void* moved = nullptr;
  stage(block + 11, [&] { read8(block + 11); }, [&] { moved = call_realloc(block, 1'000'000); });
  ASSERT_EQ(records.size(), 1U);
  EXPECT_TRUE(records[0].came.what.release);
  EXPECT_EQ(records[0].came.what.address, reinterpret_cast<std::uintptr_t>(block));
  EXPECT_GE(records[0].came.what.size, 100U);
  EXPECT_EQ(function_at(records[0].came.what.pc), "instrumented::call_realloc(…)");
  ASSERT_NE(moved, nullptr);
  EXPECT_EQ(*static_cast<std::uint64_t*>(moved), 0U);
  std::free(moved);
}

TEST_F(Intercepts, ReallocThatCantSucceedGivesNothingBack) {
  auto* block = static_cast<std::uint64_t*>(std::calloc(1, 64));
  expect_not_caught(
      block + 1, [&] { write8(block + 1, 1); },
      [&] {
        EXPECT_EQ(call_realloc(block, SIZE_MAX - 64), nullptr);
        EXPECT_EQ(errno, ENOMEM);
        std::free(call_realloc(nullptr, 64));
      });
  std::free(block);
}

TEST_F(Intercepts, ALibraryThatIsNotInstrumentedIsNotWatched) {
  // A stream's buffer is filled by libstdc++.so.
  std::ostringstream stream;
  const std::string text(200, 'y');
  static std::atomic<std::uintptr_t> source{0};
  static std::atomic<std::size_t> looks{0};
  source = reinterpret_cast<std::uintptr_t>(text.data());
  looks = 0;
  std::array<char, 8> copy{};
  std::thread([&] {
    watch::set_decide([](const watch::access& what, std::uint32_t) -> watch::stall {
      if (what.address == source) ++looks;
      return {};
    });
    stream.write(text.data(), 200);
    EXPECT_EQ(looks, 0U);
    call_memcpy(copy.data(), text.data(), copy.size());
    EXPECT_EQ(looks, 1U) << "the same bytes by an instrumented caller";
  }).join();
  EXPECT_EQ(stream.str(), text);
}

}  // namespace
