// `hash & mask` against `hash % n`: the bare operation, and inside of a lookup.
//
// The bare operation depends on the one before, as an index that is needed now does: latency, not throughput. Both tables
// probe linearly and are half full; they differ in how a hash becomes an index, and the one for `%` may have any size.
#include <fmt/format.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/support/contender.hpp"
#include "bench/support/program.hpp"

namespace {

using namespace racelab::bench;
using key = std::uint64_t;

struct by_mask {
  static constexpr const char* name = "hash & mask";
  explicit by_mask(std::size_t least) : size_(std::bit_ceil(least)), mask_(size_ - 1) {}
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t operator()(std::uint64_t hash) const noexcept { return hash & mask_; }

 private:
  std::size_t size_;
  std::size_t mask_;
};

struct by_modulo {
  static constexpr const char* name = "hash % n";
  explicit by_modulo(std::size_t least) : size_(std::bit_ceil(least) - 1) {}
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t operator()(std::uint64_t hash) const noexcept { return hash % size_; }

 private:
  std::size_t size_;
};

std::uint64_t mixed(key of) { return (of ^ (of >> 29U)) * 0x9e37'79b9'7f4a'7c15; }

// Keys from 1 on; 0 is an empty slot.
template <class Index> class table {
 public:
  explicit table(const std::vector<key>& keys) : index_(2 * keys.size()), slots_(index_.size()) {
    for (const key each : keys) {
      std::size_t at = index_(mixed(each));
      while (slots_[at].first != 0) at = next(at);
      slots_[at] = {each, each};
    }
  }
  [[nodiscard]] std::uint64_t find(key wanted) const noexcept {
    for (std::size_t at = index_(mixed(wanted)); slots_[at].first != 0; at = next(at))
      if (slots_[at].first == wanted) return slots_[at].second;
    return 0;
  }

 private:
  [[nodiscard]] std::size_t next(std::size_t at) const noexcept {
    return at + 1 == slots_.size() ? 0 : at + 1;
  }

  Index index_;
  std::vector<std::pair<key, std::uint64_t>> slots_;
};

template <class Index> void bare(benchmark::State& state) {
  std::size_t least = 1000;
  benchmark::DoNotOptimize(least);
  Index index(least);
  benchmark::DoNotOptimize(index);
  std::uint64_t hash = 0x9e37'79b9'7f4a'7c15;
  for ([[maybe_unused]] auto _ : state) hash = 0x9e37'79b9'7f4a'7c15 + index(hash);
  benchmark::DoNotOptimize(hash);
}

template <class Index>
void add(rounds& into, const settings& chosen,
         const std::vector<std::shared_ptr<const std::vector<key>>>& sizes) {
  into.turn(Index::name, [] {}, [] {});
  into.cell("what=bare", 1, chosen.seconds, bare<Index>);
  for (const auto& keys : sizes) {
    auto filled = std::make_shared<const table<Index>>(*keys);
    into.cell(fmt::format("what=lookup entries={}", keys->size()), 1, chosen.seconds,
              [keys, filled](benchmark::State& state) {
                std::size_t at = 0;
                for ([[maybe_unused]] auto _ : state) {
                  benchmark::DoNotOptimize(filled->find((*keys)[at]));
                  if (++at == keys->size()) at = 0;
                }
              });
  }
}

void plan(rounds& into, const settings& chosen) {
  std::vector<std::shared_ptr<const std::vector<key>>> sizes;
  for (const std::size_t entries : {std::size_t{1000}, std::size_t{1'000'000}}) {
    if (chosen.quick && entries > 1000) continue;
    auto keys = *make_keys<key>(entries);
    for (key& each : keys) ++each;  // 0 is an empty slot
    sizes.push_back(std::make_shared<const std::vector<key>>(std::move(keys)));
  }
  add<by_mask>(into, chosen, sizes);
  add<by_modulo>(into, chosen, sizes);
}

}  // namespace

int main(int argc, char** argv) {
  return answer(argc, argv,
                {.name = "mask_bench",
                 .asked = "`hash & mask` against `hash % n`: the bare operation, and inside of a lookup",
                 .plan = plan,
                 .tell = [](const results& measured) { measured.print("ns", "ns", 1, by_mask::name); },
                 .plots = {{.file = "mask_bare",
                            .title = "From a hash to a place: the bare operation",
                            .where = "what=bare",
                            .quantity = "ns",
                            .unit = "ns"},
                           {.file = "mask_lookup",
                            .title = "From a hash to a place: in a lookup",
                            .axis = "entries",
                            .axis_title = "entries",
                            .where = "what=lookup",
                            .quantity = "ns",
                            .unit = "ns"}}});
}
