#include "tests/watchpoint/instrumented.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <new>

#ifdef __clang__
#if !__has_feature(thread_sanitizer)
#error "compile this with -fsanitize=thread"
#endif
#endif

#pragma GCC diagnostic ignored "-Wpedantic"  // 128-bit integers

namespace instrumented {
namespace {

struct [[gnu::packed]] anywhere {
  std::uint64_t value;
};

struct triangle final : shape {
  int corners() override { return 3; }
};

struct square final : shape {
  int corners() override { return 4; }
};

using four_words = std::uint32_t __attribute__((vector_size(16)));

template <class T> void store_zero(void* at) {
  __atomic_store_n(static_cast<T*>(at), T{0}, __ATOMIC_RELAXED);
}

}  // namespace

std::uint8_t read1(const void* at) { return *static_cast<const std::uint8_t*>(at); }
std::uint32_t read4(const void* at) { return *static_cast<const std::uint32_t*>(at); }
std::uint64_t read8(const void* at) { return *static_cast<const std::uint64_t*>(at); }
void write1(void* at, std::uint8_t value) { *static_cast<std::uint8_t*>(at) = value; }
void write4(void* at, std::uint32_t value) { *static_cast<std::uint32_t*>(at) = value; }
void write8(void* at, std::uint64_t value) { *static_cast<std::uint64_t*>(at) = value; }
void write16(void* at, std::uint64_t each_half) {
  const auto half = static_cast<std::uint32_t>(each_half);
  *static_cast<four_words*>(at) = four_words{half, 0, half, 0};
}
std::uint64_t read8_unaligned(const void* at) { return static_cast<const anywhere*>(at)->value; }
void write8_unaligned(void* at, std::uint64_t value) { static_cast<anywhere*>(at)->value = value; }

void copy(void* to, const void* from, std::size_t size) { std::memcpy(to, from, size); }
void move(void* to, const void* from, std::size_t size) { std::memmove(to, from, size); }
void fill(void* to, std::uint8_t value, std::size_t size) { std::memset(to, value, size); }

void give_back(void* block) { std::free(block); }
void destroy(const std::uint64_t* object) { delete object; }
void destroy_array(const std::uint64_t* array) { delete[] array; }
void destroy_wide(wide* object) { delete object; }
void unmap(void* start, std::size_t size) { munmap(start, size); }

shape* make_triangle(void* at) { return new (at) triangle; }
shape* make_square(void* at) { return new (at) square; }
int corners_of(shape* some) { return some->corners(); }

std::uint64_t atomic_load(const std::atomic<std::uint64_t>& from) {
  return from.load(std::memory_order_relaxed);
}
void atomic_store(std::atomic<std::uint64_t>& to, std::uint64_t value) {
  to.store(value, std::memory_order_relaxed);
}
void atomic_store_of_size(void* at, std::size_t size) {
  switch (size) {
    case 1:
      store_zero<std::uint8_t>(at);
      break;
    case 2:
      store_zero<std::uint16_t>(at);
      break;
    case 4:
      store_zero<std::uint32_t>(at);
      break;
    case 8:
      store_zero<std::uint64_t>(at);
      break;
    default:
      store_zero<unsigned __int128>(at);
      break;
  }
}

void finish(void* at) { *static_cast<std::uint8_t*>(at) = 0; }

}  // namespace instrumented
