// A worker's exception is rethrown and looked at by main, and freed by whoever drops it last: libstdc++ counts that inside.
// maps: none
// truth: no race: the reference count of an exception is atomic, in a library that is not instrumented
// cause: uninstrumented-library
// expect: tsan=report gcc_tsan=sometimes watchpoint=none judge=likely-false
#include <cstdio>
#include <exception>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>

namespace {
void fail(std::promise<int> answer) {
  try {
    throw std::runtime_error("a text that is too long to be kept in the exception itself");
  } catch (...) {
    answer.set_exception(std::current_exception());
    for (int i = 0; i < 2000; ++i) std::this_thread::yield();  // and so it is mostly the last to drop it
  }
}

std::size_t look(std::future<int> answer) {
  try {
    return static_cast<std::size_t>(answer.get());
  } catch (const std::runtime_error& error) {
    return std::string(error.what()).size();
  }
}
}  // namespace

int main() {
  for (int round = 0; round < 5; ++round) {
    std::promise<int> answer;
    std::future<int> answered = answer.get_future();
    std::thread worker(fail, std::move(answer));
    const std::size_t letters = look(std::move(answered));
    worker.join();
    if (letters != 58) {
      std::printf("corrupt: %zu letters\n", letters);
      return 1;
    }
  }
}
