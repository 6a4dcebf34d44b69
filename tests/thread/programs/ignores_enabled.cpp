// A thread ends while it has ThreadSanitizer ignore its writes.
#include <thread>

extern "C" {
void AnnotateIgnoreWritesBegin(const char* file, int line);
}

void ignore_writes() { AnnotateIgnoreWritesBegin(__FILE__, __LINE__); }

int main() {
  std::thread worker(ignore_writes);
  worker.join();
}
