// hmap: the map of Go up to 1.23 (runtime/map.go, later map_noswiss.go) in C++, under Go's names. On one
// thread it is correct; on several it breaks as Go's does, because nothing in it is synchronised. It is the
// lab's patient.
//
// A map is an array of 2^B buckets of eight cells. The low B bits of a key's hash choose the bucket, the top
// eight are kept in the cell's tophash byte. A full bucket gets a chain of overflow buckets. When there are
// more than 6.5 entries for each bucket the array doubles; when there are too many overflow buckets it is
// rebuilt at the same size. Both happen step by step: `oldbuckets` is the old array, and every assignment or
// deletion evacuates one or two of its buckets. docs/hmap.md has the pictures.
//
// What differs from Go, and why:
// 1. Old arrays are freed as soon as their last bucket is evacuated (bucket_array.hpp): a reader that kept
//    `buckets` dangles. Go's garbage collector would hide that.
// 2. `flags` is a relaxed atomic, because two threads that toggle a plain byte are undefined in C++. Relaxed
//    loads and stores order nothing: ThreadSanitizer still reports the map's own races. All else is plain.
// 3. The new value is stored under the write flag. In Go the caller does it after mapassign returned, unseen.
// 4. With a detector (Misuse::enabled), empty maps are checked too (Go returns before its check if count is
//    0), and so are size(), destruction and moves.
//
// K and V should not throw when moved, nor, while an iterator is open, when copied: the entry that growth was
// about to evacuate is not put back.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "repro/support/hmap/bmap.hpp"
#include "repro/support/hmap/bucket_array.hpp"
#include "repro/support/hmap/go_hash.hpp"
#include "sanitizers/write_flag/policy.hpp"

namespace racelab {

/// The bits of hmap's flags byte.
namespace map_flag {
inline constexpr std::uint8_t iterator = 1;      // there may be an iterator on buckets
inline constexpr std::uint8_t oldIterator = 2;   // there may be an iterator on oldbuckets
inline constexpr std::uint8_t hashWriting = 4;   // a thread is changing the map
inline constexpr std::uint8_t sameSizeGrow = 8;  // the growth under way keeps the size
}  // namespace map_flag

/// K and V are copyable and movable. Misuse is a policy of sanitizers/write_flag/policy.hpp. Hash gives
/// hash(key, seed) in 64 bits; it and Equal are created where they are used, without state.
template <class K, class V, class Misuse = write_flag::off, class Hash = go_hash<K>,
          class Equal = std::equal_to<K>>
class hmap {
 public:
  using key_type = K;
  using mapped_type = V;
  class hiter;

  /// Room for `hint` entries without growth. Up to eight take no memory until the first assignment.
  explicit hmap(std::size_t hint = 0) : hmap(hint, fastrand()) {}
  /// `seed` is the first hash0. Together with fastrand_seed() it makes a run on one thread repeatable.
  hmap(std::size_t hint, std::uint32_t seed);
  hmap(const hmap& source);
  hmap(hmap&& source) noexcept;
  hmap& operator=(const hmap&) = delete;
  hmap& operator=(hmap&&) = delete;
  ~hmap();

  [[nodiscard]] [[gnu::noinline]] std::optional<V> find(const K& key) const;
  /// False, and no change, if the key is there.
  [[gnu::noinline]] bool insert(K key, V value);
  [[gnu::noinline]] void insert_or_assign(K key, V value);
  /// The value that was erased.
  [[gnu::noinline]] std::optional<V> erase(const K& key);
  /// Erases the key if its value equals `expected`.
  [[gnu::noinline]] bool erase_if_equal(const K& key, const V& expected);
  [[gnu::noinline]] void clear();
  [[nodiscard]] [[gnu::noinline]] std::size_t size() const;

  /// Calls f(key, value) with copies, in random order; f may change this map. As in Go, an entry that f adds
  /// may or may not be visited, one that f erases before its turn is not, and none is visited twice.
  template <class F> [[gnu::noinline]] void for_each(F f) const;

  /// Counters, buckets and tophash bytes as text, for people. The format is shown in docs/hmap.md.
  void dump(std::ostream& out) const;

 private:
  friend struct hmap_peek;  // a test's view of the tables

  using bmap = racelab::bmap<K, V>;
  using array = bucket_array<K, V>;
  using misuse = write_flag::misuse;

  /// What most maps don't need. Go keeps the overflow lists only for buckets without pointers; here they say
  /// what to free.
  struct mapextra {
    overflow_list<K, V>* overflow = nullptr;     // overflow buckets of buckets that were allocated singly
    overflow_list<K, V>* oldoverflow = nullptr;  // … of oldbuckets
    bmap* nextOverflow = nullptr;                // the next free one of those that came with the array
  };

  // hmap.hpp
  [[gnu::always_inline]] inline std::pair<K*, V*> mapaccess(const K& key) const;
  [[gnu::noinline]] std::pair<K*, V*> mapaccessK(const K& key) const;
  [[gnu::always_inline]] inline bool mapassign(K&& key, V&& value, bool overwrite);
  template <class Matches>
  [[gnu::always_inline]] inline std::optional<V> mapdelete(const K& key, Matches matches);
  [[gnu::always_inline]] inline void mapclear();
  [[gnu::noinline]] void mapclone(const hmap& source);
  std::pair<bmap*, std::size_t> moveToBmap(bmap* dst, std::size_t pos, const bmap* src);
  void free_tables() noexcept;
  static void markBucketsEmpty(bmap* bucket, std::size_t mask) noexcept;

  // growth.hpp
  static std::pair<bmap*, bmap*> makeBucketArray(std::uint8_t b, bmap* dirtyalloc);
  bmap* newoverflow(bmap* b);
  void createOverflow();
  void incrnoverflow() noexcept;
  [[gnu::noinline]] void hashGrow();
  [[gnu::noinline]] void growWork(std::size_t bucket);
  [[gnu::noinline]] void evacuate(std::size_t oldbucket);
  [[gnu::noinline]] void advanceEvacuationMark(std::size_t newbit) noexcept;

  // Small questions.
  static constexpr std::size_t bucketShift(std::uint8_t b) noexcept { return std::size_t{1} << (b & 63); }
  static constexpr std::size_t bucketMask(std::uint8_t b) noexcept { return bucketShift(b) - 1; }
  static constexpr bool overLoadFactor(std::uint64_t count, std::uint8_t b) noexcept {
    return count > bucketCnt && count > 13 * (bucketShift(b) / 2);
  }
  static constexpr bool tooManyOverflowBuckets(std::uint16_t noverflow, std::uint8_t b) noexcept {
    return noverflow >= std::uint32_t{1} << std::min<std::uint8_t>(b, 15);
  }
  [[nodiscard]] bool growing() const noexcept { return oldbuckets_ != nullptr; }
  [[nodiscard]] bool sameSizeGrow() const noexcept { return (flags() & map_flag::sameSizeGrow) != 0; }
  [[nodiscard]] std::size_t noldbuckets() const noexcept {
    return bucketShift(static_cast<std::uint8_t>(sameSizeGrow() ? B_ : B_ - 1));
  }
  [[nodiscard]] std::size_t oldbucketmask() const noexcept { return noldbuckets() - 1; }
  [[nodiscard]] std::uint64_t hash_of(const K& key) const { return Hash{}(key, hash0_); }
  [[nodiscard]] static bool equal(const K& a, const K& b) { return Equal{}(a, b); }

  // NaN is not equal to itself. Types that always are spare the question.
  static constexpr bool always_reflexive = std::is_integral_v<K> || std::is_enum_v<K> ||
                                           std::is_pointer_v<K> || std::is_same_v<K, std::string> ||
                                           std::is_same_v<K, std::string_view>;
  [[nodiscard]] static bool reflexive(const K& key) { return always_reflexive || equal(key, key); }
  // Equal keys that can be told apart: +0 and -0.
  static constexpr bool needkeyupdate = std::is_floating_point_v<K>;
  // Go clears evacuated buckets that hold pointers, to let go of what these keep alive.
  static constexpr bool has_pointers =
      !std::is_trivially_destructible_v<K> || !std::is_trivially_destructible_v<V>;

  // The write flag. Plain loads and stores as in Go: a lock prefix would hide misuse, and costs more.
  // Relaxed: the flag detects and must not order (an acquire here would hide the map's races from
  // ThreadSanitizer).
  [[nodiscard]] std::uint8_t flags() const noexcept { return flags_.load(std::memory_order_relaxed); }
  void set_flags(int value) const noexcept {
    flags_.store(static_cast<std::uint8_t>(value), std::memory_order_relaxed);
  }
  [[nodiscard]] bool is_written() const noexcept {
    return Misuse::enabled && (flags() & map_flag::hashWriting) != 0;
  }
  [[nodiscard]] bool was_alone() const noexcept {
    return !Misuse::enabled ||
           (flags() & (map_flag::hashWriting | write_flag::caught_bit)) == map_flag::hashWriting;
  }
  /// A change of the map, from construction to destruction, also when it throws.
  class write_scope {
   public:
    [[gnu::always_inline]] explicit write_scope(const hmap& map) noexcept : map_(map) {
      if constexpr (Misuse::enabled) {
        Misuse::entered(&map_);
        // XOR, not OR: of two threads that both got past the check, the second one clears the flag, and then
        // both find it gone when they leave.
        map_.set_flags(map_.flags() ^ map_flag::hashWriting);
      }
    }
    [[gnu::always_inline]] ~write_scope() {
      if constexpr (Misuse::enabled) {
        map_.set_flags(map_.flags() & ~(map_flag::hashWriting | write_flag::caught_bit));
        Misuse::left(&map_);
      }
    }
    write_scope(const write_scope&) = delete;
    write_scope& operator=(const write_scope&) = delete;

   private:
    const hmap& map_;
  };

  static constexpr void check_layout() noexcept;

  // Go's header, member by member. Plain memory, but for the flags.
  std::int64_t count_ = 0;
  mutable std::atomic<std::uint8_t> flags_{0};
  std::uint8_t B_ = 0;           // log2 of the number of buckets
  std::uint16_t noverflow_ = 0;  // overflow buckets: exact below B 16, then roughly
  std::uint32_t hash0_;          // the hash's seed
  bmap* buckets_ = nullptr;
  bmap* oldbuckets_ = nullptr;    // not null while growing
  std::uintptr_t nevacuate_ = 0;  // old buckets below this one are evacuated
  mapextra* extra_ = nullptr;
};

template <class K, class V, class Misuse, class Hash, class Equal>
constexpr void hmap<K, V, Misuse, Hash, Equal>::check_layout() noexcept {
  static_assert(sizeof(hmap) == 48);
  static_assert(offsetof(hmap, flags_) == 8 && offsetof(hmap, B_) == 9 && offsetof(hmap, noverflow_) == 10 &&
                offsetof(hmap, hash0_) == 12 && offsetof(hmap, buckets_) == 16 &&
                offsetof(hmap, oldbuckets_) == 24 && offsetof(hmap, nevacuate_) == 32 &&
                offsetof(hmap, extra_) == 40);
}

// makemap
template <class K, class V, class Misuse, class Hash, class Equal>
hmap<K, V, Misuse, Hash, Equal>::hmap(std::size_t hint, std::uint32_t seed) : hash0_(seed) {
  check_layout();
  while (overLoadFactor(hint, B_)) ++B_;
  if (B_ == 0) return;
  const auto [buckets, nextOverflow] = makeBucketArray(B_, nullptr);
  buckets_ = buckets;
  if (nextOverflow != nullptr) {
    extra_ = new mapextra;
    extra_->nextOverflow = nextOverflow;
  }
}

template <class K, class V, class Misuse, class Hash, class Equal>
hmap<K, V, Misuse, Hash, Equal>::hmap(const hmap& source)
    // A map can hold more than its size allows while it is rebuilt at the same size; the copy needs no larger
    // table.
    : hmap(overLoadFactor(static_cast<std::uint64_t>(source.count_), source.B_)
               ? 13 * (bucketShift(source.B_) / 2)
               : static_cast<std::size_t>(source.count_),
           source.hash0_) {
  mapclone(source);
}

template <class K, class V, class Misuse, class Hash, class Equal>
[[gnu::noinline]] hmap<K, V, Misuse, Hash, Equal>::hmap(hmap&& source) noexcept : hash0_(source.hash0_) {
  if (source.is_written()) Misuse::found(misuse::moved_in_use, &source, source.flags_);
  const write_scope writing(source);
  set_flags(source.flags() & (map_flag::iterator | map_flag::oldIterator | map_flag::sameSizeGrow));
  count_ = std::exchange(source.count_, 0);
  B_ = std::exchange(source.B_, std::uint8_t{0});
  noverflow_ = std::exchange(source.noverflow_, std::uint16_t{0});
  source.hash0_ = fastrand();
  buckets_ = std::exchange(source.buckets_, nullptr);
  oldbuckets_ = std::exchange(source.oldbuckets_, nullptr);
  nevacuate_ = std::exchange(source.nevacuate_, std::uintptr_t{0});
  extra_ = std::exchange(source.extra_, nullptr);
  if (!source.was_alone()) Misuse::found(misuse::moved_in_use, &source, source.flags_);
  source.set_flags(source.flags() & ~(map_flag::iterator | map_flag::oldIterator | map_flag::sameSizeGrow));
}

template <class K, class V, class Misuse, class Hash, class Equal>
[[gnu::noinline]] hmap<K, V, Misuse, Hash, Equal>::~hmap() {
  if (is_written()) Misuse::found(misuse::destroyed_in_use, this, flags_);
  const write_scope writing(*this);
  free_tables();
  if (!was_alone()) Misuse::found(misuse::destroyed_in_use, this, flags_);
}

template <class K, class V, class Misuse, class Hash, class Equal>
void hmap<K, V, Misuse, Hash, Equal>::free_tables() noexcept {
  if (buckets_ != nullptr) array::abandon(buckets_, extra_ != nullptr ? extra_->overflow : nullptr);
  if (oldbuckets_ != nullptr) array::abandon(oldbuckets_, extra_ != nullptr ? extra_->oldoverflow : nullptr);
  delete extra_;
}

template <class K, class V, class Misuse, class Hash, class Equal>
std::optional<V> hmap<K, V, Misuse, Hash, Equal>::find(const K& key) const {
  const V* elem = mapaccess(key).second;
  return elem != nullptr ? std::optional<V>(*elem) : std::nullopt;
}

template <class K, class V, class Misuse, class Hash, class Equal>
bool hmap<K, V, Misuse, Hash, Equal>::insert(K key, V value) {
  return mapassign(std::move(key), std::move(value), false);
}

template <class K, class V, class Misuse, class Hash, class Equal>
void hmap<K, V, Misuse, Hash, Equal>::insert_or_assign(K key, V value) {
  mapassign(std::move(key), std::move(value), true);
}

template <class K, class V, class Misuse, class Hash, class Equal>
std::optional<V> hmap<K, V, Misuse, Hash, Equal>::erase(const K& key) {
  return mapdelete(key, [](const V&) { return true; });
}

template <class K, class V, class Misuse, class Hash, class Equal>
bool hmap<K, V, Misuse, Hash, Equal>::erase_if_equal(const K& key, const V& expected) {
  return mapdelete(key, [&](const V& elem) { return elem == expected; }).has_value();
}

template <class K, class V, class Misuse, class Hash, class Equal>
void hmap<K, V, Misuse, Hash, Equal>::clear() {
  mapclear();
}

template <class K, class V, class Misuse, class Hash, class Equal>
std::size_t hmap<K, V, Misuse, Hash, Equal>::size() const {
  if (is_written()) Misuse::found(misuse::len_and_write, this, flags_);  // Go's len() does not look
  return static_cast<std::size_t>(count_);
}

// The places of a key and its elem, or nulls. Two tests of the tophash do most of the work.
template <class K, class V, class Misuse, class Hash, class Equal>
std::pair<K*, V*> hmap<K, V, Misuse, Hash, Equal>::mapaccess(const K& key) const {
  if (is_written()) Misuse::found(misuse::read_and_write, this, flags_);  // Go returns first if count is 0
  if (count_ == 0) return {};
  const std::uint64_t hash = hash_of(key);
  std::size_t m = bucketMask(B_);
  bmap* b = buckets_ + (hash & m);
  if (bmap* c = oldbuckets_; c != nullptr) {
    if (!sameSizeGrow()) m >>= 1;  // there used to be half as many buckets
    bmap* oldb = c + (hash & m);
    if (!evacuated(oldb)) b = oldb;
  }
  const std::uint8_t top = tophash(hash);
  for (; b != nullptr; b = b->overflow) {
    for (std::size_t i = 0; i < bucketCnt; ++i) {
      if (b->tophash[i] != top) {
        if (b->tophash[i] == cell::emptyRest) return {};
        continue;
      }
      if (equal(key, b->keys[i])) return {&b->keys[i], &b->elems[i]};
    }
  }
  return {};
}

// For iterators, which check once a step themselves.
template <class K, class V, class Misuse, class Hash, class Equal>
std::pair<K*, V*> hmap<K, V, Misuse, Hash, Equal>::mapaccessK(const K& key) const {
  return mapaccess(key);
}

// True if the key is new. A key that is there gets the value only if `overwrite`.
template <class K, class V, class Misuse, class Hash, class Equal>
bool hmap<K, V, Misuse, Hash, Equal>::mapassign(K&& key, V&& value, bool overwrite) {
  if (is_written()) Misuse::found(misuse::writes, this, flags_);
  const std::uint64_t hash = hash_of(key);
  const write_scope writing(*this);  // after the hash, as in Go, where hashing a key may panic

  if (buckets_ == nullptr) buckets_ = makeBucketArray(0, nullptr).first;
  const std::uint8_t top = tophash(hash);
  bool added = false;
again:
  const std::size_t bucket = hash & bucketMask(B_);
  if (growing()) growWork(bucket);
  bmap* b = buckets_ + bucket;
  bmap* insert_bucket = nullptr;
  std::size_t inserti = 0;
  for (;;) {
    for (std::size_t i = 0; i < bucketCnt; ++i) {
      if (b->tophash[i] != top) {
        if (cell::isEmpty(b->tophash[i]) && insert_bucket == nullptr) {
          insert_bucket = b;
          inserti = i;
        }
        if (b->tophash[i] == cell::emptyRest) goto not_found;
        continue;
      }
      if (!equal(key, b->keys[i])) continue;
      if (overwrite) {
        if constexpr (needkeyupdate) b->keys[i] = key;
        b->elems[i] = std::move(value);
      }
      goto done;
    }
    if (b->overflow == nullptr) break;
    b = b->overflow;
  }
not_found:
  // A new entry may be one too many. Growth changes everything, so try again afterwards.
  if (!growing() && (overLoadFactor(static_cast<std::uint64_t>(count_ + 1), B_) ||
                     tooManyOverflowBuckets(noverflow_, B_))) {
    hashGrow();
    goto again;
  }
  if (insert_bucket == nullptr) insert_bucket = newoverflow(b);
  std::construct_at(&insert_bucket->keys[inserti], std::move(key));
  std::construct_at(&insert_bucket->elems[inserti], std::move(value));
  insert_bucket->tophash[inserti] = top;
  ++count_;
  added = true;
done:
  if (!was_alone()) Misuse::found(misuse::writes, this, flags_);
  return added;
}

// Removes the key if matches(elem), and returns the elem.
template <class K, class V, class Misuse, class Hash, class Equal>
template <class Matches>
std::optional<V> hmap<K, V, Misuse, Hash, Equal>::mapdelete(const K& key, Matches matches) {
  if (is_written()) Misuse::found(misuse::writes, this, flags_);  // Go returns first if count is 0
  std::optional<V> erased;
  if (count_ == 0) return erased;
  const std::uint64_t hash = hash_of(key);
  const write_scope writing(*this);

  const std::size_t bucket = hash & bucketMask(B_);
  if (growing()) growWork(bucket);
  bmap* b = buckets_ + bucket;
  bmap* const bOrig = b;
  const std::uint8_t top = tophash(hash);
  for (; b != nullptr; b = b->overflow) {
    for (std::size_t i = 0; i < bucketCnt; ++i) {
      if (b->tophash[i] != top) {
        if (b->tophash[i] == cell::emptyRest) goto done;
        continue;
      }
      if (!equal(key, b->keys[i])) continue;
      if (!matches(std::as_const(b->elems[i]))) goto done;
      erased.emplace(std::move(b->elems[i]));
      b->destroy_cell(i);
      b->tophash[i] = cell::emptyOne;
      // If the chain now ends in emptyOne cells, turn them into emptyRest, back to the last filled one.
      const bool rest_is_empty = i == bucketCnt - 1
                                     ? b->overflow == nullptr || b->overflow->tophash[0] == cell::emptyRest
                                     : b->tophash[i + 1] == cell::emptyRest;
      if (rest_is_empty) {
        do {
          b->tophash[i] = cell::emptyRest;
          if (i == 0) {
            if (b == bOrig) break;
            const bmap* const c = b;
            for (b = bOrig; b->overflow != c; b = b->overflow) {
            }
            i = bucketCnt - 1;
          } else {
            --i;
          }
        } while (b->tophash[i] == cell::emptyOne);
      }
      --count_;
      // A new seed makes it harder to provoke collisions on purpose.
      if (count_ == 0) hash0_ = fastrand();
      goto done;
    }
  }
done:
  if (!was_alone()) Misuse::found(misuse::writes, this, flags_);
  return erased;
}

template <class K, class V, class Misuse, class Hash, class Equal>
void hmap<K, V, Misuse, Hash, Equal>::markBucketsEmpty(bmap* bucket, std::size_t mask) noexcept {
  for (std::size_t i = 0; i <= mask; ++i) {
    for (bmap* b = bucket + i; b != nullptr; b = b->overflow) {
      for (std::size_t j = 0; j < bucketCnt; ++j) {
        const std::uint8_t top = std::exchange(b->tophash[j], cell::emptyRest);
        if (cell::has_objects(top)) b->destroy_cell(j);
      }
    }
  }
}

template <class K, class V, class Misuse, class Hash, class Equal>
void hmap<K, V, Misuse, Hash, Equal>::mapclear() {
  if (is_written()) Misuse::found(misuse::writes, this, flags_);  // Go returns first if count is 0
  if (count_ == 0) return;
  const write_scope writing(*this);

  // Every cell becomes empty, the old ones too, so that iterators come to their end.
  markBucketsEmpty(buckets_, bucketMask(B_));
  if (oldbuckets_ != nullptr) markBucketsEmpty(oldbuckets_, oldbucketmask());
  set_flags(flags() & ~map_flag::sameSizeGrow);
  bmap* const oldbuckets = std::exchange(oldbuckets_, nullptr);
  nevacuate_ = 0;
  noverflow_ = 0;
  count_ = 0;
  hash0_ = fastrand();
  mapextra dropped;
  if (extra_ != nullptr) dropped = std::exchange(*extra_, mapextra{});
  if (oldbuckets != nullptr) array::abandon(oldbuckets, dropped.oldoverflow);
  // Go uses the array again in any case. An iterator may stand in one of its overflow buckets, which must
  // then stay as they are, so here the iterator gets to keep it all.
  if (array::is_iterated(buckets_)) {
    array::abandon(std::exchange(buckets_, nullptr), dropped.overflow);
  } else {
    array::free_overflow(dropped.overflow);
  }
  const auto [buckets, nextOverflow] = makeBucketArray(B_, buckets_);
  buckets_ = buckets;
  // As in Go: where there are preallocated buckets, there is an extra_.
  // NOLINTNEXTLINE(clang-analyzer-core.NullDereference)
  if (nextOverflow != nullptr) extra_->nextOverflow = nextOverflow;

  if (!was_alone()) Misuse::found(misuse::writes, this, flags_);
}

// Copies src's cells to dst from cell `pos` on, and returns where to go on.
template <class K, class V, class Misuse, class Hash, class Equal>
auto hmap<K, V, Misuse, Hash, Equal>::moveToBmap(bmap* dst, std::size_t pos, const bmap* src)
    -> std::pair<bmap*, std::size_t> {
  for (std::size_t i = 0; i < bucketCnt; ++i) {
    if (cell::isEmpty(src->tophash[i])) continue;
    while (pos < bucketCnt && !cell::isEmpty(dst->tophash[pos])) ++pos;
    if (pos == bucketCnt) {
      dst = newoverflow(dst);
      pos = 0;
    }
    std::construct_at(&dst->keys[pos], src->keys[i]);
    std::construct_at(&dst->elems[pos], src->elems[i]);
    dst->tophash[pos] = src->tophash[i];
    ++pos;
    ++count_;
  }
  return {dst, pos};
}

// mapclone2: fills this empty map, which has the source's seed, so that most entries are copied without
// hashing.
template <class K, class V, class Misuse, class Hash, class Equal>
void hmap<K, V, Misuse, Hash, Equal>::mapclone(const hmap& source) {
  // Go returns first if count is 0
  if (source.is_written()) Misuse::found(misuse::clone_and_write, &source, source.flags_);
  if (source.count_ == 0) return;
  if (buckets_ == nullptr) buckets_ = makeBucketArray(0, nullptr).first;

  // The table may be smaller than the source's, which does not shrink: then several buckets share one here.
  const std::size_t dstArraySize = bucketShift(B_);
  const std::size_t srcArraySize = bucketShift(source.B_);
  for (std::size_t i = 0; i < dstArraySize; ++i) {
    bmap* dst = buckets_ + i;
    std::size_t pos = 0;
    for (std::size_t j = i; j < srcArraySize; j += dstArraySize) {
      for (const bmap* src = source.buckets_ + j; src != nullptr; src = src->overflow) {
        std::tie(dst, pos) = moveToBmap(dst, pos, src);
      }
    }
  }
  if (source.oldbuckets_ == nullptr) return;

  const auto oldB = static_cast<std::uint8_t>(source.sameSizeGrow() ? source.B_ : source.B_ - 1);
  for (std::size_t i = 0; i < bucketShift(oldB); ++i) {
    const bmap* src = source.oldbuckets_ + i;
    if (evacuated(src)) continue;
    if (oldB >= B_) {
      bmap* dst = buckets_ + (i & bucketMask(B_));
      while (dst->overflow != nullptr) dst = dst->overflow;
      std::size_t pos = 0;
      for (; src != nullptr; src = src->overflow) std::tie(dst, pos) = moveToBmap(dst, pos, src);
      continue;
    }
    // The entries of one old bucket belong to two here.
    for (; src != nullptr; src = src->overflow) {
      for (std::size_t k = 0; k < bucketCnt; ++k) {
        if (cell::isEmpty(src->tophash[k])) continue;
        if (source.is_written()) Misuse::found(misuse::clone_and_write, &source, source.flags_);
        mapassign(K(src->keys[k]), V(src->elems[k]), true);
      }
    }
  }
}

}  // namespace racelab

#include "repro/support/hmap/dump.hpp"       // IWYU pragma: export
#include "repro/support/hmap/growth.hpp"     // IWYU pragma: export
#include "repro/support/hmap/iteration.hpp"  // IWYU pragma: export
