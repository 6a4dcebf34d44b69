// malloc finds its list of free blocks broken, while it holds its lock.
#include <cstdlib>
#include <thread>

[[gnu::noinline]] void spoil_the_heap(std::size_t size) {
  void* volatile block = std::malloc(size);
  void* volatile behind = std::malloc(size);  // so that the block does not melt into the rest of the heap
  std::free(block);
  auto* const links = static_cast<char* volatile*>(block);  // to the other free blocks
  links[0] = reinterpret_cast<char*>(size);
  links[1] = reinterpret_cast<char*>(size);
  block = std::malloc(size / 2);
  std::free(behind);
}

int main() {
  std::thread([] {}).join();  // from now on malloc locks
  spoil_the_heap(4096);
}
