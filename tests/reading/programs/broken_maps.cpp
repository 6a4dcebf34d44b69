// Maps broken as races break them, byte by byte: what `racelab explain` makes of a core file with them. To be run with the lab's
// heap (telling_heap()), which leaves a mark in freed memory.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <unordered_map>

#include "repro/support/hmap/hmap.hpp"

namespace {

using standard_map = std::unordered_map<long, long>;
using bucket_map = racelab::hmap<long, long>;

// Where libstdc++ and hmap (Go's layout) have what is overwritten here.
constexpr std::size_t count_of_standard = 24;
constexpr std::size_t count_of_bucket = 0;
constexpr std::size_t buckets_of_bucket = 16;
constexpr std::size_t before_buckets = 32;  // of the block that holds them: bucket_array.hpp

void* node_of(standard_map& map, long key) {
  return reinterpret_cast<char*>(&*map.find(key)) - sizeof(void*);
}

template <class Map> void overwrite(Map& map, std::size_t offset, std::uint64_t value) {
  std::memcpy(reinterpret_cast<char*>(&map) + offset, &value, sizeof value);
}

template <class Map> void fill(Map& map) {
  for (long key = 0; key < 6; ++key) map.insert_or_assign(key, key);
}

}  // namespace

int main() {
  standard_map sound;
  standard_map miscounted;
  standard_map freed;
  standard_map ring;
  bucket_map sound_buckets;
  bucket_map miscounted_buckets;
  bucket_map freed_buckets;
  for (auto* map : {&sound, &miscounted, &freed, &ring}) fill(*map);
  for (auto* map : {&sound_buckets, &miscounted_buckets, &freed_buckets}) fill(*map);

  overwrite(miscounted, count_of_standard, 4);
  overwrite(miscounted_buckets, count_of_bucket, 9);
  operator delete(node_of(freed, 3));
  const auto first = reinterpret_cast<std::uintptr_t>(node_of(ring, ring.begin()->first));
  std::memcpy(node_of(ring, std::next(ring.begin(), 3)->first), &first, sizeof first);
  std::uintptr_t buckets = 0;
  std::memcpy(&buckets, reinterpret_cast<char*>(&freed_buckets) + buckets_of_bucket, sizeof buckets);
  operator delete(reinterpret_cast<void*>(buckets - before_buckets));
  std::abort();
}
