// One thread unmaps a page by a raw system call, and another maps a new one that comes to lie in the same place.
// maps: none
// truth: no race: they are two pages, and the second is made after the first has gone
// cause: raw-syscall
// expect: tsan=report gcc_tsan=report watchpoint=none judge=likely-false
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

namespace {
constexpr std::size_t size = 4096;
long* page = nullptr;
long found = 0;

long* map_at(void* place) {
  const long flags = MAP_PRIVATE | MAP_ANONYMOUS | (place != nullptr ? MAP_FIXED_NOREPLACE : 0);
  const long at = syscall(SYS_mmap, place, size, PROT_READ | PROT_WRITE, flags, -1, 0L);
  return at < 0 && at > -4096 ? nullptr : reinterpret_cast<long*>(at);
}

void use_and_unmap() {
  for (int i = 0; i < 20; ++i) page[i] = 7;
  syscall(SYS_munmap, page, size);
}

// Fails while the first page is there: that is what this thread waits for.
void map_and_use() {
  long* own = nullptr;
  while (own == nullptr) own = map_at(page);
  for (int i = 0; i < 20; ++i) found |= own[i];
}
}  // namespace

int main() {
  page = map_at(nullptr);
  std::thread first(use_and_unmap);
  std::thread second(map_and_use);
  first.join();
  second.join();
  if (found == 0) return 0;
  std::printf("corrupt: %ld in a new page\n", found);
  return 1;
}
