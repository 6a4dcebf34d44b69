// Accesses of every kind, one function each, compiled with -fsanitize=thread. The tests themselves are not.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace instrumented {

std::uint8_t read1(const void* at);
std::uint32_t read4(const void* at);
std::uint64_t read8(const void* at);
void write1(void* at, std::uint8_t value);
void write4(void* at, std::uint32_t value);
void write8(void* at, std::uint64_t value);
void write16(void* at, std::uint64_t each_half);
std::uint64_t read8_unaligned(const void* at);
void write8_unaligned(void* at, std::uint64_t value);

void copy(void* to, const void* from, std::size_t size);
void move(void* to, const void* from, std::size_t size);
void fill(void* to, std::uint8_t value, std::size_t size);

void give_back(void* block);                // free
void destroy(const std::uint64_t* object);  // delete
void destroy_array(const std::uint64_t* array);
struct alignas(64) wide {
  std::uint64_t value;
};
void destroy_wide(wide* object);  // delete with an alignment
void unmap(void* start, std::size_t size);

struct shape {
  shape() = default;
  shape(const shape&) = delete;
  shape& operator=(const shape&) = delete;
  virtual ~shape() = default;
  virtual int corners() = 0;
};
shape* make_triangle(void* at);  // placement new: stores the vptr
shape* make_square(void* at);
int corners_of(shape* some);  // reads the vptr

std::uint64_t atomic_load(const std::atomic<std::uint64_t>& from);
void atomic_store(std::atomic<std::uint64_t>& to, std::uint64_t value);
void atomic_store_of_size(void* at, std::size_t size);  // 1, 2, 4, 8 or 16 bytes, all zero

// What a test ends a stall with, so that it can tell this access from those that must not be caught.
void finish(void* at);

}  // namespace instrumented
