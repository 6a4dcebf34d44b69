// The owner destroys the map while a worker still looks things up in it.
// race: find() R vs destructor W
// race: find() R vs reset() W
// maps: unordered_map flat_map hmap_unchecked hmap
// expect: tsan=report write_flag=none watchpoint=caught
// fixes: none
// not: all: a map can't guard its own end, so its owner must outlive the workers or share it by std::shared_ptr
#include <memory>
#include <string>

#include RACELAB_MAP_HEADER
#include "repro/support/gate.hpp"
#include "repro/support/verifier.hpp"

namespace {
std::string key(int i) { return "a key that lives on the heap " + std::to_string(i); }
constexpr int keys = 100;
}  // namespace

int main() {
  auto m = std::make_unique<racelab::lab_map<std::string, std::string>>();
  for (int i = 0; i < keys; ++i) m->insert_or_assign(key(i), key(i));
  racelab::verifier check;

  const auto worker = [map = m.get(), &check] {
    for (int i = 0; i < keys; ++i) check.holds(*map, key(i), key(i));
  };
  const auto owner = [&m] { m.reset(); };
  racelab::run_together(worker, owner);

  return check.exit_code();
}
