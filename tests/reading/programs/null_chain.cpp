// A pool that has nothing left, and a caller two frames up that does not ask: on a thread of its own.
#include <thread>
#include <vector>

namespace {

struct buffer {
  int header;
  int items;
};

struct pool {
  std::vector<buffer*> full;

  [[gnu::noinline]] buffer* get_full() {
    if (full.empty()) return nullptr;
    buffer* const last = full.back();
    full.pop_back();
    return last;
  }
};

[[gnu::noinline]] int scan(buffer* work) { return work->items; }

[[gnu::noinline]] int drain(pool& from) {
  buffer* work = from.get_full();
  const int items = scan(work);
  return items;
}

}  // namespace

int main() {
  pool empty;
  int items = 0;
  std::thread worker([&] { items = drain(empty); });
  worker.join();
  return items;
}
