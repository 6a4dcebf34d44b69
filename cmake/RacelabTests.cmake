# GoogleTest and Catch2, one CTest entry for each test program: its own closing line stays readable in the log.
include(CTest)
find_package(GTest REQUIRED)
find_package(Catch2 REQUIRED)

# GoogleTest from its sources, instrumented: what is linked into a program under ThreadSanitizer must be, or its
# own synchronisation is invisible and reported.
find_path(RACELAB_GTEST_SOURCE src/gtest-all.cc PATHS /usr/src/googletest/googletest NO_DEFAULT_PATH)
if(RACELAB_GTEST_SOURCE AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_library(gtest_tsan STATIC EXCLUDE_FROM_ALL "${RACELAB_GTEST_SOURCE}/src/gtest-all.cc"
    "${RACELAB_GTEST_SOURCE}/src/gtest_main.cc")
  target_include_directories(gtest_tsan SYSTEM PUBLIC "${RACELAB_GTEST_SOURCE}/include" PRIVATE "${RACELAB_GTEST_SOURCE}")
  target_compile_options(gtest_tsan PUBLIC -fsanitize=thread)
  target_link_options(gtest_tsan PUBLIC -fsanitize=thread)
  target_link_libraries(gtest_tsan PUBLIC Threads::Threads)
else()
  message(NOTICE "racelab: SKIPPED: tests under ThreadSanitizer, there are no GoogleTest sources, or no clang")
endif()

# Catch2 v2 has no main of its own in a library; v3 has. tests/support/catch.hpp includes the right header.
if(NOT TARGET racelab_catch_main)
  if(TARGET Catch2::Catch2WithMain)
    add_library(racelab_catch_main INTERFACE)
    target_link_libraries(racelab_catch_main INTERFACE Catch2::Catch2WithMain)
  else()
    add_library(racelab_catch_main STATIC "${PROJECT_SOURCE_DIR}/tests/support/catch2_v2_main.cpp")
    target_link_libraries(racelab_catch_main PUBLIC Catch2::Catch2)
  endif()
endif()

# Tests compile in half the time so. What they test is optimised where it is a library; a test of templates or of optimised
# code adds another -O after it. Not with g++, which warns of more when it optimises, and of less that is right.
set(racelab_test_optimisation $<$<CXX_COMPILER_ID:Clang>:-O0>)

# racelab_gtest(NAME SOURCE... [LIBS lib...] [TIMEOUT s])
function(racelab_gtest name)
  cmake_parse_arguments(arg "" "TIMEOUT" "LIBS" ${ARGN})
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  racelab_target(${name})
  target_compile_options(${name} PRIVATE ${racelab_test_optimisation})
  target_link_libraries(${name} PRIVATE ${arg_LIBS} GTest::gtest GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT "${arg_TIMEOUT}" LABELS gtest)
endfunction()

# racelab_tsan_gtest(NAME SOURCE... [LIBS lib...] [TIMEOUT s]): the same, under LLVM's ThreadSanitizer.
function(racelab_tsan_gtest name)
  cmake_parse_arguments(arg "" "TIMEOUT" "LIBS" ${ARGN})
  if(NOT TARGET gtest_tsan)
    return()
  endif()
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  racelab_target(${name})
  target_link_libraries(${name} PRIVATE ${arg_LIBS} gtest_tsan)
  # setarch -R: some kernels randomise addresses more widely than ThreadSanitizer can stand.
  add_test(NAME ${name} COMMAND setarch -R $<TARGET_FILE:${name}>)
  set_tests_properties(${name} PROPERTIES TIMEOUT "${arg_TIMEOUT}" LABELS gtest ENVIRONMENT "TSAN_OPTIONS=atexit_sleep_ms=0")
endfunction()

# racelab_scenario_test(NAME SOURCE... [LIBS lib...] [TIMEOUT s]): Catch2 SCENARIOs. Alone on the machine: most run programs
# whose threads must meet.
function(racelab_scenario_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "LIBS" ${ARGN})
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  racelab_target(${name})
  target_compile_options(${name} PRIVATE ${racelab_test_optimisation})
  target_link_libraries(${name} PRIVATE ${arg_LIBS} racelab_catch_main)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT "${arg_TIMEOUT}" LABELS catch2 RUN_SERIAL TRUE)
endfunction()
