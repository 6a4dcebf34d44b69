// Frame line: one line of a printed stack as a frame.
#pragma once

#include <string_view>

#include "sanitizers/thread/report.hpp"

namespace racelab::tsan {

/// Reads what follows the frame's number, whole or cut off:
///
///     hmap<int>::erase(int) repro/hmap.hpp:210:7 (prog+0x4a5b) (BuildId: 12ab)
///     <null> <null> (libstdc++.so.6+0xd44a2)
///     0x55d0 in main /src/x.cpp:3
///
/// Neither the function nor the file is quoted in it. The file begins at the last " /" outside of brackets, otherwise
/// at the last space, so a relative path with a space in it is cut in two.
[[nodiscard]] frame parse_frame(std::string_view text);

/// `  main.main()` and `      /src/x.go:14 +0xa4`: Go prints a frame on two lines. This is the second one.
void parse_go_place(std::string_view text, frame& into);

}  // namespace racelab::tsan
