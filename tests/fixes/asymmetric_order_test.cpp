// The order that hazard pointers hang on: of a cheap store and a load after it, and an exchange, a barrier asked for and a load
// after that, at least one load sees the other side's write.
#include "fixes/support/asymmetric_order.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t most_rounds = 50'000;
constexpr std::chrono::seconds at_most{
    5};  // of a machine with one processor, where each round is two switches

struct alignas(64) on_its_own_line {
  std::atomic<std::size_t> value{0};
};

/// Lets both sides go at the same moment, as nearly as two processors can.
class meeting {
 public:
  void with(meeting& other, std::size_t round) {
    here_.value.store(round, std::memory_order_seq_cst);
    while (other.here_.value.load(std::memory_order_seq_cst) < round)
      if (++looks_ % 1000 == 0) std::this_thread::yield();
  }

 private:
  on_its_own_line here_;
  unsigned looks_ = 0;
};

TEST(asymmetric_order, one_side_at_least_sees_the_other) {
  on_its_own_line stored;
  on_its_own_line exchanged;
  meeting frequent;
  meeting rare;
  std::atomic<std::size_t> last = most_rounds;
  std::vector<std::size_t> seen(most_rounds + 1);
  std::thread other([&] {
    for (std::size_t round = 1; round <= last.load(); ++round) {
      frequent.with(rare, round);
      racelab::detail::store_before_load(stored.value, round);
      seen[round] = exchanged.value.load(std::memory_order_seq_cst);
    }
  });
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::size_t> also_seen(most_rounds + 1);
  std::size_t rounds = 0;
  for (std::size_t round = 1; round <= last.load(); ++round) {
    if (std::chrono::steady_clock::now() - start > at_most) last.store(round);
    rare.with(frequent, round);
    exchanged.value.exchange(round, std::memory_order_seq_cst);
    racelab::detail::others_pass_a_barrier();
    also_seen[round] = stored.value.load(std::memory_order_seq_cst);
    rounds = round;
  }
  other.join();
  int neither = 0;
  for (std::size_t round = 1; round <= rounds; ++round)
    neither += seen[round] < round && also_seen[round] < round ? 1 : 0;
  EXPECT_EQ(neither, 0) << "in " << rounds << " rounds";
}

}  // namespace
