# How racelab's own targets are built: warnings, and the variants of a program.

# Warnings for racelab's own code only: PRIVATE, never exported.
function(racelab_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wcast-align
    -Wold-style-cast -Wconversion -Wsign-conversion)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    target_compile_options(${target} PRIVATE -Wthread-safety)
  endif()
  if(RACELAB_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()

# What every target of ours shares: our include root, source paths relative to it in debug information (so that
# a trace reads repro/crash_….cpp:14 wherever the tree was cloned), warnings.
function(racelab_target target)
  racelab_warnings(${target})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_compile_options(${target} PRIVATE "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")
  target_link_libraries(${target} PRIVATE Threads::Threads)
endfunction()

# racelab_library(NAME SOURCE...): a static library of ours, usable with the repository's root as include root.
function(racelab_library target)
  add_library(${target} STATIC ${ARGN})
  racelab_target(${target})
  target_include_directories(${target} INTERFACE "${PROJECT_SOURCE_DIR}")
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
endfunction()
