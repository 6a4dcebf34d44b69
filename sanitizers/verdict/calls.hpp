// Calls: which function of another library a program calls, read from its machine code.
//
// A stack does not always tell: libc's symbol table has no names for functions of its inside, and a function that ends in a
// jump to one of those leaves no frame.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace racelab::verdict {

/// The function that is called by the instruction before `return_address`, an address of the file as the linker gave it, if
/// that is a call by way of the procedure linkage table or of the global offset table. Empty otherwise, and for files that can't be
/// read. x86-64; the forms are those of the System V ABI's chapter 5.2 and of the `.plt.sec` that CET brought.
[[nodiscard]] std::string function_called(const std::string& file, std::uintptr_t return_address);

}  // namespace racelab::verdict
