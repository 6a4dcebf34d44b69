// Deleted entries stay in memory while somebody holds a snapshot that has them, and no malloc_trim() helps.
// maps: seed_cas_snapshot
// expect: tsan=clean watchpoint=none
// fixes: copy_on_write_map hybrid_map cas_snapshot_map
//
// The seed's map holds every snapshot until its own end; of a remedy, only who asked for a snapshot holds it.
#include <algorithm>
#include <memory>
#include <vector>

#include RACELAB_MAP_HEADER
#include "repro/support/memory.hpp"
#include "repro/support/verifier.hpp"

namespace {
template <class Map> std::shared_ptr<const void> hold_snapshot(const std::shared_ptr<Map>& map) {
  if constexpr (requires { map->snapshot(); })
    return std::make_shared<decltype(map->snapshot())>(map->snapshot());
  else
    return map;
}
constexpr int keys = 64;
}  // namespace

int main() {
  const auto before = racelab::print_memory("before");
  auto m = std::make_shared<racelab::lab_map<int, racelab::counted_pages>>();
  for (int i = 0; i < keys; ++i) m->insert_or_assign(i, racelab::counted_pages());
  racelab::print_memory("filled");

  std::vector<std::shared_ptr<const void>> holder;
  std::vector<std::unique_ptr<int>> others;  // small and in between, so that free() alone returns no page
  for (int i = 0; i < keys; ++i) {
    holder.push_back(hold_snapshot(m));
    others.push_back(std::make_unique<int>(i));
    m->erase(i);
  }
  racelab::print_memory("all deleted, each snapshot held");
  malloc_trim(0);
  const auto kept = racelab::print_memory("trimmed too early: nothing comes back");
  const std::size_t held = racelab::counted_pages::alive;

  holder.clear();
  racelab::print_memory("the holder is gone");
  m.reset();
  racelab::print_memory("the map is gone");
  malloc_trim(0);
  const auto after = racelab::print_memory("trimmed after that");

  racelab::verifier check;
  check.that(held > keys, "nobody held what was deleted");
  check.that(racelab::counted_pages::alive == 0, "values are left although nobody holds them");
  const std::size_t half = held * sizeof(racelab::counted_pages) / 2;
  if (kept.allocator_is_glibc())
    check.that(std::max(before.resident, after.resident) + half < kept.resident, "nothing came back");
  return check.exit_code();
}
