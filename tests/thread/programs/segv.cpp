// A thread writes through a null pointer.
#include <thread>

void write_through(int* nowhere) { *nowhere = 1; }

int main() {
  std::thread worker(write_through, nullptr);
  worker.join();
}
