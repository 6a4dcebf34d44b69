// Not instrumented itself: opens an instrumented library only when it runs.
#include <dlfcn.h>

#include <thread>

int main() {
  void* const library = dlopen("liblibrary.so", RTLD_NOW);
  if (library == nullptr) return 1;
  const auto count = reinterpret_cast<void (*)()>(dlsym(library, "count_in_library"));
  std::thread one(count);
  std::thread two(count);
  one.join();
  two.join();
}
