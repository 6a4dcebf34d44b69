// A request is freed by who made it, while the thread that was given it still reads it.
// race: submit() W vs handle() R
// maps: none
// truth: race, corrupt: the handler reads freed memory
// expect: tsan=report gcc_tsan=report watchpoint=sometimes judge=confirmed
// shown: yes
#include <pthread.h>

#include <cstdio>
#include <memory>

namespace {
struct request {
  int kind = 1;
  long payload = 0x5eed;
};
long handled = 0;

void* handle(void* argument) {
  const auto* const given = static_cast<const request*>(argument);
  if (given->kind == 1) handled = given->payload;
  return nullptr;
}

pthread_t submit() {
  pthread_t handler{};
  const auto given = std::make_unique<request>();
  pthread_create(&handler, nullptr, handle, given.get());
  return handler;
}
}  // namespace

int main() {
  pthread_join(submit(), nullptr);
  if (handled == 0x5eed) return 0;
  std::printf("corrupt: handled %lx\n", static_cast<unsigned long>(handled));
  return 1;
}
