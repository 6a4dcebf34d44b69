// Does the write flag cost more the more threads there are? Lookups of one map by all of them, which is all that a map without
// a lock allows, and erase with insert by each in a map of its own.
#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "bench/peers/bare_unordered_map.hpp"
#include "bench/support/contender.hpp"
#include "bench/support/program.hpp"
#include "sanitizers/write_flag/checked.hpp"

namespace {

using namespace racelab::bench;
using key = std::uint64_t;
using table = std::unordered_map<key, std::uint64_t>;

constexpr std::size_t entries = 1'000;
constexpr const char* without = "without";

template <class Table> void plan_turn(rounds& into, const settings& chosen, std::string contender) {
  using map_type = bare_map<Table>;
  const auto keys = make_keys<key>(entries);
  const auto work_of = [&](unsigned reads) {
    return std::make_shared<const workload<key>>(keys, popularity::uniform, reads);
  };
  const auto reads = work_of(100);
  const auto writes = work_of(0);
  const auto shared = turn_over<map_type>(into, std::move(contender), keys);
  for (const int threads : {1, 2, 4, 8}) {
    mix_cell(into, shared, fmt::format("what=shared_lookups threads={}", threads), threads, chosen.seconds,
             reads);
    into.cell(fmt::format("what=own_map_erase_insert threads={}", threads), threads, chosen.seconds,
              [keys, writes](benchmark::State& state) {
                map_type own;
                fill(own, *keys);
                run_mix(state, own, *writes);
              });
  }
}

}  // namespace

int main(int argc, char** argv) {
  return answer(
      argc, argv,
      {.name = "flag_threads_bench",
       .asked = "Does the write flag cost more the more threads there are?",
       .plan =
           [](rounds& into, const settings& chosen) {
             plan_turn<table>(into, chosen, without);
             plan_turn<racelab::checked<table>>(into, chosen, "write_flag");
           },
       .tell = [](const results& measured) { measured.print("ops_per_s", "Mops/s", 1e6, without); }});
}
