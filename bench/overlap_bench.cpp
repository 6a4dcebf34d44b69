// What do a few instructions more cost a lookup: in a small map, and in one larger than the caches?
//
// A lookup in the bare std::unordered_map, after so many instructions that do nothing, or so many branches that are never taken. No
// lookup depends on the one before, so that a processor that executes out of order waits for several lookups' memory at once: for as
// many as it has room for instructions and branches in flight (A. Glew, MLP yes! ILP no!, ASPLOS 1998). What a remedy adds to a
// lookup takes from that room.
#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "bench/peers/bare_unordered_map.hpp"
#include "bench/support/contender.hpp"
#include "bench/support/program.hpp"

namespace {

using namespace racelab::bench;
using key = std::uint64_t;
using map = bare_unordered_map<key, std::uint64_t>;

constexpr const char* nothing = "nothing more";

// x86-64's, as the runtime that watches.
template <int Count> [[gnu::always_inline]] inline void instructions() {
  asm volatile(".rept %c0\n\tnop\n\t.endr" : : "i"(Count));
}

template <int Count> [[gnu::always_inline]] inline void branches() {
  asm volatile("test %%rsp, %%rsp\n\t.rept %c0\n\tjz 1f\n\t.endr\n1:" : : "i"(Count) : "cc");
}

template <class More>
void add(rounds& into, const settings& chosen, const std::string& contender, More more) {
  for (const std::size_t entries : {std::size_t{1000}, std::size_t{1'000'000}}) {
    if (chosen.quick && entries > 1000) continue;
    const auto keys = make_keys<key>(entries);
    const auto work = std::make_shared<const workload<key>>(keys, popularity::uniform, 100);
    const auto filled = turn_over<map>(into, contender, keys);
    into.cell(fmt::format("entries={}", entries), 1, chosen.seconds,
              [filled, work, more](benchmark::State& state) {
                const map& looked_up = **filled;
                std::size_t at = 0;
                for ([[maybe_unused]] auto _ : state) {
                  more();
                  benchmark::DoNotOptimize(looked_up.find(work->key_of((*work)[at++])));
                }
              });
  }
}

void plan(rounds& into, const settings& chosen) {
  add(into, chosen, nothing, [] {});
  add(into, chosen, "10 instructions", [] { instructions<10>(); });
  add(into, chosen, "20 instructions", [] { instructions<20>(); });
  add(into, chosen, "40 instructions", [] { instructions<40>(); });
  add(into, chosen, "2 branches", [] { branches<2>(); });
  add(into, chosen, "4 branches", [] { branches<4>(); });
  add(into, chosen, "8 branches", [] { branches<8>(); });
}

}  // namespace

int main(int argc, char** argv) {
  return answer(
      argc, argv,
      {.name = "overlap_bench",
       .asked = "What do a few instructions more cost a lookup: in a small map, and in one larger than the "
                "caches?",
       .plan = plan,
       .tell = [](const results& measured) { measured.print("ns", "ns", 1, nothing); },
       .plots = {{.file = "overlap",
                  .title = "A lookup in std::unordered_map, and some instructions more that do nothing",
                  .axis = "entries",
                  .axis_title = "entries",
                  .quantity = "ns",
                  .unit = "ns"}}});
}
