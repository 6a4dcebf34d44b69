# The labelled corpus: programs of repro/ that are built over no map (`// maps: none`) and say in their header what is true
# of them. docs/corpus.md explains the labels.
#
#   race:           FUNCTION W vs FUNCTION R    of a race_… only
#   truth:          race, HARM: reason          HARM is crash, corrupt, wrong output, no visible harm on x86-64 or ordering only
#                   deadlock, hang: reason
#                   no race: reason
#   cause:          asm-lock                    why a detector is wrong about it, one of RACELAB_CORPUS_CAUSES
#   expect:         tsan=… gcc_tsan=… watchpoint=… judge=…
#   shown:          yes | no                    of a race_…: can the two accesses be caught in the act on x86-64?
#   needs:          openmp | gomp               optional: left out, loudly, where that is missing
#   uninstrumented: handoff                     optional: a shared library of repro/support/uninstrumented/, built without
#                                               -fsanitize=thread, that it links
#   remedy:         sync_map                    optional: the remedy that RACELAB_MAP_HEADER is
#
# For a program P there are
#   programs/plain/P   -O2
#   programs/watch/P   -fsanitize=thread, linked with racelab's watchpoint runtime
#   programs/tsan/P    the same object file, linked with the compiler's own ThreadSanitizer
#   programs/gcc/P     g++ -fsanitize=thread, where the build's compiler is another one and there is a g++
# and they have nothing else of racelab in them. If it has a std::map or a std::unordered_map, there is also
#   programs/flag/P    -O2, its maps being those of repro/support/flagged.hpp: checked by the write flag
# The target `corpus_programs` builds all.

include(CheckCXXSourceCompiles)
include(CheckLibraryExists)

set(RACELAB_CORPUS_CAUSES asm-lock clock-lock evicted fence gate-lock history-lost libstdcxx-atomic-shared-ptr
  lock-order-history masked-order openmp raw-syscall relaxed-order two-mappings unintercepted-call
  uninstrumented-library)

# What the corpus needs besides the compiler: sets RACELAB_CORPUS_FOUND. What is missing is looked for again the next time.
function(racelab_corpus_needs)
  set(CMAKE_REQUIRED_FLAGS -fopenmp)
  check_cxx_source_compiles("#include <omp.h>\nint main() { return omp_get_num_threads() - 1; }" RACELAB_HAS_openmp)
  unset(CMAKE_REQUIRED_FLAGS)
  check_library_exists(gomp GOMP_parallel "" RACELAB_HAS_gomp)
  find_program(RACELAB_GXX g++)
  mark_as_advanced(RACELAB_GXX)
  set(found "")
  foreach(need openmp gomp)
    if(RACELAB_HAS_${need})
      list(APPEND found ${need})
    else()
      unset(RACELAB_HAS_${need} CACHE)
    endif()
  endforeach()
  set(RACELAB_CORPUS_FOUND "${found}" PARENT_SCOPE)
endfunction()

# The shared library made of repro/support/uninstrumented/NAME.cpp.
function(racelab_uninstrumented_library name)
  if(TARGET uninstrumented.${name})
    return()
  endif()
  add_library(uninstrumented.${name} SHARED EXCLUDE_FROM_ALL "${PROJECT_SOURCE_DIR}/repro/support/uninstrumented/${name}.cpp")
  racelab_target(uninstrumented.${name})
  target_compile_options(uninstrumented.${name} PRIVATE -O2 -g -fno-omit-frame-pointer)
  set_target_properties(uninstrumented.${name} PROPERTIES
    OUTPUT_NAME "${name}"
    LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/programs/lib")
endfunction()

# A copy of the source whose maps are checked by the write flag; empty if it has no map.
function(racelab_flagged_source result name source)
  set(${result} "" PARENT_SCOPE)
  file(READ "${source}" text)
  if(NOT text MATCHES "std::(unordered_)?map<")
    return()
  endif()
  string(REGEX REPLACE "std::((unordered_)?map<)" "racelab::flagged::\\1" text "${text}")
  set(flagged "${CMAKE_BINARY_DIR}/flagged/${name}.cpp")
  file(CONFIGURE OUTPUT "${flagged}"
    CONTENT "#include \"repro/support/flagged.hpp\"\n#line 1 \"${source}\"\n${text}" @ONLY)
  set(${result} "${flagged}" PARENT_SCOPE)
endfunction()

# The programs of one source.
function(racelab_corpus_programs source needs uninstrumented remedy)
  cmake_path(GET source STEM name)
  set(options "")
  set(libraries "")
  set(gcc_options "")
  if("openmp" IN_LIST needs)
    list(APPEND options -fopenmp)
    list(APPEND libraries -fopenmp)
    list(APPEND gcc_options -fopenmp)
  endif()
  if("gomp" IN_LIST needs)
    list(APPEND libraries gomp)
    list(APPEND gcc_options -lgomp)
  endif()
  set(definitions "")
  if(remedy)
    set(definitions "RACELAB_MAP_HEADER=\"${CMAKE_BINARY_DIR}/fixes_as_maps/${remedy}.hpp\"")
    list(APPEND libraries racelab_fix.${remedy})
  endif()
  set(gcc_depends "")
  if(uninstrumented)
    racelab_uninstrumented_library(${uninstrumented})
    list(APPEND libraries uninstrumented.${uninstrumented})
    set(folder "${CMAKE_BINARY_DIR}/programs/lib")
    list(APPEND gcc_options -L${folder} -l${uninstrumented} -Wl,-rpath,${folder})
    set(gcc_depends uninstrumented.${uninstrumented})
  endif()

  add_library(corpus_object.${name} OBJECT EXCLUDE_FROM_ALL "${source}")
  target_compile_options(corpus_object.${name} PRIVATE -O1 -fsanitize=thread)
  set(kinds plain watch tsan)
  set(compiled corpus_object.${name} ${name}.plain)
  set(source_of_plain "${source}")
  racelab_flagged_source(source_of_flag ${name} "${source}")
  if(source_of_flag)
    list(APPEND kinds flag)
    list(APPEND compiled ${name}.flag)
  endif()
  foreach(kind IN LISTS kinds)
    if(kind MATCHES "plain|flag")
      add_executable(${name}.${kind} EXCLUDE_FROM_ALL "${source_of_${kind}}")
      target_compile_options(${name}.${kind} PRIVATE -O2)
    else()
      add_executable(${name}.${kind} EXCLUDE_FROM_ALL $<TARGET_OBJECTS:corpus_object.${name}>)
      target_link_libraries(${name}.${kind} PRIVATE Threads::Threads)
    endif()
    target_link_libraries(${name}.${kind} PRIVATE ${libraries})
    set_target_properties(${name}.${kind} PROPERTIES
      OUTPUT_NAME "${name}" RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/programs/${kind}")
    add_dependencies(corpus_programs ${name}.${kind})
  endforeach()
  if(source_of_flag)
    target_link_libraries(${name}.flag PRIVATE racelab_write_flag)
  endif()
  target_link_options(${name}.tsan PRIVATE -fsanitize=thread)
  target_link_libraries(${name}.watch PRIVATE racelab_watchpoint racelab_stacks_threads)
  foreach(target IN LISTS compiled)
    racelab_target(${target})
    target_compile_options(${target} PRIVATE -g -fno-omit-frame-pointer ${options})
    target_compile_definitions(${target} PRIVATE ${definitions})
    target_link_libraries(${target} PRIVATE ${libraries})
  endforeach()

  if(RACELAB_GXX AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    set(output "${CMAKE_BINARY_DIR}/programs/gcc/${name}")
    list(TRANSFORM definitions PREPEND -D)
    add_custom_command(OUTPUT "${output}"
      COMMAND "${RACELAB_GXX}" -std=c++20 -O1 -g -fno-omit-frame-pointer -fsanitize=thread -Wno-tsan
        "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=" "-I${PROJECT_SOURCE_DIR}" ${definitions}
        -MD -MF "${output}.d" -MT "programs/gcc/${name}" -o "${output}" "${source}" -pthread ${gcc_options}
      DEPENDS "${source}" ${gcc_depends}
      DEPFILE "${output}.d"
      VERBATIM)
    add_custom_target(${name}.gcc DEPENDS "${output}")
    add_dependencies(corpus_programs ${name}.gcc)
  endif()
endfunction()

# Checks the labels of one program, declares what is built of it and sets `result` to its entry in the catalogue, or to
# nothing if it needs what is not there.
function(racelab_corpus_program result source story)
  cmake_path(GET source STEM name)
  set(${result} "" PARENT_SCOPE)
  foreach(key race truth cause expect shown needs uninstrumented remedy)
    racelab_header_values(${key} "${source}" ${key})
  endforeach()
  foreach(key truth expect)
    if(NOT ${key})
      message(FATAL_ERROR "${source}: no line `// ${key}: …` (cmake/RacelabCorpus.cmake says what it means)")
    endif()
  endforeach()
  # One pattern at a time: CMake tries both sides of an OR, and a match that fails forgets what the other one found.
  set(harm "")
  if(truth MATCHES "^race, (crash|corrupt|wrong output|no visible harm on x86-64|ordering only): (.+)$")
    set(prefix race)
    set(truth race)
    set(harm "${CMAKE_MATCH_1}")
    set(reason "${CMAKE_MATCH_2}")
  elseif(truth MATCHES "^deadlock, hang: (.+)$")
    set(prefix hang)
    set(truth deadlock)
    set(harm hang)
    set(reason "${CMAKE_MATCH_1}")
  elseif(truth MATCHES "^no race: (.+)$")
    set(prefix norace)
    set(truth "no race")
    set(reason "${CMAKE_MATCH_1}")
  else()
    message(FATAL_ERROR "${source}: `// truth: ${truth}` does not read `race, HARM: reason`, `deadlock, hang: reason` or `no race: reason`")
  endif()
  if(NOT name MATCHES "^${prefix}_")
    message(FATAL_ERROR "${source}: its name does not start with ${prefix}_, and its truth is `${truth}`")
  endif()
  if(truth STREQUAL "race" AND NOT (race AND shown MATCHES "^(yes|no)$"))
    message(FATAL_ERROR "${source}: a race needs `// race: …` and `// shown: yes` or `no`")
  endif()
  if(NOT expect MATCHES "^tsan=(report|clean|sometimes) gcc_tsan=(report|clean|sometimes) watchpoint=(caught|sometimes|none) judge=(confirmed|ordering-only|likely-false|unconfirmed|no-report)$")
    message(FATAL_ERROR "${source}: `// expect: ${expect}` does not read tsan=… gcc_tsan=… watchpoint=… judge=…")
  endif()
  if(cause AND NOT cause IN_LIST RACELAB_CORPUS_CAUSES)
    message(FATAL_ERROR "${source}: `// cause: ${cause}` is none of ${RACELAB_CORPUS_CAUSES}")
  endif()
  string(REPLACE " " ";" needs "${needs}")
  foreach(need IN LISTS needs)
    if(NOT need MATCHES "^(openmp|gomp)$")
      message(FATAL_ERROR "${source}: `// needs: ${need}` is neither openmp nor gomp")
    endif()
    if(NOT need IN_LIST RACELAB_CORPUS_FOUND)
      if(RACELAB_TESTS)
        message(NOTICE "racelab: SKIPPED: the program ${name} of the corpus, there is no ${need} here")
      endif()
      return()
    endif()
  endforeach()
  racelab_corpus_programs("${source}" "${needs}" "${uninstrumented}" "${remedy}")

  racelab_json_string(story "${story}")
  racelab_json_strings(race ${race})
  foreach(text truth harm reason cause expect)
    racelab_json_string(${text} "${${text}}")
  endforeach()
  set(can_show false)
  if(shown STREQUAL "yes")
    set(can_show true)
  endif()
  foreach(kind gcc flag)
    set(${kind} null)
    if(TARGET ${name}.${kind})
      set(${kind} "\"programs/${kind}/${name}\"")
    endif()
  endforeach()
  set(${result} "  {\"name\": \"${name}\", \"story\": ${story}, \"source\": \"repro/${name}.cpp\", \"race\": ${race},
   \"truth\": ${truth}, \"harm\": ${harm}, \"reason\": ${reason}, \"cause\": ${cause}, \"expect\": ${expect}, \"shown\": ${can_show},
   \"plain\": \"programs/plain/${name}\", \"watch\": \"programs/watch/${name}\", \"tsan\": \"programs/tsan/${name}\", \"gcc\": ${gcc},
   \"flag\": ${flag}}" PARENT_SCOPE)
endfunction()
