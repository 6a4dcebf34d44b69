// What does it cost to read one field of a snapshot that somebody may replace, and who keeps old ones for how long?
//
//   reclamation_bench [--rounds N] [--check]
//
// Each way to keep a snapshot alive while it is read, next to the hazard pointer of the remedies: on one thread, and on
// two that read the same one. A round times every way once, in an order that turns, and gives a ratio to the hazard
// pointer's time of the same round. Then one reader stops inside, a writer replaces the snapshot a thousand times, and
// what is still alive is counted. --check exits 1 if a hazard pointer or our handle keeps more than that reader's.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "bench/support/arguments.hpp"
#include "bench/support/machine.hpp"
#include "bench/support/paired.hpp"
#include "bench/support/results.hpp"
#include "fixes/support/snapshot.hpp"
#include "repro/support/gate.hpp"

#ifdef RACELAB_HAS_URCU
#include <urcu/urcu-memb.h>
#endif

namespace {

using namespace racelab;

// A turn of a way takes so long alone, whatever it costs, so that what interrupts it hits all ways alike: on several
// threads long enough that their starts and ends do not count.
constexpr double turn_ns_of_one = 100'000;
constexpr double turn_ns_of_several = 2'000'000;
constexpr int replacements = 1'000;

// Read as a whole, replaced as a whole, and counted.
struct settings {
  explicit settings(std::uint64_t is) : field(is) { alive.fetch_add(1, std::memory_order_relaxed); }
  settings(const settings&) = delete;
  settings& operator=(const settings&) = delete;
  ~settings() { alive.fetch_sub(1, std::memory_order_relaxed); }

  std::uint64_t field;
  std::array<std::uint64_t, 7> others{};

  static inline std::atomic<int> alive{0};
};

// Something that depends on what was read, so that it is not optimised away.
void keep(std::uint64_t value) { asm volatile("" : : "r"(value) : "memory"); }

// A thread needs nothing to be a reader.
struct any_thread {};

// Each way: `reader_thread` is there while a thread reads; look() gives an object that keeps a snapshot alive and has
// its field(); replace() is called by one thread at a time.

class mutex_and_shared_ptr {
 public:
  static constexpr const char* name = "mutex, shared_ptr copied";
  using reader_thread = any_thread;
  struct section {
    std::shared_ptr<const settings> seen;
    [[nodiscard]] std::uint64_t field() const { return seen->field; }
  };
  section look() {
    const std::scoped_lock lock(mutex_);
    return {current_};
  }
  void replace(std::uint64_t value) {
    auto next = std::make_shared<const settings>(value);
    const std::scoped_lock lock(mutex_);
    current_.swap(next);
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<const settings> current_ = std::make_shared<const settings>(1);
};

class atomic_shared_ptr {
 public:
  static constexpr const char* name = "std::atomic<std::shared_ptr>";
  using reader_thread = any_thread;
  using section = mutex_and_shared_ptr::section;
  section look() { return {current_.load()}; }
  void replace(std::uint64_t value) { current_.store(std::make_shared<const settings>(value)); }

 private:
  std::atomic<std::shared_ptr<const settings>> current_{std::make_shared<const settings>(1)};
};

class our_cell {
 public:
  using reader_thread = any_thread;
  void replace(std::uint64_t value) {
    cell_.publish(cell_.make(value));
    cell_.reclaim();
  }

 protected:
  snapshot_cell<settings> cell_{std::uint64_t{1}};
};

class hazard : public our_cell {
 public:
  static constexpr const char* name = "hazard pointer (ours)";
  struct section {
    snapshot_cell<settings>::reader seen;
    [[nodiscard]] std::uint64_t field() const { return seen->field; }
  };
  section look() { return {cell_.read()}; }
};

class handle : public our_cell {
 public:
  static constexpr const char* name = "handle: hazard and count (ours)";
  struct section {
    snapshot_cell<settings>::handle seen;
    [[nodiscard]] std::uint64_t field() const { return seen->field; }
  };
  section look() { return {cell_.hold()}; }
};

constexpr std::uint64_t idle = ~std::uint64_t{0};

struct alignas(64) epoch_slot {  // alone on its cache line
  std::atomic<std::uint64_t> began{idle};
  std::atomic<bool> taken{false};
};
std::array<epoch_slot, 8> epoch_slots;
std::atomic<std::uint64_t> epoch_now{1};
thread_local epoch_slot* own_epoch_slot = nullptr;

// Readers announce the epoch that they began in; what was replaced in an epoch is freed once all of them began later.
class epochs {
 public:
  static constexpr const char* name = "epoch announced in a slot";
  class reader_thread {
   public:
    reader_thread() {
      std::size_t free = 0;
      while (epoch_slots[free].taken.exchange(true)) ++free;
      own_epoch_slot = &epoch_slots[free];
    }
    reader_thread(const reader_thread&) = delete;
    reader_thread& operator=(const reader_thread&) = delete;
    ~reader_thread() { own_epoch_slot->taken = false; }
  };
  class section {
   public:
    explicit section(const std::atomic<settings*>& current) : seen_(announced(current)) {}
    section(const section&) = delete;
    section& operator=(const section&) = delete;
    // Release: what was read happens before it is freed; pairs with the load in replace().
    ~section() { own_epoch_slot->began.store(idle, std::memory_order_release); }
    [[nodiscard]] std::uint64_t field() const { return seen_->field; }

   private:
    static settings* announced(const std::atomic<settings*>& current) {
      // The announcement comes before the load, as a hazard pointer's does. The epoch may be an old one (relaxed): then more is
      // kept.
      racelab::detail::store_before_load(own_epoch_slot->began, epoch_now.load(std::memory_order_relaxed));
      return current.load(std::memory_order_seq_cst);
    }
    settings* seen_;
  };

  epochs() = default;
  epochs(const epochs&) = delete;
  epochs& operator=(const epochs&) = delete;
  ~epochs() {
    delete current_.load();
    for (const auto& [old, epoch] : retired_) delete old;
  }

  section look() { return section(current_); }
  void replace(std::uint64_t value) {
    settings* const old = current_.exchange(new settings(value));
    retired_.emplace_back(old, epoch_now.fetch_add(1));
    racelab::detail::others_pass_a_barrier();
    std::uint64_t earliest = idle;
    for (const epoch_slot& each : epoch_slots) earliest = std::min(earliest, each.began.load());
    std::erase_if(retired_, [earliest](const auto& each) {
      if (each.second >= earliest) return false;
      delete each.first;
      return true;
    });
  }

 private:
  std::atomic<settings*> current_{new settings(1)};
  std::vector<std::pair<settings*, std::uint64_t>> retired_;
};

#ifdef RACELAB_HAS_URCU
// Called through the library, as code under another licence than the LGPL has to.
class urcu {
 public:
  static constexpr const char* name = "liburcu (urcu-memb)";
  class reader_thread {
   public:
    reader_thread() { urcu_memb_register_thread(); }
    reader_thread(const reader_thread&) = delete;
    reader_thread& operator=(const reader_thread&) = delete;
    ~reader_thread() { urcu_memb_unregister_thread(); }
  };
  struct node {
    rcu_head head;  // first, so that its address is the node's
    settings content;
  };
  class section {
   public:
    explicit section(const std::atomic<node*>& current) : seen_(locked(current)) {}
    section(const section&) = delete;
    section& operator=(const section&) = delete;
    ~section() { urcu_memb_read_unlock(); }
    [[nodiscard]] std::uint64_t field() const { return seen_->content.field; }

   private:
    static node* locked(const std::atomic<node*>& current) {
      urcu_memb_read_lock();
      return current.load(std::memory_order_acquire);  // pairs with the exchange in replace()
    }
    node* seen_;
  };

  urcu() = default;
  urcu(const urcu&) = delete;
  urcu& operator=(const urcu&) = delete;
  ~urcu() {
    urcu_memb_barrier();
    delete current_.load();
  }

  section look() { return section(current_); }
  void replace(std::uint64_t value) {
    node* const old = current_.exchange(new node{{}, settings(value)});
    urcu_memb_call_rcu(&old->head, [](rcu_head* head) { delete reinterpret_cast<node*>(head); });
  }

 private:
  std::atomic<node*> current_{new node{{}, settings(1)}};
};
using ways = std::tuple<hazard, handle, mutex_and_shared_ptr, atomic_shared_ptr, epochs, urcu>;
#else
using ways = std::tuple<hazard, handle, mutex_and_shared_ptr, atomic_shared_ptr, epochs>;
#endif
constexpr std::size_t count_of_ways = std::tuple_size_v<ways>;

// Calls work(way, its number) for each.
template <class Work> void for_each_way(ways& all, Work work) {
  [&]<std::size_t... Each>(std::index_sequence<Each...>) {
    (work(std::get<Each>(all), Each), ...);
  }(std::make_index_sequence<count_of_ways>());
}

// Nanoseconds for a read, the mean of all threads, each of which makes so many.
template <class Way> double timed(Way& way, int threads, int reads) {
  std::vector<double> spent(static_cast<std::size_t>(threads));
  const auto read_all = [&](int thread) {
    [[maybe_unused]] const typename Way::reader_thread registered{};
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < reads; ++i) keep(way.look().field());
    spent[static_cast<std::size_t>(thread)] =
        std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
  };
  if (threads == 1)
    read_all(0);
  else
    run_together(threads, read_all);
  double all = 0;
  for (const double each : spent) all += each;
  return all / threads / reads;
}

void compare(ways& all, int threads, std::size_t rounds, bench::results& into) {
  std::array<std::vector<double>, count_of_ways> ratios;
  std::array<std::vector<double>, count_of_ways> times;
  std::array<int, count_of_ways> reads{};
  for_each_way(all, [&](auto& way, std::size_t each) {
    const double alone = timed(way, 1, 10'000);
    reads[each] = static_cast<int>((threads == 1 ? turn_ns_of_one : turn_ns_of_several) / alone) + 1;
  });
  for (std::size_t round = 0; round <= rounds; ++round) {
    std::array<double, count_of_ways> ns{};
    for (std::size_t i = 0; i < count_of_ways; ++i)
      for_each_way(all, [&](auto& way, std::size_t each) {
        if (each == (i + round) % count_of_ways) ns[each] = timed(way, threads, reads[each]);
      });
    if (round == 0) continue;  // the caches were cold
    for (std::size_t each = 0; each < count_of_ways; ++each) {
      ratios[each].push_back(ns[each] / ns[0]);
      times[each].push_back(ns[each]);
    }
  }
  for_each_way(all, [&]<class Way>(Way& /*way*/, std::size_t each) {
    for (const double ns : times[each])
      into.add(Way::name, fmt::format("threads={}", threads), "read_ns", ns);
    const auto ratio = bench::summarise(ratios[each]);
    fmt::print("{:<32} {:>7}  {:>8.1f}  {}\n", Way::name, threads, bench::median_of(times[each]),
               each == 0 ? "1" : fmt::format("{:.2f} [{:.2f}, {:.2f}]", ratio.median, ratio.low, ratio.high));
  });
}

// How many old snapshots are alive when a reader has stopped inside and a writer has replaced them.
template <class Way> int kept_for_a_stalled_reader() {
  const int before = settings::alive;
  Way way;
  [[maybe_unused]] const typename Way::reader_thread registered{};
  const auto stalled = way.look();
  for (int i = 0; i < replacements; ++i) way.replace(static_cast<std::uint64_t>(i));
  keep(stalled.field());
  return settings::alive - before - 1;
}

int run(int argc, char** argv) {
  bench::arguments given{.rounds = 100};
  if (const auto end = bench::read_arguments(
          argc, argv,
          {.name = "reclamation_bench",
           .asked = "What does it cost to read one field of a snapshot that somebody may replace, and who "
                    "keeps old ones?",
           .bar = "exit 1 if a hazard pointer or our handle keeps more than its reader's snapshot"},
          given))
    return *end;

  fmt::print("Reading one field of the current snapshot, {} rounds\n{}\n\n", given.rounds,
             bench::this_machine());
  fmt::print("{:<32} {:>7}  {:>8}  {}\n", "way", "threads", "ns", "time over the hazard pointer's [95 %]");
  const auto all = std::make_unique<ways>();
  std::thread([] {}).join();  // in a program that never had a second thread, libstdc++ counts without atomics
  bench::results measured("reclamation_bench");
  for (const int threads : {1, 2}) {
    compare(*all, threads, given.rounds, measured);
    fmt::print("\n");
  }

  fmt::print("{:<32} old snapshots alive after {} replacements, one reader stalled\n", "way", replacements);
  bool holds = true;
  for_each_way(*all, [&holds]<class Way>(Way& /*way*/, std::size_t each) {
    const int kept = kept_for_a_stalled_reader<Way>();
    fmt::print("{:<32} {:>7}\n", Way::name, kept);
    if (each < 2 && kept != 1) holds = false;  // ours
  });
#ifndef RACELAB_HAS_URCU
  fmt::print("liburcu is not installed: SKIPPED\n");
#endif
  if (!given.folder.empty()) {
    measured.write_csv_in(given.folder);
    measured.write_json_in(given.folder);
  }
  return given.check && !holds ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  return bench::exit_code_of("reclamation_bench", [&] { return run(argc, argv); });
}
