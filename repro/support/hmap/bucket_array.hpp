// The memory of a table: a bucket array with its overflow buckets, and when it is freed. In Go the garbage
// collector does this; here it is a count of references in front of the buckets.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include "repro/support/hmap/bmap.hpp"

namespace racelab {

/// Overflow buckets that did not come with the array, each allocated by itself.
template <class K, class V> using overflow_list = std::vector<bmap<K, V>*>;

/// The header in front of `length` buckets. The map itself knows only the first bucket's address, as Go's
/// does.
///
/// The map holds one reference, and each iterator one to the arrays that it walks; the last to let go frees
/// the array and its overflow buckets. On one thread, an iterator therefore survives the growth of its map. A
/// plain reader holds no reference: under a race its array goes away beneath it, which is what this map is
/// for.
///
/// The count is atomic because several threads may iterate a map that nobody changes; it is relaxed because
/// it must not order threads that nothing else orders. So it does not make an iterator that lives across
/// another thread's growth safe by itself: to step it or end it then counts as a write to the map.
template <class K, class V> class bucket_array {
 public:
  using bucket = bmap<K, V>;

  static bucket* make(std::size_t length) {
    static_assert(alignof(bucket) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__ && sizeof(bucket_array) <= header_size);
    void* memory = ::operator new(header_size + length * sizeof(bucket));
    std::construct_at(static_cast<bucket_array*>(memory), length);
    auto* first = reinterpret_cast<bucket*>(static_cast<std::byte*>(memory) + header_size);
    std::uninitialized_default_construct_n(first, length);
    return first;
  }

  static void add_reference(bucket* first) noexcept {
    of(first)->references_.fetch_add(1, std::memory_order_relaxed);
  }

  /// True if an iterator holds the array too.
  static bool is_iterated(bucket* first) noexcept {
    return of(first)->references_.load(std::memory_order_relaxed) > 1;
  }

  /// The map lets go of the array and of its overflow buckets (null: none).
  static void abandon(bucket* first, overflow_list<K, V>* overflow) noexcept {
    of(first)->overflow_ = overflow;
    drop_reference(first);
  }

  static void drop_reference(bucket* first) noexcept {
    bucket_array* array = of(first);
    if (array->references_.fetch_sub(1, std::memory_order_relaxed) != 1) return;
    free_overflow(array->overflow_);
    for (std::size_t i = 0; i < array->length_; ++i) first[i].destroy_cells();
    std::destroy_n(first, array->length_);
    std::destroy_at(array);
    ::operator delete(static_cast<void*>(array));
  }

  /// Frees single overflow buckets, with what their cells still hold. No chain is followed: a race may have
  /// bent it.
  static void free_overflow(overflow_list<K, V>* overflow) noexcept {
    if (overflow == nullptr) return;
    for (bucket* b : *overflow) {
      b->destroy_cells();
      delete b;
    }
    delete overflow;
  }

  explicit bucket_array(std::size_t length) noexcept : length_(length) {}

 private:
  static bucket_array* of(bucket* first) noexcept {
    return reinterpret_cast<bucket_array*>(reinterpret_cast<std::byte*>(first) - header_size);
  }

  static constexpr std::size_t header_size = 32;  // keeps the buckets as aligned as operator new's memory

  std::size_t length_;  // with the preallocated overflow buckets at the end
  overflow_list<K, V>* overflow_ = nullptr;
  std::atomic<std::uint32_t> references_{1};
};

}  // namespace racelab
