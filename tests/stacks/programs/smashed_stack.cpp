// A function has overwritten its caller's frame, then reads through a null pointer.
#include <cstdint>

[[gnu::noinline]] int smash(volatile std::uintptr_t* from, int words, const volatile int* nothing) {
  for (int i = 0; i < words; ++i) from[i] = 0x4141414141414141U;
  return *nothing;
}

[[gnu::noinline]] int call(const volatile int* nothing) {
  volatile std::uintptr_t here[4] = {};
  return smash(here, 64, nothing) + static_cast<int>(here[0]);
}

int main() {
  volatile char room[4096] = {};  // what lies behind main's frame stays as it is
  return call(nullptr) + room[0];
}
