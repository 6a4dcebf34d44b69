// A thread calls a virtual function of an object that main has deleted.
#include <thread>

#include "tests/thread/programs/baton.hpp"

baton deleted;

struct shape {
  virtual ~shape() = default;
  virtual void draw() {}
};

void draw(shape& drawn) { drawn.draw(); }

int main() {
  auto* const shared = new shape;
  std::thread painter([shared] {
    deleted.wait();
    draw(*shared);
  });
  delete shared;
  deleted.pass();
  painter.join();
}
