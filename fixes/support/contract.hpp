// The contract of every remedy: what a scenario's workload may ask of a map, from any number of threads.
//
//   find(key)                  the value, by copy; nothing if the key is not there
//   insert(key, value)         stores the value unless the key is there; true if it did
//   insert_or_assign(key, v)   stores the value
//   erase(key)                 removes the key and returns the value that it had
//   erase_if_equal(key, v)     removes the key only if it has this value; true if it did (compare-and-erase)
//   for_each(visit)            calls visit(key, value) for the entries: no key twice; a key that is there from the
//                              beginning to the end is visited, one that comes, changes or goes meanwhile may be
//                              visited or not, with any value that it had during the call
//   clear()                    removes every key that was there when it was called
//   size()                     only where it has a meaning: the number of keys at some moment during the call
//
// Each operation on one key is linearizable. Values come and go by copy, so that a caller never holds a reference
// into the map. `visit` may not call the map, unless the remedy's header says that it may. An exception (from a
// key's or value's copy, the hash, ==, the allocator or `visit`) leaves the map usable and as it was before the
// call; what clear() and for_each() had done by then is done. A remedy that wraps another library, and can't promise
// that, says why in a member `static constexpr const char* weaker_exceptions`.
//
// The contract is that of repro/support/maps/std_adapter.hpp, which has it without any synchronisation.
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>

namespace racelab {

template <class Map>
concept concurrent_map = requires(Map map, const Map& view, const typename Map::key_type& key,
                                  const typename Map::mapped_type& value) {
  { view.find(key) } -> std::same_as<std::optional<typename Map::mapped_type>>;
  { map.insert(key, value) } -> std::same_as<bool>;
  map.insert_or_assign(key, value);
  { map.erase(key) } -> std::same_as<std::optional<typename Map::mapped_type>>;
  { map.erase_if_equal(key, value) } -> std::same_as<bool>;
  view.for_each([](const typename Map::key_type&, const typename Map::mapped_type&) {});
  map.clear();
};

/// A remedy that also keeps a count.
template <class Map>
concept sized_map = concurrent_map<Map> && requires(const Map& view) {
  { view.size() } -> std::convertible_to<std::size_t>;
};

/// Why `Map` does not keep the contract's promise about exceptions; null if it does.
template <class Map> constexpr const char* weaker_exceptions() {
  if constexpr (requires { Map::weaker_exceptions; })
    return Map::weaker_exceptions;
  else
    return nullptr;
}

}  // namespace racelab
