// bmap: one bucket of Go's classic map, eight cells and a link to an overflow bucket; and what its tophash
// bytes mean.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace racelab {

inline constexpr std::size_t bucketCnt = 8;

/// The states of a cell: its tophash byte. From minTopHash on the cell is filled and the byte is the top byte
/// of the key's hash, so that most keys that differ are told apart without a look at them.
namespace cell {
inline constexpr std::uint8_t emptyRest = 0;       // empty, and so is everything after it in this chain
inline constexpr std::uint8_t emptyOne = 1;        // empty
inline constexpr std::uint8_t evacuatedX = 2;      // the entry moved to the first half of the larger table
inline constexpr std::uint8_t evacuatedY = 3;      // … to the second half
inline constexpr std::uint8_t evacuatedEmpty = 4;  // empty, and its bucket has been evacuated
inline constexpr std::uint8_t minTopHash = 5;

constexpr bool isEmpty(std::uint8_t state) noexcept { return state <= emptyOne; }

/// True if the cell's key and elem are living objects. An evacuated entry leaves its own behind, copied from
/// or moved from: they live until the old bucket array goes.
constexpr bool has_objects(std::uint8_t state) noexcept {
  return state >= minTopHash || state == evacuatedX || state == evacuatedY;
}
}  // namespace cell

constexpr std::uint8_t tophash(std::uint64_t hash) noexcept {
  const auto top = static_cast<std::uint8_t>(hash >> 56);
  return top < cell::minTopHash ? static_cast<std::uint8_t>(top + cell::minTopHash) : top;
}

/// Go's layout: eight tophash bytes, eight keys, eight elems, the overflow pointer. Keys and elems are raw
/// memory that the map constructs in and destroys; has_objects() says which cells hold some.
template <class K, class V> struct bmap {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): the cells are raw on purpose
  bmap() noexcept {}
  ~bmap() {}
  bmap(const bmap&) = delete;
  bmap& operator=(const bmap&) = delete;

  void destroy_cell(std::size_t i) noexcept {
    std::destroy_at(&keys[i]);
    std::destroy_at(&elems[i]);
  }
  void destroy_cells() noexcept {
    for (std::size_t i = 0; i < bucketCnt; ++i) {
      if (cell::has_objects(tophash[i])) destroy_cell(i);
    }
  }

  std::uint8_t tophash[bucketCnt]{};
  union {
    K keys[bucketCnt];
  };
  union {
    V elems[bucketCnt];
  };
  bmap* overflow = nullptr;
};

template <class K, class V> constexpr bool evacuated(const bmap<K, V>* b) noexcept {
  const std::uint8_t first = b->tophash[0];
  return first > cell::emptyOne && first < cell::minTopHash;
}

/// Go's runtime.throw: for a map whose memory makes no sense any more. Ends the process by SIGABRT.
[[noreturn]] [[gnu::cold]] [[gnu::noinline]] inline void go_throw(const char* message) noexcept {
  char prefix[] = "fatal error: ";
  char end[] = "\n";
  const iovec line[] = {
      {prefix, sizeof prefix - 1}, {const_cast<char*>(message), std::strlen(message)}, {end, sizeof end - 1}};
  [[maybe_unused]] const ssize_t written = ::writev(2, line, 3);
  std::abort();
}

}  // namespace racelab
