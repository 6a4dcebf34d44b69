// A contender of a benchmark: a map behind find, insert and erase, and how to make it part of the rounds.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/support/for_each_contender.hpp"
#include "bench/support/mix.hpp"
#include "bench/support/rounds.hpp"
#include "bench/support/workload.hpp"

namespace racelab::bench {

/// A place for a map that a turn makes, fills and destroys: what its cells share.
template <class Map> using map_of_turn = std::shared_ptr<std::unique_ptr<Map>>;

/// A turn of `contender` over a map that `fresh` makes (a std::unique_ptr) and that has `keys`.
template <class Map, class Key, class Fresh>
map_of_turn<Map> turn_over(rounds& into, std::string contender, shared_keys<Key> keys, Fresh fresh) {
  auto map = std::make_shared<std::unique_ptr<Map>>();
  into.turn(
      std::move(contender),
      [map, keys = std::move(keys), fresh = std::move(fresh)] {
        *map = fresh();
        fill(**map, *keys);
      },
      [map] { *map = nullptr; });
  return map;
}

/// The same with a map that is made without arguments.
template <class Map, class Key>
map_of_turn<Map> turn_over(rounds& into, std::string contender, shared_keys<Key> keys) {
  return turn_over<Map>(into, std::move(contender), std::move(keys), [] { return std::make_unique<Map>(); });
}

/// A cell of the last turn: `work` over its map.
template <class Map, class Key>
void mix_cell(rounds& into, map_of_turn<Map> map, std::string point, int threads, double seconds,
              std::shared_ptr<const workload<Key>> work) {
  into.cell(std::move(point), threads, seconds,
            [map = std::move(map), work = std::move(work)](benchmark::State& state) {
              run_mix(state, **map, *work);
            });
}

}  // namespace racelab::bench
