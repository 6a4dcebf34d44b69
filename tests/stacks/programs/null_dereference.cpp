// A thread reads through a null pointer.
#include <thread>

struct node {
  long key = 0;
  long value = 0;
};

[[gnu::noinline]] long read_value(const volatile node* from) { return from->value; }

int main() {
  const auto read_nothing = [] {
    node* volatile nothing = nullptr;
    return read_value(nothing) == 0;
  };
  std::thread reader(read_nothing);
  reader.join();
}
