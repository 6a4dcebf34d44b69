# Scenarios: repro/*.cpp, one workload each, built once for each map that its header names.
#
# A scenario opens with one comment line, its story, then `// key: value` lines:
#   race:     erase() W vs erase() W        a racing pair by function; may stand several times
#   maps:     unordered_map hmap            the headers of repro/support/maps/ to build it with
#   expect:   tsan=report write_flag=fatal watchpoint=caught
#   fixes:    all | names | none            the remedies that apply …
#   not:      NAME: reason                  … and why one does not
#   timeout:  500 ms                        optional: how long until a run counts as hung
#
# For scenario S and map M there are two programs, made of one source:
#   programs/plain/S.M   -O2, as a person would build it
#   programs/watch/S.M   -fsanitize=thread, linked with racelab's watchpoint runtime
# and build/…/catalogue.json tells the racelab command about them.

# The value of `key` in the header of `source`: all of its lines, as a list.
function(racelab_header_values result source key)
  file(STRINGS "${source}" lines REGEX "^// ${key}: ")
  set(values "")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^// ${key}: *" "" value "${line}")
    list(APPEND values "${value}")
  endforeach()
  set(${result} "${values}" PARENT_SCOPE)
endfunction()

function(racelab_json_string result text)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  set(${result} "\"${text}\"" PARENT_SCOPE)
endfunction()

function(racelab_json_strings result)
  set(items "")
  foreach(item IN LISTS ARGN)
    racelab_json_string(quoted "${item}")
    list(APPEND items "${quoted}")
  endforeach()
  list(JOIN items ", " joined)
  set(${result} "[${joined}]" PARENT_SCOPE)
endfunction()

# What a scenario's programs are compiled with. Line tables that stay right are worth more here than the last per
# cent of speed.
function(racelab_scenario_options target variant)
  racelab_target(${target})
  target_compile_options(${target} PRIVATE -g -fno-omit-frame-pointer)
  if(variant STREQUAL "watch")
    target_compile_options(${target} PRIVATE -O1 -fsanitize=thread)
  else()
    target_compile_options(${target} PRIVATE -O2)
  endif()
  target_link_libraries(${target} PRIVATE racelab_scenario)
endfunction()

# The standard headers, parsed once for each variant: a third of the time that a newcomer's first build takes. Not
# with g++, so that a build without them notices a missing include.
function(racelab_scenario_headers variant)
  file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/scenario_headers.cpp" CONTENT "// Only there to be given its headers.\n")
  add_library(scenario_headers.${variant} OBJECT EXCLUDE_FROM_ALL "${CMAKE_BINARY_DIR}/scenario_headers.cpp")
  racelab_scenario_options(scenario_headers.${variant} ${variant})
  target_precompile_headers(scenario_headers.${variant} PRIVATE <array> <atomic> <bit> <cstdint> <cstdio> <functional>
    <memory> <mutex> <optional> <ostream> <set> <sstream> <string> <thread> <unordered_map> <utility> <vector>
    <boost/unordered/unordered_flat_map.hpp>)
endfunction()

# One program of a scenario: `variant` is plain or watch.
function(racelab_scenario_program source map variant)
  cmake_path(GET source STEM scenario)
  set(target "${scenario}.${map}.${variant}")
  add_executable(${target} EXCLUDE_FROM_ALL "${source}")
  racelab_scenario_options(${target} ${variant})
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME "${scenario}.${map}"
    RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/programs/${variant}")
  target_compile_definitions(${target} PRIVATE "RACELAB_MAP_HEADER=\"repro/support/maps/${map}.hpp\"")
  if(variant STREQUAL "watch")
    target_link_libraries(${target} PRIVATE racelab_watchpoint)
  endif()
  if(TARGET scenario_headers.${variant})
    target_precompile_headers(${target} REUSE_FROM scenario_headers.${variant})
  endif()
  add_dependencies(programs ${target})
endfunction()

# Declares the programs of every scenario and writes the catalogue.
function(racelab_scenarios)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/repro/*.cpp")
  add_custom_target(programs)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    racelab_scenario_headers(plain)
    racelab_scenario_headers(watch)
  endif()
  set(entries "")
  foreach(source IN LISTS sources)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")
    cmake_path(GET source STEM scenario)
    if(NOT scenario MATCHES "^(crash|corrupt|race|hang|norace|misuse)_")
      message(FATAL_ERROR "${source}: a scenario's name starts with crash_, corrupt_, race_, hang_, norace_ or misuse_")
    endif()
    file(STRINGS "${source}" first LIMIT_COUNT 1)
    if(NOT first MATCHES "^// .+")
      message(FATAL_ERROR "${source}:1: a scenario opens with its story, one comment line")
    endif()
    string(REGEX REPLACE "^// *" "" story "${first}")
    foreach(key race maps expect fixes not timeout)
      racelab_header_values(${key} "${source}" ${key})
    endforeach()
    foreach(key race maps expect fixes)
      if(NOT ${key})
        message(FATAL_ERROR "${source}: no line `// ${key}: …` (cmake/RacelabScenarios.cmake says what it means)")
      endif()
    endforeach()
    if(timeout AND NOT timeout MATCHES "^[0-9]+ ms$")
      message(FATAL_ERROR "${source}: `// timeout: ${timeout}` is not a number of ms")
    endif()
    string(REPLACE " ms" "" timeout "${timeout}")

    string(REPLACE " " ";" maps "${maps}")
    set(programs "")
    foreach(map IN LISTS maps)
      if(NOT EXISTS "${PROJECT_SOURCE_DIR}/repro/support/maps/${map}.hpp")
        message(FATAL_ERROR "${source}: map ${map}: there is no repro/support/maps/${map}.hpp")
      endif()
      racelab_scenario_program("${source}" ${map} plain)
      racelab_scenario_program("${source}" ${map} watch)
      list(APPEND programs
        "{\"map\": \"${map}\", \"plain\": \"programs/plain/${scenario}.${map}\", \"watch\": \"programs/watch/${scenario}.${map}\"}")
    endforeach()

    racelab_json_string(story "${story}")
    racelab_json_strings(race ${race})
    racelab_json_strings(not ${not})
    racelab_json_string(expect "${expect}")
    racelab_json_string(fixes "${fixes}")
    if(NOT timeout)
      set(timeout null)
    endif()
    list(JOIN programs ",\n      " programs)
    list(APPEND entries "  {\"name\": \"${scenario}\", \"story\": ${story}, \"source\": \"repro/${scenario}.cpp\",
   \"race\": ${race}, \"expect\": ${expect}, \"fixes\": ${fixes}, \"not\": ${not}, \"timeout_ms\": ${timeout},
   \"programs\": [
      ${programs}]}")
  endforeach()
  list(JOIN entries ",\n" entries)
  file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/catalogue.json" CONTENT "{\"scenarios\": [\n${entries}\n]}\n" @ONLY)
endfunction()
