#include "stacks/reading/roles.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "stacks/symbolise.hpp"

namespace racelab::reading {
namespace {

/// Names that start with one of `starts`.
template <std::size_t Count>
bool starts_with_one(std::string_view text, const std::array<std::string_view, Count>& starts) {
  return std::ranges::any_of(starts, [&](std::string_view start) { return text.starts_with(start); });
}

template <std::size_t Count>
bool has_one(std::string_view text, const std::array<std::string_view, Count>& parts) {
  return std::ranges::any_of(
      parts, [&](std::string_view part) { return text.find(part) != std::string_view::npos; });
}

constexpr std::array<std::string_view, 22> handlers = {
    "raise",           "__GI_raise",
    "abort",           "__GI_abort",
    "__pthread_kill",  "pthread_kill",
    "__libc_message",  "malloc_printerr",
    "__assert_fail",   "__GI___assert_fail",
    "__fortify_fail",  "__stack_chk_fail",
    "__asan_report",   "__interceptor_free",
    "runtime.throw",   "runtime.fatal",
    "runtime.gopanic", "runtime.sigpanic",
    "runtime.panic",   "panic",
    "std::terminate",  "__gnu_cxx::__verbose_terminate_handler"};
constexpr std::array<std::string_view, 26> runtimes = {
    "__libc_",          "_start",          "__clone",  "clone",     "start_thread",
    "_int_free",        "_int_malloc",     "__GI_",    "__libc",    "_dl_",
    "operator new",     "operator delete", "runtime.", "internal/", "reflect.",
    "__tsan_",          "__asan_",         "__ubsan_", "free",      "malloc",
    "pthread_create",   "__pthread_",      "asan_",    "tsan_",     "racelab::watch::",
    "racelab::stacks::"};
constexpr std::array<std::string_view, 9> library_names = {
    "std::", "__gnu_cxx::", "boost::", "absl::", "tbb::", "libcuckoo::", "sync.", "__cxxabiv1::", "folly::"};
constexpr std::array<std::string_view, 9> library_files = {"/usr/include/",  "/usr/lib/",    "/usr/src/",
                                                           "repro/support/", "include/c++/", "fixes/",
                                                           "/go/src/sync/",  "../sysdeps/",  "./nptl/"};
constexpr std::array<std::string_view, 3> starting_threads = {"racelab::run_together", "std::thread::_",
                                                              "std::__invoke"};
constexpr std::array<std::string_view, 5> runtime_modules = {"libc.so", "libpthread", "ld-linux", "libtsan",
                                                             "libasan"};

constexpr std::array<std::pair<std::string_view, std::string_view>, 36> meanings = {{
    {"concurrent map read and map write",
     "A reader met a writer in one map, and nothing orders them: the map's own flag says so."},
    {"concurrent map iteration and map write",
     "A walk met a writer in one map, and nothing orders them: the map's own flag says so."},
    {"concurrent map clone and map write",
     "A copy met a writer in one map, and nothing orders them: the map's own flag says so."},
    {"concurrent map writes",
     "Two writers are in one map at once, and nothing orders them: the map's own flag says so."},
    {"all goroutines are asleep",
     "Every goroutine waits for another: a deadlock. No stack is at fault alone."},
    {"nil pointer dereference", "A pointer that is null was used."},
    {"null pointer", "A pointer that is null was used."},
    {"stack exceeds", "The stack grew without end: a function that calls itself."},
    {"heap-use-after-free", "Memory was used that had been given back: the second stack shows by whom."},
    {"attempting double-free",
     "A block was given back twice. Where threads race on a container, both freed the same entry."},
    {"heap-buffer-overflow", "An access beyond the end of a block."},
    {"stack-buffer-overflow", "An access beyond the end of a variable on the stack."},
    {"stack-use-after-return", "A variable was used after its function had returned."},
    {"tcache",
     "free() was given a block that already lies in this thread's cache of free ones: it was freed twice."},
    {"double free or corruption (fasttop)",
     "free() was given the block that was freed last: it was freed twice."},
    {"double free or corruption",
     "free() was given a block that is free already: it was freed twice, or its header was overwritten."},
    {"invalid next size",
     "The size behind a block makes no sense: somebody wrote beyond a block's end, or into a freed one."},
    {"invalid size",
     "A block's size makes no sense: somebody wrote before or beyond a block, or into a freed one."},
    {"corrupted size vs. prev_size",
     "Two neighbouring blocks disagree on a size: somebody wrote beyond a block's end, or into a freed one."},
    {"corrupted double-linked list", "malloc's list of free blocks is broken: freed memory was written to."},
    {"unaligned tcache chunk",
     "malloc's list of free blocks points to nowhere: freed memory was written to."},
    {"unaligned fastbin chunk",
     "malloc's list of free blocks points to nowhere: freed memory was written to."},
    {"invalid pointer", "free() was given what malloc() never gave."},
    {"corrupted top size",
     "The rest of the heap has a size that makes no sense: somebody wrote beyond the last block."},
    {"munmap_chunk()", "free() was given what malloc() never gave, or its header was overwritten."},
    {"stack smashing detected",
     "A function wrote beyond its own variables: the stack is not to be believed."},
    {"pure virtual method called",
     "A virtual function was called on an object that is being built or destroyed: in threads, a race with "
     "the destructor."},
    {"terminate called",
     "An exception left a thread or a destructor, or a std::thread was destroyed while it ran."},
    {"Assertion `", "The program's own check failed."},
    {"size() says",
     "The counter and the entries disagree: two threads counted at once, or an entry was lost or linked "
     "twice."},
    {"comes in a walk but is not found",
     "An entry hangs in a chain where its hash does not belong: it was linked while the table moved, or its "
     "key was overwritten."},
    {"comes twice in a walk",
     "An entry is reached on two ways: two threads linked it, or a chain leads back into itself."},
    {"the walk does not end", "A chain has become a ring: two threads turned it around at once."},
    {"although it was deleted", "A delete was lost: another thread published what it had read before it."},
    {" is gone", "An insert was lost: another thread overwrote the pointer that led to it."},
    {"member call on address", "An object was used that is none, or no longer."},
}};

}  // namespace

std::string_view name(owner whose) noexcept {
  switch (whose) {
    case owner::handler:
      return "handler";
    case owner::runtime:
      return "runtime";
    case owner::library:
      return "library";
    case owner::yours:
      return "yours";
    case owner::unknown:
      break;
  }
  return "unknown";
}

owner owner_of(const frame& one) {
  if (one.function.empty() && one.file.empty()) return owner::unknown;
  const bool go = one.file.ends_with(".go");
  const std::string function = go ? one.function : stacks::short_name(one.function);
  if (starts_with_one(function, handlers)) return owner::handler;
  if (has_one(function, starting_threads)) return owner::runtime;
  if (starts_with_one(function, library_names) || has_one(one.file, library_files)) {
    if (has_one(one.file, std::array<std::string_view, 2>{"../sysdeps/", "./nptl/"})) return owner::runtime;
    return owner::library;
  }
  if (starts_with_one(function, runtimes) || has_one(one.module, runtime_modules)) return owner::runtime;
  return owner::yours;
}

std::optional<std::size_t> thrower_of(const thread& one) {
  for (std::size_t i = 0; i < one.frames.size(); ++i)
    if (one.frames[i].below_signal) return i;
  for (std::size_t i = 0; i < one.frames.size(); ++i)
    if (owner_of(one.frames[i]) != owner::handler) return i;
  return std::nullopt;
}

std::optional<std::size_t> first_of_yours(const thread& one, std::size_t from) {
  for (std::size_t i = from; i < one.frames.size(); ++i)
    if (owner_of(one.frames[i]) == owner::yours) return i;
  return std::nullopt;
}

std::optional<std::size_t> failed_thread(const crash& what) {
  if (what.threads.empty()) return std::nullopt;
  for (std::size_t i = 0; i < what.threads.size(); ++i)
    for (const frame& each : what.threads[i].frames)
      if (each.below_signal) return i;
  if (!what.failed.empty())
    for (std::size_t i = 0; i < what.threads.size(); ++i)
      if ((what.threads[i].title + " ").starts_with(what.failed)) return i;
  return 0;
}

bool used_null(const crash& what) {
  if (is_null_access(what)) return true;
  if (what.address || what.signal != "SIGSEGV") return false;
  if (what.threads.empty()) return false;
  const thread& failed = what.threads.at(failed_thread(what).value_or(0));
  const auto thrower = thrower_of(failed);
  return thrower && (failed.frames[*thrower].arguments + ",").find("=0x0,") != std::string::npos;
}

std::string_view meaning_of(std::string_view message) noexcept {
  for (const auto& [words, meaning] : meanings)
    if (message.find(words) != std::string_view::npos) return meaning;
  return "";
}

}  // namespace racelab::reading
