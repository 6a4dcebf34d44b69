// Growth of hmap: to twice the size when it is full, or at the same size when it has too many overflow
// buckets. Only an assignment starts one; then each assignment and deletion evacuates the old bucket that it
// needs and one more.
#pragma once

#include "repro/support/hmap/hmap.hpp"

namespace racelab {

// An array of 2^b buckets and, from b = 4 on, some overflow buckets behind them; the second value is the
// first of those, or null. `dirtyalloc` is an array that an earlier call with this b gave and whose cells are
// all empty.
template <class K, class V, class Misuse, class Hash, class Equal>
auto hmap<K, V, Misuse, Hash, Equal>::makeBucketArray(std::uint8_t b, bmap* dirtyalloc)
    -> std::pair<bmap*, bmap*> {
  const std::size_t base = bucketShift(b);
  // Go rounds up to the allocator's size class and uses the rest too.
  const std::size_t nbuckets = b >= 4 ? base + bucketShift(static_cast<std::uint8_t>(b - 4)) : base;
  bmap* buckets = dirtyalloc;
  if (buckets == nullptr) {
    buckets = array::make(nbuckets);
  } else {
    for (std::size_t i = 0; i < nbuckets; ++i) {
      std::fill_n(buckets[i].tophash, bucketCnt, cell::emptyRest);
      buckets[i].overflow = nullptr;
    }
  }
  if (base == nbuckets) return {buckets, nullptr};
  // To tell the last preallocated bucket, its overflow pointer is not null; any bucket will do.
  buckets[nbuckets - 1].overflow = buckets;
  return {buckets, buckets + base};
}

template <class K, class V, class Misuse, class Hash, class Equal>
void hmap<K, V, Misuse, Hash, Equal>::createOverflow() {
  if (extra_ == nullptr) extra_ = new mapextra;
  if (extra_->overflow == nullptr) extra_->overflow = new overflow_list<K, V>;
}

// Counts in sixteen bits: exactly below B 16, later with probability 1/2^(B-15).
template <class K, class V, class Misuse, class Hash, class Equal>
void hmap<K, V, Misuse, Hash, Equal>::incrnoverflow() noexcept {
  if (B_ < 16) {
    ++noverflow_;
    return;
  }
  const std::uint32_t mask = (std::uint32_t{1} << (B_ - 15)) - 1;
  if ((fastrand() & mask) == 0) ++noverflow_;
}

// Hangs an overflow bucket behind b, one of the preallocated ones if there are any left.
template <class K, class V, class Misuse, class Hash, class Equal>
auto hmap<K, V, Misuse, Hash, Equal>::newoverflow(bmap* b) -> bmap* {
  bmap* ovf = nullptr;
  if (extra_ != nullptr && extra_->nextOverflow != nullptr) {
    ovf = extra_->nextOverflow;
    if (ovf->overflow == nullptr) {
      extra_->nextOverflow = ovf + 1;
    } else {
      ovf->overflow = nullptr;
      extra_->nextOverflow = nullptr;
    }
  } else {
    createOverflow();
    ovf = new bmap;
    extra_->overflow->push_back(ovf);
  }
  incrnoverflow();
  b->overflow = ovf;
  return ovf;
}

// Starts a growth: a new array, and the old one becomes oldbuckets. growWork does the copying.
template <class K, class V, class Misuse, class Hash, class Equal>
void hmap<K, V, Misuse, Hash, Equal>::hashGrow() {
  std::uint8_t bigger = 1;
  if (!overLoadFactor(static_cast<std::uint64_t>(count_ + 1), B_)) {
    bigger = 0;
    set_flags(flags() | map_flag::sameSizeGrow);
  }
  bmap* const oldbuckets = buckets_;
  const auto [newbuckets, nextOverflow] = makeBucketArray(static_cast<std::uint8_t>(B_ + bigger), nullptr);

  int new_flags = flags() & ~(map_flag::iterator | map_flag::oldIterator);
  if ((flags() & map_flag::iterator) != 0) new_flags |= map_flag::oldIterator;
  B_ = static_cast<std::uint8_t>(B_ + bigger);
  set_flags(new_flags);
  oldbuckets_ = oldbuckets;
  buckets_ = newbuckets;
  nevacuate_ = 0;
  noverflow_ = 0;
  if (extra_ != nullptr && extra_->overflow != nullptr) {
    if (extra_->oldoverflow != nullptr) go_throw("oldoverflow is not nil");
    extra_->oldoverflow = extra_->overflow;
    extra_->overflow = nullptr;
  }
  if (nextOverflow != nullptr) {
    if (extra_ == nullptr) extra_ = new mapextra;
    extra_->nextOverflow = nextOverflow;
  }
}

template <class K, class V, class Misuse, class Hash, class Equal>
void hmap<K, V, Misuse, Hash, Equal>::growWork(std::size_t bucket) {
  // The old bucket of the one that is about to be used; and one more, so that the growth comes to an end.
  evacuate(bucket & oldbucketmask());
  if (growing()) evacuate(nevacuate_);
}

// Moves the entries of one old bucket to X (the same index) or Y (index + newbit) and leaves a mark in each
// cell.
template <class K, class V, class Misuse, class Hash, class Equal>
void hmap<K, V, Misuse, Hash, Equal>::evacuate(std::size_t oldbucket) {
  bmap* b = oldbuckets_ + oldbucket;
  const std::size_t newbit = noldbuckets();
  if (!evacuated(b)) {
    struct evacDst {
      bmap* b = nullptr;
      std::size_t i = 0;
    };
    evacDst xy[2];
    xy[0].b = buckets_ + oldbucket;
    if (!sameSizeGrow()) xy[1].b = buckets_ + (oldbucket + newbit);

    // An iterator on the old array still needs its keys. Go asks flags & oldIterator, which a second growth
    // clears under an iterator's feet, and which stays set after the last one ended; the array itself knows
    // better.
    const bool iterated = array::is_iterated(oldbuckets_);

    for (; b != nullptr; b = b->overflow) {
      for (std::size_t i = 0; i < bucketCnt; ++i) {
        std::uint8_t top = b->tophash[i];
        if (cell::isEmpty(top)) {
          b->tophash[i] = cell::evacuatedEmpty;
          continue;
        }
        if (top < cell::minTopHash) go_throw("bad map state");
        K& key = b->keys[i];
        std::uint8_t useY = 0;
        if (!sameSizeGrow()) {
          const std::uint64_t hash = hash_of(key);
          if ((flags() & map_flag::iterator) != 0 && !reflexive(key)) {
            // A NaN hashes anew each time, but an iterator must find it in the half where it was announced.
            // Any bit that stays will do, such as tophash's lowest. The new tophash spreads NaNs over later
            // growths.
            useY = top & 1;
            top = tophash(hash);
          } else if ((hash & newbit) != 0) {
            useY = 1;
          }
        }
        static_assert((cell::evacuatedX ^ 1) == cell::evacuatedY);
        b->tophash[i] = static_cast<std::uint8_t>(cell::evacuatedX + useY);
        evacDst& dst = xy[useY];
        if (dst.i == bucketCnt) {
          dst.b = newoverflow(dst.b);
          dst.i = 0;
        }
        dst.b->tophash[dst.i] = top;
        if (iterated) {
          std::construct_at(&dst.b->keys[dst.i], std::as_const(key));
          std::construct_at(&dst.b->elems[dst.i], std::as_const(b->elems[i]));
        } else {
          std::construct_at(&dst.b->keys[dst.i], std::move(key));
          std::construct_at(&dst.b->elems[dst.i], std::move(b->elems[i]));
        }
        ++dst.i;
      }
    }
    if (has_pointers && !iterated) oldbuckets_[oldbucket].overflow = nullptr;
  }
  if (oldbucket == nevacuate_) advanceEvacuationMark(newbit);
}

template <class K, class V, class Misuse, class Hash, class Equal>
void hmap<K, V, Misuse, Hash, Equal>::advanceEvacuationMark(std::size_t newbit) noexcept {
  ++nevacuate_;
  // At most so many at once that one call stays short.
  const std::size_t stop = std::min<std::size_t>(nevacuate_ + 1024, newbit);
  while (nevacuate_ != stop && evacuated(oldbuckets_ + nevacuate_)) ++nevacuate_;
  if (nevacuate_ != newbit) return;
  // Done. Go forgets the old array here; this map frees it.
  bmap* const oldbuckets = std::exchange(oldbuckets_, nullptr);
  array::abandon(oldbuckets, extra_ != nullptr ? std::exchange(extra_->oldoverflow, nullptr) : nullptr);
  set_flags(flags() & ~map_flag::sameSizeGrow);
}

}  // namespace racelab
