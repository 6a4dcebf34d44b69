// An object is destroyed while another thread calls a virtual function of it.
#include <thread>

#include "tests/thread/programs/baton.hpp"

baton called;

struct shape {
  virtual ~shape() { draw(); }
  virtual void draw() {}
};

struct circle : shape {
  ~circle() override { called.wait(); }
  void draw() override {}
};

void draw(shape& drawn) { drawn.draw(); }

int main() {
  shape* const shared = new circle;
  std::thread painter([shared] {
    draw(*shared);
    called.pass();
  });
  delete shared;
  painter.join();
}
