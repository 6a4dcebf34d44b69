#include "sanitizers/watchpoint/rules.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "sanitizers/watchpoint/events.hpp"
#include "sanitizers/watchpoint/random.hpp"
#include "sanitizers/watchpoint/runtime.hpp"
#include "sanitizers/watchpoint/stall.hpp"
#include "sanitizers/watchpoint/state.hpp"
#include "sanitizers/watchpoint/touched.hpp"

namespace racelab::watch {

constinit bool entries_are_delayed = false;

namespace {

constinit touched_bytes touched;

// The whole file, in pages of its own: there may be no heap yet. Rules refer to it for the process's life.
std::string_view text_of(const char* path) noexcept {
  struct stat status{};
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0 || fstat(file, &status) != 0) {
    std::fprintf(stderr, "racelab: RACELAB_WATCH_PLAN: %s: %s\n", path, std::strerror(errno));
    _exit(2);
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  std::string_view text;
  if (size != 0) {
    void* const start = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const ssize_t got = start == MAP_FAILED ? -1 : pread(file, start, size, 0);
    if (got > 0) text = {static_cast<const char*>(start), static_cast<std::size_t>(got)};
  }
  close(file);
  return text;
}

// Whether another thread has been at these bytes, as far as any rule asks.
bool is_shared(const access& what, std::uint32_t thread) noexcept {
  if (!the_plan.asks_for_shared() || what.is_fence()) return false;
  const bool shared = touched.by_another(what, thread);
  touched.add(what, thread);
  return shared;
}

void stall_by(std::size_t number, const access& what, const site_visit& visit) noexcept {
  const rule& chosen = the_plan.rules()[number];
  const stall how{.microseconds = chosen.microseconds,
                  .until_hit = chosen.until_hit,
                  .linger = chosen.linger,
                  .others = chosen.others,
                  .writers = chosen.writers,
                  .rule = static_cast<std::int32_t>(number)};
  for (const event_kind begins : {event_kind::visit, event_kind::stall_began})
    note_event(what, begins, visit.number, chosen.microseconds);
  if (what.atomic)
    delay_before(what, visit.number, how);
  else
    stall_before(what, visit.number, how);
  note_event(what, event_kind::stall_ended, visit.number, chosen.microseconds);
}

}  // namespace

void read_plan(const char* path) noexcept {
  if (const auto wrong = the_plan.parse(text_of(path))) {
    std::fprintf(stderr, "racelab: %s:%zu: '%.*s' %s\n", path, wrong->line,
                 static_cast<int>(wrong->text.size()), wrong->text.data(), wrong->why);
    _exit(2);
  }
  entries_are_delayed = the_plan.entries().microseconds != 0;
}

void delay_entry() noexcept {
  const entry_delay& how = the_plan.entries();
  if (mine.inside || mine.entries >= how.limit || stacks::live_threads() < 2) return;
  const int error = errno;
  ++mine.entries;
  prepare_thread();
  const std::uint64_t random = next_random(mine.random);
  if (random % 100 < how.chance) sleep_for(up_to(how.microseconds, random, 20));
  errno = error;
}

void find_planned_sites() noexcept {
  for_each_module(
      [](const module& each, void*) {
        the_plan.resolve(each);
        return true;
      },
      nullptr);
  keep_planned_sites_loud();
}

void keep_planned_sites_loud() noexcept {
  the_plan.for_each_pc([](std::uintptr_t pc) { site_attention.set_quiet(pc, false); });
}

bool stall_by_rule(const access& what, bool met) noexcept {
  const auto site = the_plan.site_at(what.pc);
  if (!site) return false;
  prepare_thread();
  const std::uint32_t thread = stacks::self().id.load(std::memory_order_relaxed);
  const site_visit visit{.site = *site,
                         .thread = thread,
                         .number = mine.visits[*site],
                         .atomic = what.atomic,
                         .shared = is_shared(what, thread),
                         .met = met};
  const auto number = the_plan.choose(visit, mine.random);
  if (number)
    stall_by(*number, what, visit);
  else
    note_event(what, event_kind::visit, visit.number, 0);
  // Only now: an access that meets another one in its stall is still the same visit.
  ++mine.visits[*site];
  return number.has_value();
}

}  // namespace racelab::watch
