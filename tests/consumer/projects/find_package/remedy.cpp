#include "fixes/sharded_map.hpp"

int main() {
  racelab::sharded_map<int, int> map;
  map.insert_or_assign(1, 2);
  return map.find(1) == 2 ? 0 : 1;
}
