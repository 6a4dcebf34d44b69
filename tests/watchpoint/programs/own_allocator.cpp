// A program with a free and an operator delete of its own, for some of the forms. The others must come to these.
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <thread>

#ifndef __clang__
#pragma GCC diagnostic ignored "-Wsized-deallocation"  // that it is not replaced is the point
#endif

extern "C" void __libc_free(void*);

namespace {
std::atomic<int> freed{0};
std::atomic<int> deleted{0};
}  // namespace

extern "C" void free(void* block) noexcept {
  ++freed;
  __libc_free(block);
}

// A header before each object: what malloc gave is not what new gives.
void* operator new(std::size_t size) {
  auto* const block = static_cast<std::uint64_t*>(std::malloc(size + 16));
  if (block == nullptr) throw std::bad_alloc();
  block[0] = 0x1234;
  return block + 2;
}

void operator delete(void* object) noexcept {
  if (object == nullptr) return;
  ++deleted;
  auto* const block = static_cast<std::uint64_t*>(object) - 2;
  if (block[0] != 0x1234) std::abort();
  std::free(block);
}

int main() {
  std::thread([] {
    auto* volatile object = new std::uint64_t(1);  // volatile: or the compiler leaves both out
    delete object;  // NOLINT(clang-analyzer-unix.MismatchedDeallocator): this program's own
    auto* volatile array = new std::uint64_t[3];
    delete[] array;
    operator delete(operator new(8), std::nothrow);
  }).join();
  return deleted >= 3 && freed >= 3 ? 0 : 1;
}
