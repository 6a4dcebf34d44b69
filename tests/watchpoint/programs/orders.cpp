// Atomic operations and a fence of different memory orders, by a second thread. By builtins: a site is then of the function here.
#include <thread>

namespace {
int word = 0;

[[gnu::noinline]] void store_relaxed() { __atomic_store_n(&word, 1, __ATOMIC_RELAXED); }
[[gnu::noinline]] int load_acquire() { return __atomic_load_n(&word, __ATOMIC_ACQUIRE); }
[[gnu::noinline]] void fence_release() { __atomic_thread_fence(__ATOMIC_RELEASE); }
[[gnu::noinline]] int exchange_acq_rel() { return __atomic_exchange_n(&word, 2, __ATOMIC_ACQ_REL); }

void all() {
  fence_release();
  store_relaxed();
  if (load_acquire() + exchange_acq_rel() == 7) store_relaxed();
}
}  // namespace

int main() { std::thread(all).join(); }
