// Separate debug information: the file that `objcopy --only-keep-debug` or a distribution's -dbgsym package made.
#pragma once

#include <elfutils/libdwfl.h>

namespace racelab::stacks {

/// A Dwfl_Callbacks::find_debuginfo: an open file descriptor, and its path to be freed in `path`; -1 if there is none.
///
/// First by build-id (/usr/lib/debug/.build-id/…), then by .gnu_debuglink, where gdb looks: beside the module, in .debug
/// beside it, and below /usr/lib/debug. A linked file counts only if its CRC is the one in the link. Unlike
/// dwfl_standard_find_debuginfo it never asks debug information servers, which would load libcurl and wait for the net
/// in a process that is dying.
int find_debug_file(Dwfl_Module* module, void** user_data, const char* name, Dwarf_Addr base,
                    const char* module_path, const char* link, GElf_Word crc, char** path);

}  // namespace racelab::stacks
