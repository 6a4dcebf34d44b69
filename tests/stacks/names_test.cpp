#include <cxxabi.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <ostream>

#include "stacks/symbolise.hpp"

namespace {

using racelab::stacks::frame;
using racelab::stacks::is_runtime_frame;
using racelab::stacks::is_spawning_frame;
using racelab::stacks::short_name;

struct example {
  const char* mangled;
  const char* expected;
};

void PrintTo(const example& shown, std::ostream* out) { *out << shown.mangled; }

class ShortName : public testing::TestWithParam<example> {};

TEST_P(ShortName, OfAMangledName) {
  const std::unique_ptr<char, decltype(&std::free)> demangled(
      abi::__cxa_demangle(GetParam().mangled, nullptr, nullptr, nullptr), &std::free);
  ASSERT_NE(demangled, nullptr);
  EXPECT_EQ(short_name(demangled.get()), GetParam().expected) << demangled.get();
}

// Names that g++ 12 and clang 22 gave to real code.
INSTANTIATE_TEST_SUITE_P(
    Real, ShortName,
    testing::Values(
        example{"_Z2fpIiEPFicET_", "fp<…>(…)"}, example{"_Z3decIiEDTplfp_Li1EET_", "dec<…>(…)"},
        example{"_Z3retIiEPKmT_", "ret<…>(…)"},
        example{"_Z5takesSt8functionIFviSt3mapIiiSt4lessIiESaISt4pairIKiiEEEEEPFicE", "takes(…)"},
        example{"_Z6taggedB2v2NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE", "tagged(…)"},
        example{"_ZN12_GLOBAL__N_16hiddenEi", "(anonymous namespace)::hidden(…)"},
        example{"_ZN12_GLOBAL__N_18hidden_tIiEET_S1_", "(anonymous namespace)::hidden_t<…>(…)"},
        example{
            "_ZN7racelab4hmapINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEiSt4hashIS6_EE5eraseERKS6_",
            "racelab::hmap<…>::erase(…)"},
        example{"_ZN7racelab4hmapINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEiSt4hashIS6_EED2Ev",
                "racelab::hmap<…>::~hmap()"},
        example{"_ZN7racelab4hmapINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEiSt4hashIS6_EEaSERKS9_",
                "racelab::hmap<…>::operator=(…)"},
        example{"_ZN7racelab4hmapINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEiSt4hashIS6_EEixERKS6_",
                "racelab::hmap<…>::operator[](…)"},
        example{"_ZN7racelab4hmapIiiSt4hashIiEED2Ev", "racelab::hmap<…>::~hmap()"},
        example{"_ZN7racelab4lessERKNS_5arrowES2_", "racelab::less(…)"},
        example{"_ZN7racelab4withIXadL_ZNS_4lessERKNS_5arrowES3_EEEEvi", "racelab::with<…>(…)"},
        example{"_ZN7racelab4withIXadL_ZNS_5arrowptEvEEEEvi", "racelab::with<…>(…)"},
        example{"_ZN7racelab4withIXadL_ZNS_gtERKNS_5arrowES3_EEEEvi", "racelab::with<…>(…)"},
        example{"_ZN7racelab5arrowC1Ev", "racelab::arrow::arrow()"},
        example{"_ZN7racelab5arrowdaEPv", "racelab::arrow::operator delete[](…)"},
        example{"_ZN7racelab5arrownaEm", "racelab::arrow::operator new[](…)"},
        example{"_ZN7racelab5arrowptEv", "racelab::arrow::operator->()"},
        example{"_ZN7racelabgtERKNS_5arrowES2_", "racelab::operator>(…)"},
        example{"_ZN7racelablsIiEEiRKNS_4hmapIT_S2_St4hashIS2_EEEi", "racelab::operator<< <…>(…)"},
        example{"_ZN7racelabltIiEEbRKNS_4hmapIT_S2_St4hashIS2_EEEi", "racelab::operator< <…>(…)"},
        example{"_ZN7racelabssIiEEDaRKNS_4hmapIT_S2_St4hashIS2_EEEi", "racelab::operator<=><…>(…)"},
        example{"_ZNK1S1mEi", "S::m(…) const"},
        example{"_ZNK7racelab4hmapINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEiSt4hashIS6_"
                "EE4eachIZ4mainE3$_1EEvT_",
                "racelab::hmap<…>::each<…>(…) const"},
        example{"_ZNK7racelab4hmapINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEiSt4hashIS6_"
                "EE4eachIZ4mainEUliE_EEvT_",
                "racelab::hmap<…>::each<…>(…) const"},
        example{
            "_ZNK7racelab4hmapINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEiSt4hashIS6_EE4findERKS6_",
            "racelab::hmap<…>::find(…) const"},
        example{"_ZNK7racelab4hmapINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEiSt4hashIS6_EEclEi",
                "racelab::hmap<…>::operator()(…) const"},
        example{"_ZNK7racelab4hmapINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEiSt4hashIS6_"
                "EEcvSt6vectorIiSaIiEEEv",
                "racelab::hmap<…>::operator std::vector<…>() const"},
        example{"_ZNK7racelab4hmapINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEiSt4hashIS6_EEcvmEv",
                "racelab::hmap<…>::operator unsigned long() const"},
        example{
            "_ZNO7racelab4hmapINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEiSt4hashIS6_EE5beginEv",
            "racelab::hmap<…>::begin() &&"},
        example{"_ZNSt6thread11_State_implINS_8_InvokerISt5tupleIJZ4mainE3$_2EEEEE6_M_runEv",
                "std::thread::_State_impl<…>::_M_run()"},
        example{"_ZNSt6thread11_State_implINS_8_InvokerISt5tupleIJZ4mainEUlvE0_EEEEE6_M_runEv",
                "std::thread::_State_impl<…>::_M_run()"},
        example{"_ZNSt6threadC1IRZ4mainEUliE1_JiEvEEOT_DpOT0_", "std::thread::thread<…>(…)"},
        example{"_ZNSt6threadC1IZ4mainEUlvE0_JEvEEOT_DpOT0_", "std::thread::thread<…>(…)"},
        example{"_ZNSt6threadC2IRZ4mainE3$_0JiEvEEOT_DpOT0_", "std::thread::thread<…>(…)"},
        example{"_ZNSt6threadC2IRZ4mainEUliE1_JiEvEEOT_DpOT0_", "std::thread::thread<…>(…)"},
        example{"_ZNSt6vectorISt6threadSaIS0_EE17_M_realloc_insertIJRZ4mainE3$_0iEEEvN9__gnu_cxx17__normal_"
                "iteratorIPS0_S2_EEDpOT_",
                "std::vector<…>::_M_realloc_insert<…>(…)"},
        example{"_ZNV12_GLOBAL__N_15local2goEi", "(anonymous namespace)::local::go(…) volatile"},
        example{"_ZZ4mainENK3$_0clEi", "main::$_0::operator()(…) const"},
        example{"_ZZ4mainENK3$_1clEi", "main::$_1::operator()(…) const"},
        example{"_ZZ4mainENK3$_2clEv", "main::$_2::operator()() const"},
        example{"_ZZ4mainENKUliE1_clEi", "main::{lambda(…)#3}::operator()(…) const"},
        example{"_ZZ4mainENKUliE_clEi", "main::{lambda(…)#1}::operator()(…) const"},
        example{"_ZZ4mainENKUlvE0_clEv", "main::{lambda()#2}::operator()() const"},
        example{"_ZZNK1S1mEiENKUlT_E_clIiEEDaS0_", "S::m(…) const::{lambda(…)#1}::operator()<…>(…) const"}));

TEST(ShortNamePlain, LeavesCNamesAlone) {
  EXPECT_EQ(short_name("main"), "main");
  EXPECT_EQ(short_name("_start"), "_start");
  EXPECT_EQ(short_name(""), "");
}

TEST(ShortNamePlain, TakesGlibcsInnerAliasesByTheirPublicNames) {
  EXPECT_EQ(short_name("__GI_abort"), "abort");
  EXPECT_EQ(short_name("__GI___libc_free"), "free");
  EXPECT_EQ(short_name("__libc_malloc"), "malloc");
  EXPECT_EQ(short_name("__libc_start_main"), "__libc_start_main");
}

TEST(ShortNamePlain, DropsWhatTheCompilerAddsToClones) {
  EXPECT_EQ(short_name("ns::f(int) [clone .cold]"), "ns::f(…)");
  EXPECT_EQ(short_name("ns::c::f(int) const [clone .isra.0]"), "ns::c::f(…) const");
  EXPECT_EQ(short_name("ns::f(int) (.llvm.1234)"), "ns::f(…)");
}

// From a core file of a program of clang 22, as gdb 13 prints it.
TEST(ShortNamePlain, TellsTheStartOfANameThatNoDemanglerHereKnows) {
  EXPECT_EQ(
      short_name(
          "_ZN7racelab12run_togetherIJZ4mainE3$_1S1_Z4mainE3$_0EQfraasr3stdE14is_invocable_vIRT_EEEvDpS3_"),
      "racelab::run_together<…>(…)");
  EXPECT_EQ(short_name("_ZZN7racelab12run_togetherIJZ4mainE3$_1S1_EQfraasrEEvDpS3_ENKUlvE0_clEv"),
            "racelab::run_together<…>(…)::…");
  EXPECT_EQ(short_name("_ZNSt6thread8_InvokerISt5tupleIJZ4mainE3$_0EEQ_EclEv"),
            "std::thread::_Invoker<…>(…)");
  EXPECT_EQ(short_name("_ZN12_GLOBAL__N_15storeIiQ_EEvT_"), "(anonymous namespace)::store<…>(…)");
  for (const char* const broken : {"_Z", "_ZN", "_ZNSt", "_ZN99short", "_ZN0", "_ZSt"})
    EXPECT_EQ(short_name(broken), broken);
}

TEST(ShortNamePlain, SurvivesTextThatIsNoName) {
  for (const char* text : {"<", ">", "(", ")", "((", "f(<", "a<b", "operator", "operator<", "f<operator", "{",
                           "[", " ", "void (*", "x{(", "a -> b"}) {
    EXPECT_LE(short_name(text).size(), 32U) << text;
  }
}

frame named(const char* function, const char* module = "/home/me/program") {
  frame result;
  result.function = function;
  result.module = module;
  return result;
}

TEST(RuntimeFrames, AreDetectorsSanitizersAndStartUp) {
  for (const char* name :
       {"racelab::stacks::capture(racelab::stacks::raw_trace&, unsigned int)",
        "void racelab::write_flag::checked<int>::enter<true>(int)",
        "racelab::watch::stall(unsigned long)",
        "__tsan_write8",
        "__tsan::MemoryAccess(__tsan::ThreadState*)",
        "std::thread::_State_impl<std::thread::_Invoker<std::tuple<main::{lambda()#1}> > >::_M_run()",
        "void std::__invoke_impl<void, main::{lambda()#1}>(std::__invoke_other, main::{lambda()#1}&&)",
        "execute_native_thread_routine",
        "start_thread",
        "clone3",
        "__libc_start_main_impl",
        "__libc_start_call_main",
        "_start",
        "raise",
        "abort",
        "__GI_abort",
        "gsignal",
        "pthread_kill",
        "__pthread_kill_implementation",
        "__restore_rt",
        "racelab::run_together<main::$_0>(int, main::$_0)::{lambda()#1}::operator()() const"}) {
    EXPECT_TRUE(is_runtime_frame(named(name))) << name;
  }
}

TEST(RuntimeFrames, AreNotTheUsersNorWhatTellsSomething) {
  for (const char* name :
       {"main", "main::{lambda()#1}::operator()() const", "racelab::hmap<int, int>::erase(int const&)",
        "malloc_printerr", "free", "_int_free", "std::terminate()", "std::vector<int>::at(unsigned long)",
        "abort_mission(int)", "std::thread::join()"}) {
    EXPECT_FALSE(is_runtime_frame(named(name))) << name;
  }
}

TEST(RuntimeFrames, AreNamelessOnesOfTheSystemLibraries) {
  EXPECT_TRUE(is_runtime_frame(named("", "/usr/lib/x86_64-linux-gnu/libc.so.6")));
  EXPECT_TRUE(is_runtime_frame(named("", "/lib64/ld-linux-x86-64.so.2")));
  EXPECT_FALSE(is_runtime_frame(named("", "/home/me/libcache.so")));
  EXPECT_FALSE(is_runtime_frame(named("", "")));
}

TEST(RuntimeFrames, AreTheWatchpointRuntimesWhateverTheirNames) {
  frame hook = named("(anonymous namespace)::plain(void*)");
  EXPECT_FALSE(is_runtime_frame(hook));
  hook.file = "sanitizers/watchpoint/entry.cpp";
  EXPECT_TRUE(is_runtime_frame(hook));
}

TEST(SpawningFrames, LieBetweenTheSpawningLineAndPthreadCreate) {
  for (const char* name :
       {"pthread_create", "std::thread::_M_start_thread(std::unique_ptr<std::thread::_State>, void (*)())",
        "std::thread::thread<main::{lambda()#1}>(main::{lambda()#1}&&)", "std::jthread::jthread<int>(int&&)",
        "void std::vector<std::thread>::_M_realloc_insert<int>(int)",
        "std::thread* __gnu_cxx::new_allocator<std::thread>::construct<int>(int)",
        "void racelab::run_together<main::$_0>(int, main::$_0)"}) {
    EXPECT_TRUE(is_spawning_frame(named(name))) << name;
  }
  EXPECT_FALSE(is_spawning_frame(named("main")));
  EXPECT_FALSE(is_spawning_frame(named("void run_together<int>(int)")));
}

}  // namespace
