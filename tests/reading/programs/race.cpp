// Two threads count the same visits, and nothing orders them.
#include <thread>

namespace {

struct page {
  int visits = 0;
};

[[gnu::noinline]] void visit(page& which) { ++which.visits; }

}  // namespace

int main() {
  page home;
  std::thread first([&home] { visit(home); });
  std::thread second([&home] { visit(home); });
  first.join();
  second.join();
}
