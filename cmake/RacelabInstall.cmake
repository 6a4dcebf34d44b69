# What `cmake --install` puts where. lib/racelab is laid out as in a build folder (compilers/CMakeLists.txt), and lib it is
# everywhere: what is in bin looks for it there.
include(CMakePackageConfigHelpers)

set(home "lib/racelab")

install(TARGETS racelab RUNTIME DESTINATION bin)
install(PROGRAMS "${CMAKE_BINARY_DIR}/bin/racelab-c++" "${CMAKE_BINARY_DIR}/bin/racelab-cc" DESTINATION bin)
# `racelab serve`'s server needs the benchmarks' libraries: where `make serve` or `make bench-http` has built it.
install(PROGRAMS "${CMAKE_BINARY_DIR}/bin/racelab-serve" DESTINATION bin OPTIONAL)
install(DIRECTORY "${CMAKE_BINARY_DIR}/lib/racelab/" DESTINATION "${home}" USE_SOURCE_PERMISSIONS
  PATTERN watch.map EXCLUDE)
install(TARGETS racelab_stacks ARCHIVE DESTINATION "${home}")
install(FILES $<TARGET_OBJECTS:racelab_stacks_threads_object> DESTINATION "${home}" RENAME stacks_threads.o)
install(FILES $<TARGET_OBJECTS:racelab_crash_handler_object> DESTINATION "${home}" RENAME crash_handler.o)

# The headers, under the names by which they include each other.
set(headers stacks sanitizers/annotations sanitizers/write_flag fixes)
foreach(folder IN LISTS headers)
  install(DIRECTORY "${folder}/" DESTINATION "include/racelab/${folder}" FILES_MATCHING PATTERN *.hpp)
endforeach()
install(FILES sanitizers/watchpoint/watchpoint.hpp DESTINATION "include/racelab/sanitizers/watchpoint")

configure_package_config_file(compilers/racelabConfig.cmake.in "${CMAKE_BINARY_DIR}/racelabConfig.cmake"
  INSTALL_DESTINATION "lib/cmake/racelab" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${CMAKE_BINARY_DIR}/racelabConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/racelabConfig.cmake" "${CMAKE_BINARY_DIR}/racelabConfigVersion.cmake"
  DESTINATION "lib/cmake/racelab")
install(FILES compilers/check-watch.cmake DESTINATION "${home}")

# All that is installed, and no more.
add_custom_target(installable DEPENDS racelab racelab_ld racelab_watch_runtime racelab_stacks)
if(TARGET racelab_gcc_library)
  add_dependencies(installable racelab_gcc_library)
endif()
