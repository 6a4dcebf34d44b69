# After a link by racelab_watch(TARGET): says why there is no second program, if there is none.
if(NOT EXISTS "${PROGRAM}.watch")
  message(FATAL_ERROR "racelab_watch(${TARGET}): the link made no ${PROGRAM}.watch: it has to be linked with "
    "-fsanitize=thread, by clang or gcc, and by a linker that is not given by its path (--ld-path, -fuse-ld=/…)")
endif()
