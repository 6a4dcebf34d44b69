#include "stacks/threads.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>

#include "stacks/registry.hpp"

namespace racelab::stacks {

constinit thread_local thread_record* current __attribute__((tls_model("initial-exec"))) = nullptr;

namespace {

enum class slot_state : std::uint8_t { free, reserved, live };

struct slot {
  thread_record record;
  start_call start;
  void* alternate_stack = nullptr;  // ours, to be unmapped when the thread ends
};

// What a handler needs: libunwind's cursor and saved registers, a report's buffers, and the kernel's signal
// frame, which takes up to 11 KiB with AMX.
constexpr std::size_t alternate_stack_size = std::size_t{64} * 1024;

// The states stand apart from the records, so that a walk over all threads reads 4 KiB at most.
//
// Memory order: storing `live` or `free` is a release and every reading of a state that looks into the slot
// afterwards is an acquire, so who sees a state sees the record as it was left before.
constinit std::array<std::atomic<slot_state>, max_threads> states{};
constinit std::array<slot, max_threads> slots{};
constinit thread_record shared_record{};

// Relaxed: these are just counters.
constinit std::atomic<std::uint32_t> last_id{1};
constinit std::atomic<std::uint32_t> next_slot{0};
constinit std::atomic<std::uint32_t> slots_touched{0};
constinit std::atomic<std::uint32_t> live_count{0};

constinit std::atomic<bool> alternate_stacks_wanted{false};

pthread_key_t end_of_thread_key;
constinit bool end_of_thread_key_made = false;  // before main, by one thread

enum class life : std::uint8_t { running, destroying, ended };
constinit thread_local life stage __attribute__((tls_model("initial-exec"))) = life::running;

std::size_t index_of(const thread_record& record) {
  // A slot begins with its record, and both are of standard layout.
  return static_cast<std::size_t>(reinterpret_cast<const slot*>(&record) - slots.data());
}

void give_alternate_stack(slot& own) {
  stack_t before;
  // sigaltstack is not on POSIX' list of async-signal-safe functions but is a bare system call in glibc.
  if (sigaltstack(nullptr, &before) != 0 || (before.ss_flags & SS_DISABLE) == 0) return;
  void* const memory = mmap(nullptr, alternate_stack_size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) return;
  stack_t stack{};
  stack.ss_sp = memory;
  stack.ss_size = alternate_stack_size;
  if (sigaltstack(&stack, nullptr) == 0) {
    own.alternate_stack = memory;
  } else {
    munmap(memory, alternate_stack_size);
  }
}

void take_alternate_stack(slot& own) {
  if (own.alternate_stack == nullptr) return;
  stack_t now;
  if (sigaltstack(nullptr, &now) == 0 && now.ss_sp == own.alternate_stack) {
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    if (sigaltstack(&none, nullptr) != 0) return;  // we run on it: let it leak
  }
  munmap(own.alternate_stack, alternate_stack_size);
  own.alternate_stack = nullptr;
}

slot* take_free_slot() {
  for (std::size_t tries = 0; tries < max_threads; ++tries) {
    const std::uint32_t index = next_slot.fetch_add(1, std::memory_order_relaxed) % max_threads;
    auto expected = slot_state::free;
    // Acquire: pairs with the release by which the last owner freed the slot.
    if (!states[index].compare_exchange_strong(expected, slot_state::reserved, std::memory_order_acquire,
                                               std::memory_order_relaxed)) {
      continue;
    }
    std::uint32_t touched = slots_touched.load(std::memory_order_relaxed);
    while (touched <= index &&
           !slots_touched.compare_exchange_weak(touched, index + 1, std::memory_order_relaxed)) {
    }
    slot& taken = slots[index];
    taken.record.created_by.size = 0;
    taken.record.busy_with.store(nullptr, std::memory_order_relaxed);
    return &taken;
  }
  return nullptr;
}

void free_slot(slot& own) {
  own.record.tid.store(0, std::memory_order_relaxed);
  states[index_of(own.record)].store(slot_state::free, std::memory_order_release);
}

// The key's destructor runs after those of thread_local objects, in no known order with other keys' ones. So
// it asks for one more round, to let the others still have their record.
void end_thread(void* record) {
  if (stage == life::running) {
    stage = life::destroying;
    pthread_setspecific(end_of_thread_key, record);
    return;
  }
  stage = life::ended;
  current = nullptr;
  slot& own = slots[index_of(*static_cast<thread_record*>(record))];
  take_alternate_stack(own);
  live_count.fetch_sub(1, std::memory_order_relaxed);
  free_slot(own);
}

void attach(slot& own, std::uint32_t id) {
  own.record.id.store(id, std::memory_order_relaxed);
  own.record.tid.store(gettid(), std::memory_order_relaxed);
  states[index_of(own.record)].store(slot_state::live, std::memory_order_release);
  live_count.fetch_add(1, std::memory_order_relaxed);
  current = &own.record;
  if (end_of_thread_key_made) pthread_setspecific(end_of_thread_key, &own.record);
  if (alternate_stacks_wanted.load(std::memory_order_relaxed)) give_alternate_stack(own);
}

std::uint32_t new_id() { return last_id.fetch_add(1, std::memory_order_relaxed) + 1; }

// In the child of a fork only the thread that forked lives on; it keeps its number.
void after_fork_in_child() {
  for (std::size_t index = 0; index < max_threads; ++index) {
    slot& other = slots[index];
    if (&other.record == current || states[index].load(std::memory_order_relaxed) == slot_state::free)
      continue;
    if (other.alternate_stack != nullptr) munmap(other.alternate_stack, alternate_stack_size);
    other.alternate_stack = nullptr;
    free_slot(other);
  }
  if (current != nullptr) current->tid.store(gettid(), std::memory_order_relaxed);
  live_count.store(current != nullptr ? 1 : 0, std::memory_order_relaxed);
  forget_capture_requests();
}

// Early, so that the main thread is number 1 in every list and what allocates is done before the first
// signal.
[[gnu::constructor(102)]] void start_registry() {
  end_of_thread_key_made = pthread_key_create(&end_of_thread_key, end_thread) == 0;
  pthread_atfork(nullptr, nullptr, after_fork_in_child);
  self();
}

}  // namespace

thread_record& self() noexcept {
  if (current != nullptr) return *current;
  if (stage == life::ended) return shared_record;
  slot* const own = take_free_slot();
  if (own == nullptr) return shared_record;
  attach(*own, gettid() == getpid() ? 1 : new_id());
  return own->record;
}

void for_each_thread(void (*visit)(thread_record&, void*), void* argument) noexcept {
  const std::uint32_t end = slots_touched.load(std::memory_order_relaxed);
  for (std::uint32_t index = 0; index < end; ++index) {
    if (states[index].load(std::memory_order_acquire) == slot_state::live)
      visit(slots[index].record, argument);
  }
}

std::uint32_t live_threads() noexcept { return live_count.load(std::memory_order_relaxed); }

thread_record* reserve_thread(start_call start) noexcept {
  slot* const taken = take_free_slot();
  if (taken == nullptr) return nullptr;
  taken->start = start;
  taken->record.id.store(new_id(), std::memory_order_relaxed);
  return &taken->record;
}

void give_back_thread(thread_record& reserved) noexcept { free_slot(slots[index_of(reserved)]); }

start_call begin_thread(thread_record& reserved) noexcept {
  // pthread_create orders what the creator wrote before what the new thread reads (POSIX, memory
  // synchronisation).
  slot& own = slots[index_of(reserved)];
  attach(own, reserved.id.load(std::memory_order_relaxed));
  return own.start;
}

void give_alternate_stacks() noexcept {
  alternate_stacks_wanted.store(true, std::memory_order_relaxed);
  thread_record& own = self();
  if (&own != &shared_record) give_alternate_stack(slots[index_of(own)]);
}

}  // namespace racelab::stacks
