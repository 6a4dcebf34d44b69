// One map that grows, one reader that kept a pointer to its buckets: what `make buckets` looks at, with gdb and with a heap
// profile. The same on every run.
//
//   buckets_walk          says nothing
//   buckets_walk --dump   prints hmap::dump() at each moment
#include <iostream>
#include <semaphore>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "repro/support/hmap/hmap.hpp"

namespace racelab {

using walked_map = hmap<std::string, int>;
using walked_bucket = bmap<std::string, int>;

/// What a reader holds in the middle of a search: `buckets`, loaded once.
struct hmap_peek {
  static const walked_bucket* buckets(const walked_map& h) { return h.buckets_; }
};

}  // namespace racelab

namespace {

using racelab::walked_bucket;
using racelab::walked_map;

bool dumps = false;

/// gdb stops here.
[[gnu::noinline]] void moment(const char* when, const walked_map& h,
                              const std::unordered_map<std::string, int>& standard) {
  asm volatile("" ::"r"(when), "r"(&h), "r"(&standard) : "memory");
  if (!dumps) return;
  std::cout << when << '\n';
  h.dump(std::cout);
}

/// The use of the saved pointer: how many cells of its first bucket are empty. gdb stops here.
[[gnu::noinline]] int reader_looks(const walked_bucket* saved) {
  int empty = 0;
  for (const std::uint8_t state : saved->tophash) empty += racelab::cell::isEmpty(state) ? 1 : 0;
  return empty;
}

}  // namespace

int main(int argc, char** argv) {
  dumps = argc > 1 && std::string_view(argv[1]) == "--dump";
  racelab::fastrand_seed(1);
  walked_map h(0, 1);
  std::unordered_map<std::string, int> standard;
  int entries = 0;
  const auto insert_until = [&](int wanted) {
    for (; entries < wanted; ++entries) {
      const std::string key = "key-" + std::to_string(entries);
      standard.insert_or_assign(key, entries);
      h.insert_or_assign(key, entries);  // last, so that what it frees stays as free() leaves it
    }
  };

  // The reader and the writer take turns: what is shown here is the use of freed memory, which needs no race.
  std::binary_semaphore full{0};
  std::binary_semaphore saved{0};
  std::binary_semaphore freed{0};
  std::thread reader([&] {
    full.acquire();
    const walked_bucket* const buckets = racelab::hmap_peek::buckets(h);
    saved.release();
    freed.acquire();
    reader_looks(buckets);
  });

  insert_until(26);  // four buckets hold no more
  moment("before growth", h, standard);
  full.release();
  saved.acquire();
  insert_until(27);
  moment("the growth has begun", h, standard);
  insert_until(28);  // evacuates the rest, and the old array is freed
  moment("after growth", h, standard);
  freed.release();
  reader.join();
  insert_until(60);  // and the next growth, whose array brings an overflow bucket along
  moment("after the next growth", h, standard);
  return 0;
}
