// The memory functions of racelab's own code. The build puts this before each source of the libraries that are linked into
// watched programs: the compiler's calls of memcpy and its kin, also those that no source spells out, go to functions of
// ours. A runtime that stands before the program's own (sanitizers/watchpoint/intercepts.cpp) must not take them for
// the program's.
#pragma once

#define RACELAB_OWN(name) #name " = racelab_" #name "\n"
__asm__(RACELAB_OWN(memcpy) RACELAB_OWN(memmove) RACELAB_OWN(memset) RACELAB_OWN(memcmp) RACELAB_OWN(bcmp)
            RACELAB_OWN(memchr) RACELAB_OWN(strlen));
#undef RACELAB_OWN
