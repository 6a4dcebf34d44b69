// Racing pair: what a scenario's `// race:` line says, and whether two stacks are of that pair.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace racelab::tsan {

/// One side: `find() R`, `erase() W`, `copy R`, `move W`, `destructor W`.
struct racer {
  std::string function;  // as bare_name() says it: `copy` and `move` stand for the constructor
  bool writes = false;
};

struct racing_pair {
  racer first;
  racer second;
};

/// FUNCTION R|W vs FUNCTION R|W; nothing if `text` reads otherwise.
[[nodiscard]] std::optional<racing_pair> racing_pair_of(std::string_view text);

/// One side of what was seen: the functions on its stack, and what it did.
struct seen_side {
  std::set<std::string> functions;  // by bare_name()
  bool writes = false;
};

/// A demangled function's name without return type, scope, template arguments and parameters; but what is called as a
/// map's operation and belongs to something else keeps its class (basic_string::insert). A map's constructor is called `constructor` (which one it is, is not always known of an inlined one), its destructor `destructor`.
/// racelab::std_adapter<…>::find(…) const -> find
[[nodiscard]] std::string bare_name(const std::string& function);

/// True if each side has one of the pair's functions on its stack, whichever came first. `exactly`: and reads or writes
/// as the pair says. Otherwise one write is enough: an erase() that races with another one also reads what that one
/// writes.
[[nodiscard]] bool is_of_pair(const racing_pair& pair, const seen_side& a, const seen_side& b, bool exactly);

/// True if one side has one of the pair's functions on its stack and the other side no operation of a map at all: what a
/// race leads to once a freed entry's memory has gone to somebody else, or a broken pointer leads anywhere.
[[nodiscard]] bool follows_from_pair(const racing_pair& pair, const seen_side& a, const seen_side& b);

/// True if either side has one of the pair's functions on its stack. Of a use after free: what a race has freed is still
/// reachable, and whoever walks or destroys the map later comes to it.
[[nodiscard]] bool outlives_pair(const racing_pair& pair, const seen_side& a, const seen_side& b);

/// True if neither side writes: no race, but what may be left of the report of a use after free. ThreadSanitizer keeps who
/// freed some memory in a shadow cell of that memory; a reader that comes between the detection and the report overwrites
/// the cell, and the report names him instead.
[[nodiscard]] bool are_two_reads(const seen_side& a, const seen_side& b);

/// True if neither side has a map's operation on its stack: after a race that freed a block twice the heap gives it to two
/// owners, who then race for it.
[[nodiscard]] bool is_outside_of_maps(const seen_side& a, const seen_side& b);

}  // namespace racelab::tsan
