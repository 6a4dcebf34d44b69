// Linked as an object file (racelab_crash_handler), it gives a program the crash handler from before main.
#include "stacks/fatal.hpp"

namespace {

[[gnu::constructor]] void install() { racelab::stacks::install_crash_handler(); }

}  // namespace
