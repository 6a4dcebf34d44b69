// glibc finds a double free and aborts; its own message comes first.
#include <cstdlib>

[[gnu::noinline]] void release(void* memory) {
  std::free(memory);
  asm volatile("" ::: "memory");  // no tail call: the frame is to be seen
}

int main() {
  void* volatile memory = std::malloc(24);
  release(memory);
  release(memory);
}
