// Classroom text: sources and reports made fit for a class to look at.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace racelab::lab {

/// The lines of a C++ file with their numbers, from the first that is neither a comment nor a directive nor empty: what
/// stands before would give the answer away.
[[nodiscard]] std::string numbered_source(std::string_view source);

/// A Go-style text without the frames (two lines each) of other people's sources and of modules without line tables.
[[nodiscard]] std::string without_library_frames(std::string_view text);

/// `program` as a scenario's or the corpus's name: crash_find_delete of crash_find_delete.hmap.
[[nodiscard]] std::string_view scenario_of(std::string_view program);

/// `text` without the names of these scenarios, which tell the truth about them: their files are program.cpp, program2.cpp
/// and so on.
[[nodiscard]] std::string anonymous(std::string_view text, const std::vector<std::string>& scenarios);

/// `text` with tabs as four spaces and no line longer than `columns` where it has spaces to be broken at.
[[nodiscard]] std::string fitted(std::string_view text, std::size_t columns);

}  // namespace racelab::lab
