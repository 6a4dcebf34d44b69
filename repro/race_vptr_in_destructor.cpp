// An object that runs a thread joins it in its base's destructor: the thread calls a virtual function meanwhile.
// race: destructor W vs loop() R
// maps: none
// truth: race, crash: the call goes to the base's version, where that is pure: "pure virtual method called"
// expect: tsan=report gcc_tsan=report watchpoint=caught judge=confirmed
// shown: yes
#include <atomic>
#include <cstdio>
#include <memory>
#include <thread>

namespace {
std::atomic<int> wrong_calls{0};

class task {
 public:
  task() = default;
  task(const task&) = delete;
  task& operator=(const task&) = delete;
  virtual ~task() {
    stop_.store(true);
    runner_.join();
  }
  void start() {
    runner_ = std::thread(&task::loop, this);
    while (rounds_.load(std::memory_order_relaxed) == 0) std::this_thread::yield();
  }

 private:
  virtual void step() { wrong_calls.fetch_add(1); }
  void loop() {
    while (!stop_.load()) {
      step();
      rounds_.fetch_add(1, std::memory_order_relaxed);  // only counts
    }
  }
  std::atomic<bool> stop_{false};
  std::atomic<int> rounds_{0};
  std::thread runner_;
};

class real_task : public task {
  void step() override { std::this_thread::yield(); }
};
}  // namespace

int main() {
  std::unique_ptr<task> running = std::make_unique<real_task>();
  running->start();
  running.reset();
  if (wrong_calls.load() == 0) return 0;
  std::printf("corrupt: %d calls went to the base class\n", wrong_calls.load());
  return 1;
}
