// The memory functions of racelab's own code, and its input and output. The build puts this before each source of the libraries that are linked into
// watched programs: the compiler's calls of memcpy and its kin, also those that no source spells out, go to functions of
// ours. A runtime that stands before the program's own (sanitizers/watchpoint/intercepts.hpp) must not take them for
// the program's.
#pragma once

#define RACELAB_OWN(name) #name " = racelab_" #name "\n"
__asm__(RACELAB_OWN(memcpy) RACELAB_OWN(memmove) RACELAB_OWN(memset) RACELAB_OWN(memcmp) RACELAB_OWN(bcmp)
            RACELAB_OWN(memchr) RACELAB_OWN(strlen));
#undef RACELAB_OWN
// Names that glibc has for its own use.
__asm__("read = __read\nwrite = __write\npread = __pread64\n");
