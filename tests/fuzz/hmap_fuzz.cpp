// Fuzz: bytes become operations on an hmap and on its model, with iterators that stay open while the map
// grows.
#include <cstddef>
#include <cstdint>
#include <string>

#include "repro/support/hmap/go_hash.hpp"
#include "tests/hmap/hmap_model.hpp"

namespace {

using namespace racelab::hmap_model;

// Four bytes an operation: which, key (two), value.
template <class Pair> void play(const std::uint8_t* bytes, std::size_t size, std::size_t hint) {
  Pair pair(hint);
  for (; size >= 4; bytes += 4, size -= 4) {
    pair.apply(bytes[0], (bytes[1] + 256U * bytes[2]) % 512, bytes[3]);
    // One operation with many keys, so that a short input reaches growth.
    if (bytes[0] >= 224) {
      for (std::uint64_t i = 0; i < 16; ++i) pair.apply(bytes[0] % 2 == 0 ? 2 : 4, bytes[1] + i, i);
    }
  }
  pair.compare(pair.real());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) return 0;
  racelab::fastrand_seed(bytes[1]);  // the same input, the same run
  const std::size_t hint = bytes[0] >= 128 ? 60 : 0;
  const std::uint8_t* rest = bytes + 2;
  switch (bytes[0] % 5) {
    case 0:
      play<pair_of_maps<std::uint64_t>>(rest, size - 2, hint);
      break;
    case 1:
      play<pair_of_maps<std::uint64_t, poor_hash<std::uint64_t>>>(rest, size - 2, hint);
      break;
    case 2:
      play<pair_of_maps<std::string, poor_hash<std::string>>>(rest, size - 2, hint);
      break;
    case 3:
      play<pair_of_maps<double>>(rest, size - 2, hint);
      break;
    default:
      play<pair_of_maps<double, poor_hash<double>>>(rest, size - 2, hint);
  }
  return 0;
}
