// Pointers travel through a System V message queue.
// maps: none
// truth: no race: the kernel hands a message over after it was sent
// cause: unintercepted-call
// expect: tsan=report gcc_tsan=report watchpoint=none judge=likely-false
#include <sys/ipc.h>
#include <sys/msg.h>

#include <cstdio>
#include <thread>

namespace {
struct letter {
  long type = 1;
  int* content = nullptr;
};
constexpr int letters = 20;
int queue = -1;
int sum = 0;

void send() {
  for (int i = 1; i <= letters; ++i) {
    const letter sent{.content = new int(i)};
    msgsnd(queue, &sent, sizeof sent.content, 0);
  }
}

void receive() {
  for (int i = 1; i <= letters; ++i) {
    letter received;
    if (msgrcv(queue, &received, sizeof received.content, 1, 0) < 0) return;
    sum += *received.content;
    delete received.content;
  }
}
}  // namespace

int main() {
  queue = msgget(IPC_PRIVATE, 0600);
  std::thread receiver(receive);
  send();
  receiver.join();
  msgctl(queue, IPC_RMID, nullptr);
  if (sum == letters * (letters + 1) / 2) return 0;
  std::printf("corrupt: the letters sum up to %d\n", sum);
  return 1;
}
