// The writer's side of evidence.hpp: a file of entries, mapped and shared.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "sanitizers/watchpoint/evidence.hpp"
#include "sanitizers/watchpoint/files.hpp"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // Linux 5.14
#endif

namespace racelab::watch {

template <class Entry> class evidence_file {
 public:
  /// Begins the file at `path` anew, with room for `capacity` entries. False, with errno, if that can't be done. While
  /// another process writes it (one that has started this program), it stays that one's, and this one writes nothing.
  bool open(const char* path, std::uint64_t capacity) noexcept {
    const int file = open_away(path, O_RDWR | O_CREAT);
    if (file < 0) return false;
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
      close(file);
      return errno == EWOULDBLOCK;
    }
    const std::size_t size = sizeof(evidence_header) + capacity * sizeof(Entry);
    if (ftruncate(file, 0) != 0 || ftruncate(file, static_cast<off_t>(size)) != 0) return false;
    void* const start = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (start == MAP_FAILED || !populate(start, sizeof(evidence_header))) return false;
    header_ = static_cast<evidence_header*>(start);
    entries_ = reinterpret_cast<Entry*>(header_ + 1);
    header_->entry_size = sizeof(Entry);
    header_->capacity = capacity;
    std::memcpy(header_->magic, evidence_magic, sizeof evidence_magic);
    return true;  // the descriptor stays open: it holds the lock
  }

  [[nodiscard]] bool is_open() const noexcept { return header_ != nullptr; }

  /// The next free entry, all zero. Null, and counted, if there is none. Relaxed: entries order nothing.
  Entry* append() noexcept {
    const std::uint64_t number = header_->used.load(std::memory_order_relaxed) < header_->capacity
                                     ? header_->used.fetch_add(1, std::memory_order_relaxed)
                                     : header_->capacity;
    return number < header_->capacity && has_room(number) ? entries_ + number : drop();
  }

  /// The entry of this number, for files whose entries have numbers already.
  Entry* at(std::uint64_t number) noexcept {
    if (number >= header_->capacity || !has_room(number)) return drop();
    std::uint64_t used = header_->used.load(std::memory_order_relaxed);
    while (used <= number &&
           !header_->used.compare_exchange_weak(used, number + 1, std::memory_order_relaxed)) {
    }
    return entries_ + number;
  }

  Entry* drop() noexcept {
    header_->dropped.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
  }

 private:
  static constexpr std::size_t page = 4096;
  static constexpr std::size_t step = 16 * page;  // so much is allocated at a time

  // True if the bytes have a place on the disk: to write to a hole of a file on a full one would be SIGBUS. An older
  // kernel can't tell.
  static bool populate(void* start, std::size_t size) noexcept {
    return madvise(start, size, MADV_POPULATE_WRITE) == 0 || errno == EINVAL;
  }

  // Entries come in order but for some that overtake: a page may be asked for twice.
  bool has_room(std::uint64_t number) noexcept {
    const std::size_t end = sizeof(evidence_header) + (number + 1) * sizeof(Entry);
    std::size_t populated = populated_.load(std::memory_order_relaxed);
    if (end <= populated) return true;
    const std::size_t begin = populated;
    const std::size_t whole =
        (sizeof(evidence_header) + header_->capacity * sizeof(Entry) + page - 1) / page * page;
    const std::size_t wanted = end + step < whole ? (end + step) / page * page : whole;
    if (!populate(reinterpret_cast<char*>(header_) + begin, wanted - begin)) return false;
    while (populated < wanted &&
           !populated_.compare_exchange_weak(populated, wanted, std::memory_order_relaxed)) {
    }
    return true;
  }

  evidence_header* header_ = nullptr;
  Entry* entries_ = nullptr;
  std::atomic<std::size_t> populated_{0};  // bytes from the start of the file; whole pages
};

}  // namespace racelab::watch
