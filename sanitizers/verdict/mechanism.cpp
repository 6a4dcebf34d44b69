#include "sanitizers/verdict/mechanism.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "stacks/text.hpp"

namespace racelab::verdict {
namespace {

using stacks::file_name;
using stacks::starts_with_any;

// Names as glibc has them, without versions and internal prefixes.
std::string_view plain_name(std::string_view function) {
  while (function.starts_with('_')) function.remove_prefix(1);
  return function.substr(0, function.find_first_of("@("));
}

// ThreadSanitizer (LLVM 14 to 22, gcc 12) intercepts none of these, or did not always.
constexpr auto clock_locks =
    std::to_array<std::string_view>({"pthread_mutex_clocklock", "pthread_rwlock_clockrdlock",
                                     "pthread_rwlock_clockwrlock", "sem_clockwait", "pthread_clockjoin_np"});
constexpr auto unintercepted_waits = std::to_array<std::string_view>(
    {"mtx_lock", "mtx_timedlock", "cnd_wait", "cnd_timedwait", "thrd_join", "call_once", "flock", "lockf",
     "lockf64", "fcntl", "fcntl64", "mq_receive", "mq_timedreceive", "msgrcv", "semop", "semtimedop",
     "sigwait", "sigwaitinfo", "eventfd_read"});
constexpr auto known_waits = std::to_array<std::string_view>(
    {"pthread_mutex_lock", "pthread_mutex_timedlock", "pthread_cond_", "pthread_join", "pthread_timedjoin",
     "pthread_tryjoin", "pthread_rwlock_rdlock", "pthread_rwlock_wrlock", "pthread_rwlock_timed",
     "pthread_spin_lock", "pthread_barrier_wait", "pthread_once", "sem_wait", "sem_timedwait",
     "cxa_guard_acquire"});
constexpr auto file_waits = std::to_array<std::string_view>(
    {"read", "recv", "recvfrom", "recvmsg", "poll", "ppoll", "select", "pselect", "epoll_wait", "accept"});
constexpr auto openmp_libraries = std::to_array<std::string_view>({"libgomp", "libomp", "libiomp"});
constexpr auto c_libraries =
    std::to_array<std::string_view>({"libc.so", "libc-2", "libpthread", "linux-vdso", "[vdso]"});
constexpr auto base_libraries = std::to_array<std::string_view>(
    {"libc.so", "libc-2", "ld-linux", "libpthread", "libm.so", "libgcc_s", "libstdc++", "libc++", "libtsan",
     "libunwind", "libclang_rt", "linux-vdso", "libdw", "libelf", "[vdso]"});

// Inlined into the program.
bool is_of_the_standard_library(const stacks::frame& of) {
  return of.file.find("/c++/") != std::string::npos;
}

std::optional<mechanism> mechanism_of_call(const std::string& function) {
  const auto is_one_of = [&](std::span<const std::string_view> names) {
    return std::ranges::find(names, function) != names.end();
  };
  if (is_one_of(clock_locks))
    return mechanism{.what = sight::hidden, .cause = "clock-lock", .detail = function};
  if (is_one_of(unintercepted_waits))
    return mechanism{.what = sight::hidden, .cause = "unintercepted-call", .detail = function};
  if (starts_with_any(function, known_waits))
    return mechanism{.what = sight::seen, .cause = "lock", .detail = function};
  if (is_one_of(file_waits)) return mechanism{.what = sight::seen, .cause = "io", .detail = function};
  return std::nullopt;
}

bool is_watch_runtime(const stacks::frame& of) {
  return of.function.starts_with("racelab::watch::") || of.function.starts_with("racelab::stacks::") ||
         of.function.find("(anonymous namespace)::answer") != std::string::npos;
}

bool is_c_library(std::string_view module) { return starts_with_any(file_name(module), c_libraries); }

}  // namespace

mechanism mechanism_of(const std::vector<stacks::frame>& waiting, std::string_view program,
                       const std::function<std::string(const stacks::frame&)>& called_by) {
  // What was called of libc, from outside of it: that is what a runtime intercepts, or doesn't.
  std::string called;
  bool in_libc = false;
  for (const stacks::frame& each : waiting) {
    const std::string_view module = file_name(each.module);
    if (each.function.starts_with("__tsan_atomic"))
      return {.what = sight::seen, .cause = "atomic", .detail = "it polls an atomic"};
    // It stands for the luck of a schedule in the runtime's own tests, and is meant to order nothing.
    if (each.function.starts_with("__tsan_testonly_barrier_wait")) return {};
    if (each.function.starts_with("__tsan_") || each.function.starts_with("racelab::watch::look"))
      return {.what = sight::racy, .cause = "plain-flag", .detail = "it polls plain memory"};
    if (is_watch_runtime(each)) continue;
    const bool was_in_libc = std::exchange(in_libc, is_c_library(module));
    if (in_libc) called = plain_name(each.function);
    // Not all of libc's functions have names, or frames: the call has one.
    if (was_in_libc && !in_libc)
      if (const std::string name = called_by(each); !name.empty()) called = plain_name(name);
    if (is_of_the_standard_library(each) || starts_with_any(module, base_libraries)) continue;
    if (starts_with_any(module, openmp_libraries))
      return {.what = sight::hidden, .cause = "openmp", .detail = std::string(module)};
    if (const auto known = mechanism_of_call(called)) return *known;
    const std::string function = each.function.empty() ? "" : stacks::short_name(each.function);
    if (each.module != program)
      return {.what = sight::hidden,
              .cause = "uninstrumented-library",
              .detail = function.empty() ? std::string(module) : std::string(module) + ", " + function};
    if (called == "syscall") return {.what = sight::hidden, .cause = "raw-syscall", .detail = function};
    if (called.empty() || called == "sched_yield")
      return {.what = sight::hidden, .cause = "asm-lock", .detail = function};
    return {.what = sight::unknown, .cause = "", .detail = called};
  }
  return {};
}

mechanism common_mechanism(const std::vector<mechanism>& seen) {
  // Who polls is seen at it nearly every time. Who once stood at a plain access may have had other work to do.
  if (const auto racy = std::ranges::find(seen, sight::racy, &mechanism::what); racy != seen.end()) {
    const auto times = static_cast<std::size_t>(std::ranges::count(seen, sight::racy, &mechanism::what));
    return 2 * times >= seen.size() ? *racy : mechanism{};
  }
  if (const auto found = std::ranges::find(seen, sight::seen, &mechanism::what); found != seen.end())
    return *found;
  std::map<std::string, std::size_t> counts;
  for (const mechanism& each : seen)
    if (each.what == sight::hidden) ++counts[each.cause];
  // Who polls a library's queue stands in its own loop most of the time, and who spins on its own lock never in a library.
  const auto most = std::ranges::max_element(
      counts, {}, [](const auto& each) { return std::pair{each.first != "asm-lock", each.second}; });
  if (most == counts.end()) return {};
  return *std::ranges::find(seen, most->first, &mechanism::cause);
}

}  // namespace racelab::verdict
