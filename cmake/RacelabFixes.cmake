# Remedies: fixes/*.hpp, one class template each, named as the file: fixes/NAME.hpp defines racelab::NAME<Key, Value>
# with the contract of fixes/support/contract.hpp.
#
# A remedy opens with one comment line, its story, and may have `// key: value` lines that the build reads:
#   needs:    a/header.hpp    the remedy needs a library: it is left out, loudly, where this header is missing …
#   links:    tbb             … and this is what is linked
#   library:  oneTBB          it is that library's concurrent map: the benchmarks compare ours with those
#   for:      crash_bug       no map, but a remedy for this scenario alone: it has no contract to keep
#
# racelab_fixes() sets RACELAB_FIXES, the names of the maps that can be built, RACELAB_FIXES_FOR_ONE, those for one
# scenario, and makes for each
#   racelab_fix.NAME                  an interface library: what a user of the header links
#   build/…/fixes_as_maps/NAME.hpp    the remedy as `lab_map`: what a scenario is built with

include(CheckIncludeFileCXX)

# `include` if this machine doesn't have it, empty if it does.
function(racelab_missing_include result include)
  string(MAKE_C_IDENTIFIER "RACELAB_HAS_${include}" found)
  if(NOT ${found})
    unset(${found} CACHE)  # the library may have been installed since
  endif()
  check_include_file_cxx("${include}" ${found})
  if(${found})
    set(${result} "" PARENT_SCOPE)
  else()
    set(${result} "${include}" PARENT_SCOPE)
  endif()
endfunction()

# What `header` names in a line `// needs:` and this machine has not; empty if it has, or if the line is missing.
function(racelab_missing_header result header)
  set(missing "")
  racelab_header_values(needs "${header}" needs)
  if(needs)
    racelab_missing_include(missing "${needs}")
  endif()
  set(${result} "${missing}" PARENT_SCOPE)
endfunction()

function(racelab_fixes)
  file(GLOB headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/fixes/*.hpp")
  set(built "")
  set(for_one "")
  set(missing "")
  foreach(header IN LISTS headers)
    set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${header}")
    cmake_path(GET header STEM name)
    racelab_header_values(links "${header}" links)
    racelab_missing_header(needed "${header}")
    if(needed)
      if(RACELAB_TESTS)
        message(NOTICE "racelab: SKIPPED: the remedy ${name}, there is no <${needed}> here")
      endif()
      list(APPEND missing ${name})
      continue()
    endif()
    add_library(racelab_fix.${name} INTERFACE)
    target_include_directories(racelab_fix.${name} INTERFACE "${PROJECT_SOURCE_DIR}")
    target_link_libraries(racelab_fix.${name} INTERFACE Threads::Threads ${links})
    file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/fixes_as_maps/${name}.hpp" CONTENT "#pragma once
#include \"fixes/${name}.hpp\"
namespace racelab {
template <class Key, class Value> using lab_map = ${name}<Key, Value>;
}
")
    racelab_header_values(for "${header}" for)
    if(for)
      list(APPEND for_one ${name})
    else()
      list(APPEND built ${name})
    endif()
  endforeach()
  set(RACELAB_FIXES "${built}" PARENT_SCOPE)
  set(RACELAB_FIXES_FOR_ONE "${for_one}" PARENT_SCOPE)
  set(RACELAB_FIXES_MISSING "${missing}" PARENT_SCOPE)
endfunction()

# The catalogue's list of remedies: name, story and whether it could be built.
function(racelab_fixes_json result)
  set(entries "")
  foreach(name IN LISTS RACELAB_FIXES RACELAB_FIXES_FOR_ONE RACELAB_FIXES_MISSING)
    file(STRINGS "${PROJECT_SOURCE_DIR}/fixes/${name}.hpp" first LIMIT_COUNT 1)
    if(first MATCHES ";")
      message(FATAL_ERROR "fixes/${name}.hpp:1: the story has a semicolon, which CMake would take for two lines")
    endif()
    string(REGEX REPLACE "^// *" "" story "${first}")
    racelab_json_string(story "${story}")
    set(built true)
    if(name IN_LIST RACELAB_FIXES_MISSING)
      set(built false)
    endif()
    list(APPEND entries "  {\"name\": \"${name}\", \"story\": ${story}, \"built\": ${built}}")
  endforeach()
  list(JOIN entries ",\n" entries)
  set(${result} "${entries}" PARENT_SCOPE)
endfunction()
