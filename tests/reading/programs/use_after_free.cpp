// A thread deletes an entry while another still holds it.
#include <thread>

struct entry {
  long key;
  long value;
};

[[gnu::noinline]] void forget(entry* old) { delete old; }

[[gnu::noinline]] long look(const entry* at) { return at->value; }

int main() {
  auto* const shared = new entry{1, 2};
  std::thread([=] { forget(shared); }).join();
  long seen = 0;
  std::thread([&] { seen = look(shared); }).join();
  return static_cast<int>(seen);
}
