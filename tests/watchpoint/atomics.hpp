// Atomic operations, instrumented: each becomes a call of the runtime.
#pragma once

#include <string>

namespace instrumented {

/// Does every operation on every pair of a table of values, for unsigned integers of `bits` (8 to 128), and
/// compares with the same operation on plain variables. The first difference, as text; empty if there is none.
std::string check_atomics(unsigned bits);

/// The same for bool, pointers, float and enumerations.
std::string check_other_atomics();

}  // namespace instrumented
