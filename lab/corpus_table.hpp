// Corpus table: the labels of the corpus, as Markdown, for a terminal and for docs/corpus.md.
#pragma once

#include <string>
#include <vector>

#include "lab/catalogue.hpp"

namespace racelab::lab {

/// What a program is there for: a race with harm, one without, one by memory order alone, a deadlock, a correct program that
/// ThreadSanitizer reports, or one that it does not.
[[nodiscard]] std::string_view class_of(const corpus_program& program);

/// A line with the number of programs of each class, and a table of all of them.
[[nodiscard]] std::string corpus_table(const std::vector<corpus_program>& programs);

}  // namespace racelab::lab
