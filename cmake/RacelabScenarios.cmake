# Scenarios: repro/*.cpp, one workload each, built once for each map that its header names, and once for each remedy
# (fixes/*.hpp, see RacelabFixes.cmake) that applies. Those that say `// maps: none` belong to the corpus (RacelabCorpus.cmake).
#
# A scenario opens with one comment line, its story, then `// key: value` lines:
#   race:     erase() W vs erase() W        a racing pair by function; may stand several times; not in a norace_…
#   maps:     unordered_map hmap            the headers of repro/support/maps/ to build it with
#   expect:   tsan=report write_flag=fatal watchpoint=caught
#   fixes:    all | names | none            the remedies that apply …
#   not:      NAME: reason                  … and why one does not; stands once for each
#   timeout:  500 ms                        optional: how long until a run counts as hung
#
# For scenario S and map M there are three programs, made of one source:
#   programs/plain/S.M   -O2, as a person would build it
#   programs/watch/S.M   -fsanitize=thread, linked with racelab's watchpoint runtime
#   programs/tsan/S.M    the same object file, linked with the compiler's own ThreadSanitizer
# for a remedy only the last two. build/…/catalogue.json tells the racelab command about them.

# The value of `key` in the header of `source`: all of its lines, as a list.
function(racelab_header_values result source key)
  file(STRINGS "${source}" lines REGEX "^// ${key}: ")
  set(values "")
  foreach(line IN LISTS lines)
    if(line MATCHES ";")
      message(FATAL_ERROR "${source}: `${line}` has a semicolon, which CMake would take for two lines")
    endif()
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

# clang's assignment tracking would have a debugger show of a map that threads have changed what its constructor stored.
include(CheckCXXCompilerFlag)
set(racelab_no_assignment_tracking "-Xclang -fexperimental-assignment-tracking=disabled")
check_cxx_compiler_flag("${racelab_no_assignment_tracking}" RACELAB_HAS_ASSIGNMENT_TRACKING)

# What a scenario is compiled with: `variant` is plain or instrumented. Line tables that stay right are worth more here
# than the last per cent of speed.
function(racelab_scenario_options target variant)
  racelab_target(${target})
  target_compile_options(${target} PRIVATE -g -fno-omit-frame-pointer)
  if(RACELAB_HAS_ASSIGNMENT_TRACKING)
    target_compile_options(${target} PRIVATE "SHELL:${racelab_no_assignment_tracking}")
  endif()
  if(variant STREQUAL "instrumented")
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
    <memory> <mutex> <optional> <ostream> <set> <shared_mutex> <sstream> <string> <thread> <unordered_map> <utility>
    <vector> <boost/unordered/unordered_flat_map.hpp>)
endfunction()

# The one compilation of a scenario over a map in a variant.
function(racelab_scenario_object source map header variant)
  cmake_path(GET source STEM scenario)
  set(target "${variant}_object.${scenario}.${map}")
  add_library(${target} OBJECT EXCLUDE_FROM_ALL "${source}")
  racelab_scenario_options(${target} ${variant})
  target_compile_definitions(${target} PRIVATE "RACELAB_MAP_HEADER=\"${header}\"")
  if(TARGET racelab_fix.${map})
    target_link_libraries(${target} PRIVATE racelab_fix.${map})
    # Of a remedy nobody looks at variables: line tables and inlined calls are compiled in five sixths of the time.
    target_compile_options(${target} PRIVATE -g1)
  endif()
  if(TARGET scenario_headers.${variant})
    target_precompile_headers(${target} REUSE_FROM scenario_headers.${variant})
  endif()
endfunction()

# A program of it: `kind` is plain, watch or tsan; `group` is the target that builds it along with others.
function(racelab_scenario_program source map kind group)
  cmake_path(GET source STEM scenario)
  set(target "${scenario}.${map}.${kind}")
  set(variant instrumented)
  if(kind STREQUAL "plain")
    set(variant plain)
  endif()
  add_executable(${target} EXCLUDE_FROM_ALL $<TARGET_OBJECTS:${variant}_object.${scenario}.${map}>)
  target_link_libraries(${target} PRIVATE racelab_scenario)
  if(TARGET racelab_fix.${map})
    target_link_libraries(${target} PRIVATE racelab_fix.${map})
  endif()
  if(kind STREQUAL "tsan")
    # ThreadSanitizer keeps account of threads itself, and does not stand another pthread_create before its own.
    target_link_options(${target} PRIVATE -fsanitize=thread)
    target_link_libraries(${target} PRIVATE racelab_tsan_on_report)
  else()
    target_link_libraries(${target} PRIVATE racelab_stacks_threads)
  endif()
  if(kind STREQUAL "watch")
    target_link_libraries(${target} PRIVATE racelab_watchpoint)
  endif()
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME "${scenario}.${map}"
    RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/programs/${kind}")
  add_dependencies(${group} ${target})
endfunction()

# The remedies that the header's `fixes:` and `not:` lines leave.
function(racelab_fixes_of result source fixes nots)
  set(excluded "")
  foreach(line IN LISTS nots)
    if(NOT line MATCHES "^([a-z0-9_]+): .+")
      message(FATAL_ERROR "${source}: `// not: ${line}` does not read NAME: reason")
    endif()
    list(APPEND excluded "${CMAKE_MATCH_1}")
  endforeach()
  string(REPLACE " " ";" chosen "${fixes}")
  if(fixes STREQUAL "all")
    set(chosen "${RACELAB_FIXES}")
  elseif(fixes STREQUAL "none")
    set(chosen "")
  endif()
  foreach(name IN LISTS chosen excluded)
    if(NOT name STREQUAL "all" AND NOT EXISTS "${PROJECT_SOURCE_DIR}/fixes/${name}.hpp")
      message(FATAL_ERROR "${source}: remedy ${name}: there is no fixes/${name}.hpp")
    endif()
  endforeach()
  list(REMOVE_ITEM chosen ${excluded})
  set(kept "")
  foreach(name IN LISTS chosen)
    if(name IN_LIST RACELAB_FIXES OR name IN_LIST RACELAB_FIXES_FOR_ONE)  # its library is there
      list(APPEND kept ${name})
    endif()
  endforeach()
  set(${result} "${kept}" PARENT_SCOPE)
endfunction()

# Declares the programs of every scenario and writes the catalogue.
function(racelab_scenarios)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/repro/*.cpp")
  add_custom_target(programs)       # what `racelab crash` runs
  add_custom_target(tsan_programs)  # what `racelab tsan` runs
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    racelab_scenario_headers(plain)
    racelab_scenario_headers(instrumented)
  endif()
  add_custom_target(corpus_programs)
  racelab_corpus_needs()
  set(entries "")
  set(corpus "")
  foreach(source IN LISTS sources)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")
    cmake_path(GET source STEM scenario)
    if(NOT scenario MATCHES "^(crash|corrupt|race|hang|norace|misuse)_")
      message(FATAL_ERROR "${source}: a scenario's name starts with crash_, corrupt_, race_, hang_, norace_ or misuse_")
    endif()
    file(STRINGS "${source}" first LIMIT_COUNT 1)
    if(NOT first MATCHES "^// .+" OR first MATCHES ";")
      message(FATAL_ERROR "${source}:1: a scenario opens with its story, one comment line without a semicolon")
    endif()
    string(REGEX REPLACE "^// *" "" story "${first}")
    racelab_header_values(maps "${source}" maps)
    if(maps STREQUAL "none")
      racelab_corpus_program(entry "${source}" "${story}")
      if(entry)
        list(APPEND corpus "${entry}")
      endif()
      continue()
    endif()
    foreach(key race expect fixes not timeout)
      racelab_header_values(${key} "${source}" ${key})
    endforeach()
    set(needed race maps expect fixes)
    if(scenario MATCHES "^norace_")
      list(REMOVE_ITEM needed race)
    endif()
    foreach(key IN LISTS needed)
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
      set(header "repro/support/maps/${map}.hpp")
      racelab_scenario_object("${source}" ${map} "${header}" plain)
      racelab_scenario_object("${source}" ${map} "${header}" instrumented)
      racelab_scenario_program("${source}" ${map} plain programs)
      racelab_scenario_program("${source}" ${map} watch programs)
      racelab_scenario_program("${source}" ${map} tsan tsan_programs)
      list(APPEND programs "{\"map\": \"${map}\", \"plain\": \"programs/plain/${scenario}.${map}\",
       \"watch\": \"programs/watch/${scenario}.${map}\", \"tsan\": \"programs/tsan/${scenario}.${map}\"}")
    endforeach()

    racelab_fixes_of(remedies "${source}" "${fixes}" "${not}")
    set(fixed_programs "")
    foreach(map IN LISTS remedies)
      racelab_scenario_object("${source}" ${map} "${CMAKE_BINARY_DIR}/fixes_as_maps/${map}.hpp" instrumented)
      racelab_scenario_program("${source}" ${map} watch tsan_programs)
      racelab_scenario_program("${source}" ${map} tsan tsan_programs)
      list(APPEND fixed_programs "{\"map\": \"${map}\",
       \"watch\": \"programs/watch/${scenario}.${map}\", \"tsan\": \"programs/tsan/${scenario}.${map}\"}")
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
    list(JOIN fixed_programs ",\n      " fixed_programs)
    list(APPEND entries "  {\"name\": \"${scenario}\", \"story\": ${story}, \"source\": \"repro/${scenario}.cpp\",
   \"race\": ${race}, \"expect\": ${expect}, \"fixes\": ${fixes}, \"not\": ${not}, \"timeout_ms\": ${timeout},
   \"programs\": [
      ${programs}],
   \"fixed\": [
      ${fixed_programs}]}")
  endforeach()
  list(JOIN entries ",\n" entries)
  list(JOIN corpus ",\n" corpus)
  set(runtime llvm)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    set(runtime gcc)
  endif()
  string(REGEX MATCH "^[0-9]+(\\.[0-9]+)?" version "${CMAKE_CXX_COMPILER_VERSION}")
  racelab_fixes_json(fixes)
  file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/catalogue.json" CONTENT
    "{\"runtime\": \"${runtime}\", \"runtime_version\": \"${version}\",\n\"fixes\": [\n${fixes}\n],\n\"scenarios\": [\n${entries}\n],\n\"corpus\": [\n${corpus}\n]}\n"
    @ONLY)
endfunction()
