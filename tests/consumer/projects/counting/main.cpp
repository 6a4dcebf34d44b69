// Two threads call what COUNT names.
#include <thread>

#include <counting/counting.h>

int main() {
  std::thread one(COUNT);
  std::thread two(COUNT);
  one.join();
  two.join();
}
