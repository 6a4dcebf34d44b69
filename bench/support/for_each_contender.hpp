// All contenders in turn. They are a tuple of types: bench/contenders.hpp, which the build writes.
#pragma once

#include <cstddef>
#include <tuple>
#include <utility>

namespace racelab::bench {

/// Whose a contender is: a remedy that the lab wrote, a library's map, or what somebody would write in its place.
enum class origin { remedy, library, other };

/// A map that no second thread may touch.
template <class Map> constexpr bool for_one_thread() {
  return requires { Map::one_thread; };
}

/// Calls visit.template operator()<Contender>() for each type of the tuple `Contenders`.
template <class Contenders, class Visit> void for_each_contender(Visit visit) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (visit.template operator()<std::tuple_element_t<I, Contenders>>(), ...);
  }(std::make_index_sequence<std::tuple_size_v<Contenders>>());
}

}  // namespace racelab::bench
