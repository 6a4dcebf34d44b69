// Two owners of one block: glibc notices at the second free().
#include <cstdlib>

[[gnu::noinline]] void release(void* block) { std::free(block); }

int main() {
  void* const block = std::malloc(24);
  release(block);
  release(block);
}
