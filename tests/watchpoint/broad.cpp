#include "tests/watchpoint/broad.hpp"

#include <array>
#include <atomic>
#include <bitset>
#include <complex>
#include <cstdint>
#include <cstring>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

#pragma GCC diagnostic ignored "-Wpedantic"

namespace instrumented {
namespace {

template <std::size_t Bytes> struct whole_number;
template <> struct whole_number<1> {
  using type = std::uint8_t;
};
template <> struct whole_number<2> {
  using type = std::uint16_t;
};
template <> struct whole_number<4> {
  using type = std::uint32_t;
};
template <> struct whole_number<8> {
  using type = std::uint64_t;
};
template <> struct whole_number<16> {
  using type = unsigned __int128;
};

// Reads, writes and changes at every size: plain, volatile, unaligned, and volatile and unaligned.
template <std::size_t Bytes> [[gnu::noinline]] int every_access(void* memory) {
  using number = typename whole_number<Bytes>::type;
  struct [[gnu::packed]] unaligned {
    char before;
    number value;
  };
  auto* const plain = static_cast<number*>(memory);
  auto* const fickle = static_cast<volatile number*>(memory);
  auto* const odd = static_cast<unaligned*>(memory);
  auto* const fickle_odd = static_cast<volatile unaligned*>(memory);
  *plain = static_cast<number>(*plain + 1);
  *fickle = static_cast<number>(*fickle + 1);
  odd->value = static_cast<number>(odd->value + 1);
  fickle_odd->value = static_cast<number>(fickle_odd->value + 1);
  return static_cast<int>(*plain) >= 0 ? 1 : 2;
}

using vector32 = std::uint32_t __attribute__((vector_size(32)));

struct bits {
  unsigned low : 3;
  unsigned middle : 17;
  unsigned high : 12;
};

struct base {
  base() = default;
  base(const base&) = default;
  base& operator=(const base&) = default;
  virtual ~base() = default;
  [[nodiscard]] virtual int value() const { return 1; }
};

struct other_base {
  virtual ~other_base() = default;
  int padding = 3;
};

struct derived final : base, other_base, virtual std::enable_shared_from_this<derived> {
  [[nodiscard]] int value() const override { return 2; }
};

struct large {
  std::array<std::uint64_t, 64> words;
};

thread_local int thread_own = 0;
int global_number = 0;
std::atomic<std::shared_ptr<int>> global_pointer;
const std::array<int, 4> constants{1, 2, 3, 4};

[[gnu::noinline]] int throws(int argument) {
  if (argument > 0) throw std::runtime_error("on purpose");
  return 1;
}

template <class T> int every_order(T old) {
  std::atomic<T> value{old};
  T expected = old;
  value.store(old, std::memory_order_relaxed);
  value.store(old, std::memory_order_release);
  value.store(old, std::memory_order_seq_cst);
  value.load(std::memory_order_relaxed);
  value.load(std::memory_order_acquire);
  value.load(std::memory_order_seq_cst);
  value.exchange(old, std::memory_order_acq_rel);
  value.compare_exchange_strong(expected, old, std::memory_order_acq_rel, std::memory_order_relaxed);
  value.compare_exchange_weak(expected, old, std::memory_order_release, std::memory_order_relaxed);
  return value.is_lock_free() ? 1 : 0;
}

}  // namespace

int do_everything() {
  int done = 0;
  alignas(32) std::array<std::byte, 64> memory{};
  done += every_access<1>(memory.data()) + every_access<2>(memory.data()) + every_access<4>(memory.data()) +
          every_access<8>(memory.data()) + every_access<16>(memory.data());

  *reinterpret_cast<vector32*>(memory.data()) += vector32{1, 2, 3, 4, 5, 6, 7, 8};
  const std::complex<double> complex(1, 2);
  auto* const complex_memory = new (memory.data()) std::complex<double>(complex);
  *complex_memory *= complex;
  auto* const wide = new (memory.data()) long double(1.5L);
  *wide += 1;
  done += *wide == 2.5L ? 1 : 0;

  auto fields = std::make_unique<bits>();
  fields->low = 5;
  fields->middle = 99'999;
  fields->high = 7;
  done += fields->low + fields->middle + fields->high == 100'011 ? 1 : 0;

  const std::unique_ptr<base> object = std::make_unique<derived>();
  done += object->value() == 2 && dynamic_cast<other_base*>(object.get())->padding == 3 ? 1 : 0;
  const auto shared = std::make_shared<derived>();
  done += shared->shared_from_this().use_count() == 2 ? 1 : 0;

  auto first = std::make_unique<large>();
  auto second = std::make_unique<large>(*first);
  first->words.fill(3);
  *second = *first;
  std::memmove(second.get(), reinterpret_cast<const char*>(first.get()) + 8, 256);
  std::memset(first.get(), constants[static_cast<std::size_t>(done) % 4], sizeof *first);
  done += second->words[63] == 3 ? 1 : 0;

  try {
    throws(done);
  } catch (const std::exception& caught) {
    done += std::string(caught.what()) == "on purpose" ? 1 : 0;
  }

  done += every_order<std::uint8_t>(1) + every_order<std::int16_t>(2) + every_order<float>(3) +
          every_order<void*>(nullptr) + every_order<bool>(true);
  std::atomic<int> counter{0};
  counter.fetch_add(5, std::memory_order_relaxed);
  counter |= 2;
  counter &= 6;
  counter ^= 1;
  counter -= 3;
  done += counter == 4 ? 1 : 0;
  counter.notify_all();
  std::atomic_thread_fence(std::memory_order_acq_rel);
  std::atomic_signal_fence(std::memory_order_acquire);
  global_pointer.store(std::make_shared<int>(1));
  done += *global_pointer.load();

  std::thread([&done] {
    ++thread_own;
    ++global_number;
    done += thread_own;
  }).join();
  done += std::async(std::launch::async, [] { return 1; }).get();

  std::map<std::string, std::vector<int>> tree;
  tree["a"].push_back(1);
  std::unordered_map<int, std::optional<std::string>> hash;
  hash.emplace(1, "b");
  hash.erase(1);
  std::variant<int, std::string> either = "c";
  const std::function<int()> call = [&either] {
    return static_cast<int>(std::get<std::string>(either).size());
  };
  std::ostringstream stream;
  stream << std::bitset<8>(5) << tree["a"][0] << hash.size();
  done += stream.str() == "0000010110" ? call() : 0;
  return done;
}

}  // namespace instrumented
