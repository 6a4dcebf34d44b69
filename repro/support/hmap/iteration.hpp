// Iteration over hmap: from a random bucket and cell on, once round, and still right if the map grows
// meanwhile.
#pragma once

#include "repro/support/hmap/hmap.hpp"

namespace racelab {

/// Go's hiter. `for (hmap<K, V>::hiter it(map); it; it.next()) use(it.key(), it.elem());`
/// The map may be changed between steps, also by growth and clear(), but must neither move nor die before the
/// iterator. key() and elem() are valid until the map is changed or the iterator steps on; Go copies them at
/// once.
template <class K, class V, class Misuse, class Hash, class Equal>
class hmap<K, V, Misuse, Hash, Equal>::hiter {
 public:
  explicit hiter(const hmap& h) { mapiterinit(h); }
  ~hiter() {
    walk(buckets_, nullptr);
    walk(oldbuckets_, nullptr);
  }
  hiter(const hiter&) = delete;
  hiter& operator=(const hiter&) = delete;

  /// False at the end.
  explicit operator bool() const noexcept { return key_ != nullptr; }
  [[nodiscard]] const K& key() const noexcept { return *key_; }
  [[nodiscard]] const V& elem() const noexcept { return *elem_; }
  void next() { mapiternext(); }

 private:
  static constexpr std::size_t noCheck = ~std::size_t{0};

  [[gnu::noinline]] void mapiterinit(const hmap& h);
  [[gnu::noinline]] void mapiternext();

  // Lets go of the array in `slot` and holds on to `next`.
  static void walk(bmap*& slot, bmap* next) noexcept {
    if (slot == next) return;
    if (next != nullptr) array::add_reference(next);
    if (slot != nullptr) array::drop_reference(slot);
    slot = next;
  }

  const K* key_ = nullptr;  // null at the end
  const V* elem_ = nullptr;
  const hmap* h_ = nullptr;
  bmap* buckets_ = nullptr;     // the array when the iteration began
  bmap* oldbuckets_ = nullptr;  // the old array that was walked last, kept alive as Go's collector would
  bmap* bptr_ = nullptr;        // the bucket under way
  std::size_t startBucket_ = 0;
  std::size_t bucket_ = 0;
  std::size_t checkBucket_ = noCheck;
  std::uint8_t offset_ = 0;  // the cell to begin with in each bucket
  std::uint8_t B_ = 0;
  std::uint8_t i_ = 0;
  bool wrapped_ = false;     // past the last bucket, at the first again
  std::uint32_t hash0_ = 0;  // the map's seed when the iteration began: it changes when the map gets empty
};

template <class K, class V, class Misuse, class Hash, class Equal>
void hmap<K, V, Misuse, Hash, Equal>::hiter::mapiterinit(const hmap& h) {
  if (h.count_ == 0) {  // Go looks only in mapiternext, so not here
    if (h.is_written()) Misuse::found(misuse::iteration_and_write, &h, h.flags_);
    return;
  }
  h_ = &h;
  B_ = h.B_;
  hash0_ = h.hash0_;
  walk(buckets_, h.buckets_);
  const std::uint64_t r = fastrand64();
  startBucket_ = r & bucketMask(B_);
  offset_ = (r >> B_) & (bucketCnt - 1);
  bucket_ = startBucket_;
  // The one read-modify-write on the flags: several threads may begin to iterate at once, as in Go.
  constexpr std::uint8_t both = map_flag::iterator | map_flag::oldIterator;
  if ((h.flags() & both) != both) h.flags_.fetch_or(both, std::memory_order_relaxed);
  mapiternext();
}

template <class K, class V, class Misuse, class Hash, class Equal>
void hmap<K, V, Misuse, Hash, Equal>::hiter::mapiternext() {
  const hmap& h = *h_;
  if (h.is_written()) Misuse::found(misuse::iteration_and_write, &h, h.flags_);
  std::size_t bucket = bucket_;
  bmap* b = bptr_;
  std::size_t i = i_;
  std::size_t checkBucket = checkBucket_;

  for (;; b = b->overflow, i = 0) {
    if (b == nullptr) {
      if (bucket == startBucket_ && wrapped_) {
        key_ = nullptr;
        elem_ = nullptr;
        return;
      }
      b = buckets_ + bucket;
      checkBucket = noCheck;
      if (h.growing() && B_ == h.B_) {
        // The iteration began during a growth that still goes on. While the old bucket is not evacuated its
        // entries are still there: take those that will come to this bucket.
        bmap* oldb = h.oldbuckets_ + (bucket & h.oldbucketmask());
        if (!evacuated(oldb)) {
          walk(oldbuckets_, h.oldbuckets_);
          b = oldb;
          checkBucket = bucket;
        }
      }
      ++bucket;
      if (bucket == bucketShift(B_)) {
        bucket = 0;
        wrapped_ = true;
      }
      i = 0;
    }
    for (; i < bucketCnt; ++i) {
      const std::size_t offi = (i + offset_) & (bucketCnt - 1);
      const std::uint8_t top = b->tophash[offi];
      if (cell::isEmpty(top) || top == cell::evacuatedEmpty) continue;
      const K& k = b->keys[offi];
      if (checkBucket != noCheck && !h.sameSizeGrow()) {
        if (reflexive(k)) {
          if ((h.hash_of(k) & bucketMask(B_)) != checkBucket) continue;
        } else if (checkBucket >> (B_ - 1) != std::size_t{top & 1U}) {
          continue;  // as evacuate will decide for a NaN
        }
      }
      if (top != cell::evacuatedX && top != cell::evacuatedY) {
        key_ = &k;
        elem_ = &b->elems[offi];
      } else if (!reflexive(k)) {
        // A NaN can't be looked up, but neither changed nor deleted, so what it left behind is still true;
        // unless the map was cleared. (Go visits it even then if the array is no longer the map's.)
        if (h.hash0_ != hash0_) continue;
        key_ = &k;
        elem_ = &b->elems[offi];
      } else {
        // The map has grown since. The entry, if it still is, lives elsewhere.
        const auto [rk, re] = h.mapaccessK(k);
        if (rk == nullptr) continue;
        key_ = rk;
        elem_ = re;
      }
      bucket_ = bucket;
      bptr_ = b;
      i_ = static_cast<std::uint8_t>(i + 1);
      checkBucket_ = checkBucket;
      return;
    }
  }
}

template <class K, class V, class Misuse, class Hash, class Equal>
template <class F>
void hmap<K, V, Misuse, Hash, Equal>::for_each(F f) const {
  for (hiter it(*this); it; it.next()) {
    const K key = it.key();
    const V elem = it.elem();
    f(key, elem);
  }
}

}  // namespace racelab
