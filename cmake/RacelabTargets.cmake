# How racelab's own targets are built: warnings, include root, linker, precompiled headers.
include(CheckLinkerFlag)

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

# lld where clang has it: it links the lab's hundreds of programs in a fifth of the time that GNU ld takes.
macro(racelab_quick_linker)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    if(NOT RACELAB_HAS_LLD)
      unset(RACELAB_HAS_LLD CACHE)  # it may have been installed since
    endif()
    check_linker_flag(CXX -fuse-ld=lld RACELAB_HAS_LLD)
    if(RACELAB_HAS_LLD)
      add_link_options(-fuse-ld=lld)
    endif()
  endif()
endmacro()

# racelab_precompile(TARGET HEADER...) or (TARGET REUSE_FROM OTHER): the standard headers and HEADER..., parsed once: a
# newcomer's first build takes a third less. Not with g++, so that a build without them notices a missing include.
function(racelab_precompile target)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    return()
  endif()
  if("${ARGV1}" STREQUAL "REUSE_FROM")
    target_precompile_headers(${target} ${ARGN})
  else()
    target_precompile_headers(${target} PRIVATE <algorithm> <array> <cerrno> <chrono> <csignal> <cstdint> <cstdio>
      <cstdlib> <filesystem> <fstream> <functional> <memory> <optional> <set> <sstream> <stdexcept> <string> <system_error>
      <vector> ${ARGN})
  endif()
endfunction()
