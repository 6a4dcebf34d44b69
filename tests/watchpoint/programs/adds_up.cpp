// A correct program with much sharing under a lock: 0 if its result is right, its threads are numbered as they were
// created, and the thread of RACELAB_PERTURB=heap is not looked at.
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "sanitizers/watchpoint/watchpoint.hpp"
#include "stacks/threads.hpp"

namespace {

constexpr unsigned threads = 4;
constexpr std::uint64_t rounds = 300;

struct ledger {
  std::mutex lock;
  std::unordered_map<std::string, std::uint64_t> sums;
  std::list<std::string> journal;
};

void enter(ledger& book, unsigned who) {
  for (std::uint64_t i = 0; i < rounds; ++i) {
    const std::string key = "an account that lives on the heap " + std::to_string(i % 7);
    const std::lock_guard guard(book.lock);
    book.sums[key] += who;
    book.journal.push_back(key);
    if (book.journal.size() > 20) book.journal.pop_front();
  }
}

std::atomic<bool> stranger_seen{false};

racelab::watch::stall look_for_strangers(const racelab::watch::access& /*what*/, std::uint32_t /*visit*/) {
  if (racelab::stacks::current == nullptr) stranger_seen = true;
  return {};
}

}  // namespace

int main() {
  const char* const how = std::getenv("RACELAB_PERTURB");
  if (how != nullptr && std::string_view(how) == "heap") racelab::watch::set_decide(look_for_strangers);
  ledger book;
  std::array<std::thread, threads> running;
  std::array<std::uint32_t, threads> numbers{};
  for (unsigned i = 0; i < threads; ++i)
    running[i] = std::thread([&book, &numbers, i] {
      numbers[i] = racelab::stacks::self().id;
      enter(book, i + 1);
    });
  for (std::thread& each : running) each.join();

  std::uint64_t sum = 0;
  for (const auto& [key, amount] : book.sums) sum += amount;
  if (sum != rounds * (threads * (threads + 1) / 2) || book.sums.size() != 7) return 1;
  for (unsigned i = 0; i < threads; ++i)
    if (numbers[i] != i + 2) return 3;
  return stranger_seen ? 4 : 0;
}
