// sync_map against what Go promises of sync.Map: Go's own checks, by Go's names, and each operation on a key in each of
// the places where a key can be. Also built under AddressSanitizer and under ThreadSanitizer.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <ostream>
#include <random>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "fixes/support/contract.hpp"
#include "fixes/sync_map.hpp"
#include "repro/support/gate.hpp"

namespace {

using map_under_test = racelab::sync_map<int, int>;
static_assert(racelab::concurrent_map<map_under_test>);
static_assert(!racelab::sized_map<map_under_test>);

// ---- The references: Go's RWMutexMap and DeepCopyMap

using plain_map = std::unordered_map<int, int>;

/// One map, under a readers-writer lock.
class rw_mutex_storage {
 public:
  template <class Look> auto look(Look look) const {
    const std::shared_lock lock(mutex_);
    return look(entries_);
  }
  template <class Edit> auto edit(Edit edit) {
    const std::scoped_lock lock(mutex_);
    return edit(entries_);
  }

 private:
  mutable std::shared_mutex mutex_;
  plain_map entries_;
};

/// Each change is made in a copy, which then replaces the map.
class deep_copy_storage {
 public:
  template <class Look> auto look(Look look) const { return look(*current()); }
  template <class Edit> auto edit(Edit edit) {
    const std::scoped_lock lock(writers_);
    auto next = std::make_shared<plain_map>(*current());
    auto result = edit(*next);
    const std::scoped_lock publishing(mutex_);
    entries_ = std::move(next);
    return result;
  }

 private:
  std::shared_ptr<const plain_map> current() const {
    const std::scoped_lock lock(mutex_);
    return entries_;
  }
  std::mutex writers_;
  mutable std::mutex mutex_;
  std::shared_ptr<const plain_map> entries_ = std::make_shared<plain_map>();
};

/// Go's ten methods in their plainest form.
template <class Storage> class reference {
 public:
  std::optional<int> load(int key) const {
    return storage_.look([&](const plain_map& entries) { return value_in(entries, key); });
  }
  void store(int key, int value) { swap(key, value); }
  std::pair<int, bool> load_or_store(int key, int value) {
    return storage_.edit([&](plain_map& entries) {
      const auto [at, stored] = entries.try_emplace(key, value);
      return std::pair(at->second, !stored);
    });
  }
  std::optional<int> load_and_delete(int key) {
    return storage_.edit([&](plain_map& entries) {
      const auto had = value_in(entries, key);
      entries.erase(key);
      return had;
    });
  }
  void delete_key(int key) { load_and_delete(key); }
  std::optional<int> swap(int key, int value) {
    return storage_.edit([&](plain_map& entries) {
      const auto had = value_in(entries, key);
      entries.insert_or_assign(key, value);
      return had;
    });
  }
  bool compare_and_swap(int key, int old, int fresh) {
    return storage_.edit([&](plain_map& entries) {
      const bool equal = value_in(entries, key) == old;
      if (equal) entries.at(key) = fresh;
      return equal;
    });
  }
  bool compare_and_delete(int key, int old) {
    return storage_.edit([&](plain_map& entries) {
      const bool equal = value_in(entries, key) == old;
      if (equal) entries.erase(key);
      return equal;
    });
  }
  void range(const std::function<bool(int, int)>& visit) const {
    const auto entries = storage_.look([](const plain_map& all) { return all; });
    for (const auto& [key, value] : entries)
      if (!visit(key, value)) return;
  }
  void clear() {
    storage_.edit([](plain_map& entries) {
      entries.clear();
      return true;
    });
  }

 private:
  static std::optional<int> value_in(const plain_map& entries, int key) {
    const auto at = entries.find(key);
    return at == entries.end() ? std::nullopt : std::optional<int>(at->second);
  }
  Storage storage_;
};

using rw_mutex_map = reference<rw_mutex_storage>;
using deep_copy_map = reference<deep_copy_storage>;

// ---- Calls as data

enum class method {
  load,
  store,
  load_or_store,
  load_and_delete,
  delete_key,
  swap,
  compare_and_swap,
  compare_and_delete,
  range,
  clear
};
constexpr int methods = 10;

struct call {
  method of;
  int key;
  int value;
  int fresh;
};

std::ostream& operator<<(std::ostream& out, const call& one) {
  constexpr std::array names = {"load",       "store", "load_or_store",    "load_and_delete",
                                "delete_key", "swap",  "compare_and_swap", "compare_and_delete",
                                "range",      "clear"};
  return out << names.at(static_cast<std::size_t>(one.of)) << "(" << one.key << ", " << one.value << ", "
             << one.fresh << ")";
}

using contents = std::map<int, int>;

template <class Map> contents contents_of(const Map& map) {
  contents found;
  map.range([&found](int key, int value) {
    EXPECT_TRUE(found.emplace(key, value).second) << key << " comes twice";
    return true;
  });
  return found;
}

/// What a call returned.
struct answer {
  std::optional<int> value;
  bool flag = false;
  contents walked;
  friend bool operator==(const answer&, const answer&) = default;
};

template <class Map> answer apply(Map& map, const call& one) {
  switch (one.of) {
    case method::load:
      return {map.load(one.key), false, {}};
    case method::store:
      map.store(one.key, one.value);
      return {};
    case method::load_or_store: {
      const auto [actual, loaded] = map.load_or_store(one.key, one.value);
      return {actual, loaded, {}};
    }
    case method::load_and_delete:
      return {map.load_and_delete(one.key), false, {}};
    case method::delete_key:
      map.delete_key(one.key);
      return {};
    case method::swap:
      return {map.swap(one.key, one.value), false, {}};
    case method::compare_and_swap:
      return {std::nullopt, map.compare_and_swap(one.key, one.value, one.fresh), {}};
    case method::compare_and_delete:
      return {std::nullopt, map.compare_and_delete(one.key, one.value), {}};
    case method::range:
      return {std::nullopt, false, contents_of(map)};
    case method::clear:
      map.clear();
      return {};
  }
  return {};
}

/// A few keys and fewer values, so that calls meet; walks and clears are rare, so that there is something to meet.
std::vector<call> random_calls(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<call> calls(1 + random() % 200);
  for (auto& each : calls) {
    auto of = static_cast<method>(random() % methods);
    if ((of == method::range || of == method::clear) && random() % 4 != 0) of = method::load;
    each = {of, static_cast<int>(random() % 6), static_cast<int>(random() % 3),
            static_cast<int>(random() % 3)};
  }
  return calls;
}

template <class Reference> void expect_the_same(unsigned seed) {
  map_under_test map;
  Reference expected;
  for (const auto& each : random_calls(seed))
    ASSERT_EQ(apply(map, each), apply(expected, each)) << each << " with seed " << seed;
  ASSERT_EQ(contents_of(map), contents_of(expected)) << "seed " << seed;
}

constexpr unsigned seeds = 1000;

TEST(SyncMap, MapMatchesRWMutex) {
  for (unsigned seed = 0; seed < seeds; ++seed) expect_the_same<rw_mutex_map>(seed);
}

TEST(SyncMap, MapMatchesDeepCopy) {
  for (unsigned seed = seeds; seed < 2 * seeds; ++seed) expect_the_same<deep_copy_map>(seed);
}

// ---- Each operation on a key in each of the places where it can be

struct place {
  std::string name;
  std::vector<call> way_there;
};

std::vector<place> places() {
  const call stored{method::store, 1, 10, 0};
  const call deleted{method::delete_key, 1, 0, 0};
  const call promoted{method::range, 0, 0, 0};
  const call another{method::store, 2, 20, 0};  // copies the read table, so that what is deleted is expunged
  return {{"nowhere", {}},
          {"only in the dirty table", {stored}},
          {"only in the dirty table, besides an amended read table", {another, promoted, stored}},
          {"deleted from the dirty table", {another, stored, deleted}},
          {"in the read table", {stored, promoted}},
          {"in both tables", {stored, promoted, another}},
          {"deleted", {stored, promoted, deleted}},
          {"deleted after the read table was copied", {stored, promoted, another, deleted}},
          {"expunged", {stored, promoted, deleted, another}},
          {"restored after it was expunged", {stored, promoted, deleted, another, stored}},
          {"dropped by promotion", {stored, promoted, deleted, another, promoted}},
          {"cleared", {stored, promoted, another, {method::clear, 0, 0, 0}}}};
}

TEST(SyncMap, EveryOperationOnAKeyInEveryPlace) {
  for (const auto& where : places())
    for (int of = 0; of < methods; ++of)
      for (const int value : {10, 11}) {  // the one that the key has, if it is there, and another
        map_under_test map;
        rw_mutex_map expected;
        for (const auto& each : where.way_there) {
          apply(map, each);
          apply(expected, each);
        }
        const call tried{static_cast<method>(of), 1, value, 12};
        const auto wanted = apply(expected, tried);
        EXPECT_EQ(apply(map, tried), wanted) << tried << ", the key " << where.name;
        EXPECT_EQ(map.load(1), expected.load(1)) << "after " << tried << ", the key " << where.name;
        EXPECT_EQ(map.load(2), expected.load(2)) << "after " << tried << ", the key " << where.name;
        EXPECT_EQ(contents_of(map), contents_of(expected)) << "after " << tried << ", the key " << where.name;
        map.store(3, 30);  // the read table is copied
        map.store(1, 13);
        EXPECT_EQ(contents_of(map).at(1), 13) << "after " << tried << ", the key " << where.name;
      }
}

TEST(SyncMap, CompareAndSwap_NonExistingKey) {
  map_under_test map;
  EXPECT_FALSE(map.compare_and_swap(1, 0, 42));
  EXPECT_FALSE(map.load(1).has_value());
}

TEST(SyncMap, ARangeStopsWhenItIsToldTo) {
  map_under_test map;
  for (int key = 0; key < 10; ++key) map.store(key, key);
  int visited = 0;
  map.range([&visited](int, int) { return ++visited < 3; });
  EXPECT_EQ(visited, 3);
}

TEST(SyncMap, RangeNestedCall) {
  racelab::sync_map<int, std::string> map;
  map.store(0, "hello");
  map.store(1, "world");
  map.store(2, "Go");
  map.range([&map](int outer, const std::string&) {
    map.range([&map](int key, const std::string& value) {
      EXPECT_EQ(map.load(key), value);
      EXPECT_FALSE(map.load_or_store(42, "not there before").second);
      map.store(42, "sync.Map");
      EXPECT_EQ(map.load_and_delete(42), "sync.Map");
      return true;
    });
    map.delete_key(outer);
    return true;
  });
  map.range([](int key, const std::string&) {
    ADD_FAILURE() << key << " is still there";
    return true;
  });
}

TEST(SyncMap, AVisitorMayClearTheMapThatItWalks) {
  racelab::sync_map<std::string, std::string> map;
  for (int i = 0; i < 10; ++i) map.store("key " + std::to_string(i), "value " + std::to_string(i));
  int visited = 0;
  map.range([&](const std::string& key, const std::string& value) {
    map.clear();
    map.store("another", "value");
    EXPECT_EQ(key.substr(4), value.substr(6));
    ++visited;
    return true;
  });
  EXPECT_EQ(visited, 10);  // the table that is walked keeps its entries
  EXPECT_EQ(map.load("another"), "value");
}

// ---- What is freed, and when

TEST(SyncMap, Issue40999) {
  racelab::sync_map<std::shared_ptr<int>, int> map;
  map.store(nullptr, 0);  // so that deleting does not promote
  for (int i = 0; i < 3; ++i) {
    auto key = std::make_shared<int>(i);
    const std::weak_ptr<int> watched = key;
    map.store(key, i);
    map.delete_key(key);
    key.reset();
    EXPECT_TRUE(watched.expired()) << "a deleted key stays";
  }
}

TEST(SyncMap, ADeletedKeyOfTheReadTableIsFreedByTheNextPromotionButOne) {
  racelab::sync_map<std::shared_ptr<int>, int> map;
  auto key = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = key;
  const auto promote = [&map] { map.range([](const auto&, int) { return true; }); };
  map.store(key, 1);
  promote();
  map.delete_key(key);
  key.reset();
  map.store(std::make_shared<int>(2), 2);  // the copy is made without it
  promote();
  EXPECT_TRUE(watched.expired());
}

TEST(SyncMap, ReplacedValuesAreFreedByTheDozen) {
  racelab::sync_map<int, std::shared_ptr<int>> map;
  const auto value = std::make_shared<int>(0);
  for (int i = 0; i < 1000; ++i) map.store(1, value);
  map.delete_key(1);
  EXPECT_LE(value.use_count(), 65);  // ours and those that wait for the next look
  map.clear();
  EXPECT_EQ(value.use_count(), 1);
}

TEST(SyncMap, AMapTakesAllThatItHasWithIt) {
  const auto value = std::make_shared<int>(0);
  {
    racelab::sync_map<int, std::shared_ptr<int>> map;
    for (int key = 0; key < 50; ++key) map.store(key, value);
    map.range([](int, const auto&) { return true; });
    for (int key = 0; key < 25; ++key) map.store(key, value);
    for (int key = 25; key < 100; ++key) map.store(key, value);
    for (int key = 0; key < 100; key += 3) map.delete_key(key);
  }
  EXPECT_EQ(value.use_count(), 1);
}

// Replaces the value of key 1 so often that what nobody protects is freed, on another thread.
template <class Value> void replace_many_times(racelab::sync_map<int, Value>& map, const Value& by) {
  std::thread([&] {
    for (int i = 0; i < 200; ++i) map.store(1, by);
  }).join();
}

TEST(SyncMap, AValueThatAVisitorLooksAtStays) {
  const std::string first = "a value that lives on the heap";
  racelab::sync_map<int, std::string> map;
  map.store(1, first);
  map.range([&](int, const std::string& value) {
    replace_many_times<std::string>(map, "another one that lives on the heap");
    EXPECT_EQ(value, first);
    return true;
  });
  EXPECT_EQ(map.load(1), "another one that lives on the heap");
}

std::function<void()> before_comparing;

struct compared_value {
  std::string text;
  friend bool operator==(const compared_value& one, const compared_value& other) {
    if (before_comparing) std::exchange(before_comparing, nullptr)();
    return one.text == other.text;
  }
};

TEST(SyncMap, AValueThatIsBeingComparedStays) {
  const compared_value first{"a value that lives on the heap"};
  racelab::sync_map<int, compared_value> map;
  map.store(1, first);
  EXPECT_TRUE(map.load(1).has_value());  // promotes: from here on no operation takes the lock
  before_comparing = [&map] {
    replace_many_times<compared_value>(map, {"another one that lives on the heap"});
  };
  // Equal, but replaced while it was compared: decided anew.
  EXPECT_FALSE(map.compare_and_swap(1, first, {"a third one"}));
  EXPECT_EQ(map.load(1).value_or(first).text, "another one that lives on the heap");
}

// ---- Exceptions

int copies_left = -1;  // until one throws; none does if this is negative

struct throwing_key {
  explicit throwing_key(int is) : number(is) {}
  throwing_key(const throwing_key& other) : number(other.number) {
    if (copies_left == 0) throw std::runtime_error("no copy");
    --copies_left;
  }
  throwing_key(throwing_key&&) = delete;
  throwing_key& operator=(const throwing_key&) = delete;
  throwing_key& operator=(throwing_key&&) = delete;
  ~throwing_key() = default;
  friend bool operator==(const throwing_key&, const throwing_key&) = default;
  int number;
};

struct throwing_key_hash {
  std::size_t operator()(const throwing_key& key) const { return static_cast<std::size_t>(key.number); }
};

using throwing_map = racelab::sync_map<throwing_key, int, throwing_key_hash>;

contents contents_of(const throwing_map& map) {
  contents found;
  map.for_each([&found](const throwing_key& key, int value) { found.emplace(key.number, value); });
  return found;
}

TEST(SyncMap, AnExceptionWhileTheReadTableIsCopiedChangesNothing) {
  constexpr int keys = 8;
  int thrown = 0;
  for (bool stored = false; !stored;) {
    throwing_map map;
    contents expected;
    for (int key = 0; key < keys; ++key) map.store(throwing_key(key), key);
    EXPECT_EQ(contents_of(map).size(), std::size_t{keys});  // and promotes them
    for (int key = 0; key < keys; ++key) {
      if (key % 2 == 0)
        map.delete_key(throwing_key(key));
      else
        expected.emplace(key, key);
    }
    copies_left = thrown;
    try {
      map.store(throwing_key(100), 100);
      stored = true;
    } catch (const std::runtime_error&) {
      ++thrown;
    }
    copies_left = -1;
    if (stored) expected.emplace(100, 100);
    EXPECT_EQ(contents_of(map), expected);
    // What the copy had expunged can be stored again, is not lost by the next promotion, and copying works.
    for (const int key : {0, 2, 200}) {
      map.store(throwing_key(key), key);
      expected.emplace(key, key);
    }
    EXPECT_EQ(contents_of(map), expected);
    EXPECT_EQ(contents_of(map), expected);
  }
  EXPECT_EQ(thrown, keys / 2 + 1);  // one for each key that is copied, and one for the new key
}

// ---- Threads

constexpr int threads = 4;

TEST(SyncMap, ConcurrentRange) {
  constexpr std::int64_t size = 1024;
  constexpr int walks = 16;
  racelab::sync_map<std::int64_t, std::int64_t> map;
  for (std::int64_t key = 1; key <= size; ++key) map.store(key, key);
  std::atomic<bool> done{false};
  racelab::run_together(threads, [&](int thread) {
    if (thread != 0) {
      std::mt19937_64 random(static_cast<unsigned>(thread));
      for (std::int64_t i = 1; !done.load(); ++i)
        for (std::int64_t key = 1; key <= size; ++key) {
          if (random() % size == 0)
            map.store(key, key * i * thread);
          else
            EXPECT_TRUE(map.load(key).has_value()) << key;
        }
      return;
    }
    for (int walk = 0; walk < walks; ++walk) {
      std::unordered_set<std::int64_t> seen;
      map.range([&seen](std::int64_t key, std::int64_t value) {
        EXPECT_EQ(value % key, 0) << key << " has a value that it was never given";
        EXPECT_TRUE(seen.insert(key).second) << key << " comes twice";
        return true;
      });
      EXPECT_EQ(seen.size(), static_cast<std::size_t>(size));
    }
    done.store(true);
  });
}

TEST(SyncMap, ConcurrentClear) {
  for (int round = 0; round < 50; ++round) {
    map_under_test map;
    racelab::run_together(3 * threads, [&map](int thread) {
      const int key = thread / 3;
      if (thread % 3 == 0)
        map.store(key, 10 * key);
      else if (thread % 3 == 1)
        EXPECT_EQ(map.load(key).value_or(10 * key), 10 * key);
      else
        map.clear();
    });
    map.clear();
    EXPECT_EQ(contents_of(map), contents());
  }
}

// Other threads' new keys and walks make the tables change all the time.
template <class Body> void beside_changing_tables(map_under_test& map, Body body) {
  std::atomic<int> working{threads};
  racelab::run_together(threads + 1, [&](int thread) {
    if (thread < threads) {
      body(thread);
      working.fetch_sub(1);
      return;
    }
    for (int i = 0; working.load() > 0; ++i) {
      const int key = 1'000'000 + i % 20;
      map.store(key, i);
      if (i % 5 == 0) map.range([](int, int) { return true; });
      map.delete_key(key);
    }
  });
}

TEST(SyncMap, OneThreadStoresEachKeyAndOneDeletesIt) {
  constexpr int keys = 10'000;
  map_under_test map;
  std::atomic<int> stored{0};
  std::atomic<int> deleted{0};
  beside_changing_tables(map, [&](int thread) {
    for (int key = 0; key < keys; ++key) {
      const auto [actual, loaded] = map.load_or_store(key, key * threads + thread);
      EXPECT_EQ(actual / threads, key);
      if (!loaded) stored.fetch_add(1);
    }
  });
  EXPECT_EQ(stored.load(), keys);
  beside_changing_tables(map, [&](int) {
    for (int key = 0; key < keys; ++key)
      if (map.load_and_delete(key).has_value()) deleted.fetch_add(1);
  });
  EXPECT_EQ(deleted.load(), keys);
  EXPECT_FALSE(map.load(0).has_value());
}

// Each value is put in by one swap, and comes out by one, or is left: none is lost, none comes out twice.
TEST(SyncMap, WhatIsSwappedInComesOutOnce) {
  constexpr int keys = 3;
  constexpr int each = 10'000;
  map_under_test map;
  std::array<std::vector<int>, threads> out;
  beside_changing_tables(map, [&](int thread) {
    auto& mine = out.at(static_cast<std::size_t>(thread));
    for (int i = 0; i < each; ++i) {
      const int value = thread * each + i;
      const auto had = i % 7 == 0 ? map.load_and_delete(value % keys) : std::nullopt;
      if (had) mine.push_back(*had);
      if (const auto previous = map.swap(value % keys, value)) mine.push_back(*previous);
    }
  });
  std::vector<int> times(std::size_t{threads} * each);
  for (const auto& one : out)
    for (const int value : one) ++times.at(static_cast<std::size_t>(value));
  for (int key = 0; key < keys; ++key)
    if (const auto left = map.load(key)) ++times.at(static_cast<std::size_t>(*left));
  for (std::size_t value = 0; value < times.size(); ++value) ASSERT_EQ(times[value], 1) << value;
}

TEST(SyncMap, NoIncrementByCompareAndSwapIsLost) {
  constexpr int keys = 3;
  constexpr int each = 10'000;
  map_under_test map;
  for (int key = 0; key < keys; ++key) map.store(key, 0);
  beside_changing_tables(map, [&map](int thread) {
    for (int i = 0; i < each; ++i) {
      const int key = (thread + i) % keys;
      for (;;) {
        const auto now = map.load(key);
        if (!now) {
          ADD_FAILURE() << key << " is gone";
          return;
        }
        if (map.compare_and_swap(key, *now, *now + 1)) break;
      }
    }
  });
  int sum = 0;
  for (int key = 0; key < keys; ++key) sum += map.load(key).value_or(0);
  EXPECT_EQ(sum, threads * each);
}

// One thread deletes what it has stored: between the two, and only then, it finds the key, whatever the others do.
TEST(SyncMap, AThreadFindsItsOwnKeysWhateverTheOthersDo) {
  constexpr int keys = 40;
  map_under_test map;
  beside_changing_tables(map, [&map](int thread) {
    for (int round = 0; round < 300; ++round) {
      for (int i = 0; i < keys; ++i) {
        map.store(thread * keys + i, round);
        EXPECT_EQ(map.load(thread * keys + i), round);
      }
      for (int i = 0; i < keys; ++i) {
        EXPECT_TRUE(map.compare_and_delete(thread * keys + i, round));
        EXPECT_FALSE(map.load(thread * keys + i).has_value());
      }
    }
  });
}

// Values on the heap, whose ends say whether they were read whole.
TEST(SyncMap, ReadersBesideClearFindWhatWasStored) {
  constexpr int keys = 8;
  const auto text = [](int key) { return "a value that lives on the heap " + std::to_string(key); };
  racelab::sync_map<std::string, std::string> map;
  std::atomic<bool> done{false};
  racelab::run_together(threads, [&](int thread) {
    if (thread == 0) {
      for (int round = 0; round < 2000; ++round) {
        for (int key = 0; key < keys; ++key) map.store(text(key), text(key));
        map.clear();
      }
      done.store(true);
      return;
    }
    while (!done.load()) {
      for (int key = 0; key < keys; ++key) {
        EXPECT_EQ(map.load(text(key)).value_or(text(key)), text(key));
      }
      map.range([](const std::string& key, const std::string& value) {
        EXPECT_EQ(key, value);
        return true;
      });
    }
  });
  EXPECT_FALSE(map.load(text(0)).has_value());
}

}  // namespace
