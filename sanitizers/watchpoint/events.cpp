#include "sanitizers/watchpoint/events.hpp"

#include <unistd.h>

#include <atomic>

#include "sanitizers/watchpoint/evidence_file.hpp"
#include "sanitizers/watchpoint/stall.hpp"
#include "sanitizers/watchpoint/state.hpp"

namespace racelab::watch {
namespace {

constinit evidence_file<site_entry> site_file;
constinit evidence_file<event_entry> event_file;

// Relaxed: whoever reads the file meanwhile sees numbers that grow.
template <class T> void store(T& into, T value) noexcept {
  std::atomic_ref(into).store(value, std::memory_order_relaxed);
}

std::uint8_t noted_order(const access& what) noexcept {
  return what.atomic ? static_cast<std::uint8_t>(1 + what.order) : std::uint8_t{0};
}

void count_visit(site_entry& entry, const site& where, const access& what) noexcept {
  std::atomic_ref(entry.visits).fetch_add(1, std::memory_order_relaxed);
  const auto size = static_cast<std::uint32_t>(what.size < UINT32_MAX ? what.size : UINT32_MAX);
  if (std::atomic_ref(entry.size).load(std::memory_order_relaxed) < size) store(entry.size, size);
  if (what.write) store<std::uint8_t>(entry.write, 1);
  if (what.atomic) store(entry.atomic, noted_order(what));
  if (what.release) store<std::uint8_t>(entry.release, 1);
  store(entry.threads, where.threads.load(std::memory_order_relaxed));
  store(entry.pc, what.pc);
}

}  // namespace

bool open_sites(const char* path) noexcept { return site_file.open(path, most_site_entries); }
bool open_events(const char* path) noexcept { return event_file.open(path, most_event_entries); }
bool sites_are_noted() noexcept { return site_file.is_open(); }

void note_site(const access& what) noexcept {
  site* const where = sites.find_or_insert(what.pc);
  if (where == nullptr) {
    site_file.drop();
    return;
  }
  where->add_thread(stacks::self().id.load(std::memory_order_relaxed));
  if (site_entry* const entry = site_file.at(sites.number_of(*where))) count_visit(*entry, *where, what);
}

void note_event(const access& what, event_kind kind, std::uint32_t visit, std::uint32_t stalled_us) noexcept {
  if (!event_file.is_open()) return;
  event_entry* const entry = event_file.append();
  if (entry == nullptr) return;
  entry->pc = what.pc;
  entry->address = what.address;
  if (has_value(what))
    entry->value = kind == event_kind::stall_ended ? value_after(what).value_or(0) : value_before(what);
  entry->size = static_cast<std::uint32_t>(what.size < UINT32_MAX ? what.size : UINT32_MAX);
  entry->thread = stacks::self().id.load(std::memory_order_relaxed);
  entry->visit = visit;
  entry->stalled_us = stalled_us;
  entry->write = static_cast<std::uint8_t>(what.write);
  entry->atomic = noted_order(what);
  entry->release = static_cast<std::uint8_t>(what.release);
  entry->kind = kind;
  entry->process = static_cast<std::uint32_t>(getpid());
  // Release: publishes the rest of the entry to a reader of the file that has seen the time.
  std::atomic_ref(entry->time_ns).store(now_ns(), std::memory_order_release);
}

void note_hit(const access& what) noexcept {
  const auto site = the_plan.site_at(what.pc);
  note_event(what, event_kind::hit, site ? mine.visits[*site] : 0, 0);
}

}  // namespace racelab::watch
