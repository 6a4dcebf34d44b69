#include "sanitizers/verdict/mechanism.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <span>

namespace racelab::verdict {
namespace {

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool starts_with_any(std::string_view text, std::span<const std::string_view> beginnings) {
  return std::ranges::any_of(beginnings, [&](std::string_view one) { return text.starts_with(one); });
}

// Names as glibc has them, without versions and internal prefixes.
std::string_view plain_name(std::string_view function) {
  while (function.starts_with('_')) function.remove_prefix(1);
  return function.substr(0, function.find_first_of("@("));
}

// ThreadSanitizer (LLVM 14 to 22, gcc 12) intercepts none of these, or did not always.
constexpr auto clock_locks = std::to_array<std::string_view>(
    {"pthread_mutex_clocklock", "pthread_rwlock_clockrdlock", "pthread_rwlock_clockwrlock", "sem_clockwait"});
constexpr auto known_waits = std::to_array<std::string_view>(
    {"pthread_mutex_lock", "pthread_mutex_timedlock", "pthread_cond_", "pthread_join", "pthread_timedjoin",
     "pthread_tryjoin", "pthread_rwlock_rdlock", "pthread_rwlock_wrlock", "pthread_rwlock_timed",
     "pthread_spin_lock", "pthread_barrier_wait", "pthread_once", "sem_wait", "sem_timedwait",
     "cxa_guard_acquire"});
constexpr auto file_waits = std::to_array<std::string_view>(
    {"read", "recv", "recvfrom", "recvmsg", "poll", "ppoll", "select", "pselect", "epoll_wait", "accept"});
constexpr auto openmp_libraries = std::to_array<std::string_view>({"libgomp", "libomp", "libiomp"});
constexpr auto base_libraries = std::to_array<std::string_view>(
    {"libc.so", "libc-2", "ld-linux", "libpthread", "libm.so", "libgcc_s", "libstdc++", "libc++", "libtsan",
     "libunwind", "libclang_rt", "linux-vdso", "libdw", "libelf", "[vdso]"});

bool is_watch_runtime(const stacks::frame& of) {
  return of.function.starts_with("racelab::watch::") || of.function.starts_with("racelab::stacks::") ||
         of.function.find("(anonymous namespace)::answer") != std::string::npos;
}

}  // namespace

mechanism mechanism_of(const std::vector<stacks::frame>& waiting, std::string_view program) {
  std::string libc_function;  // the outermost of libc's
  for (const stacks::frame& each : waiting) {
    const std::string_view name = plain_name(each.function);
    const std::string_view module = file_name(each.module);
    if (each.function.starts_with("__tsan_atomic"))
      return {.what = sight::seen, .cause = "atomic", .detail = "it polls an atomic"};
    if (each.function.starts_with("__tsan_") || each.function.starts_with("racelab::watch::look"))
      return {.what = sight::racy, .cause = "plain-flag", .detail = "it polls plain memory"};
    if (is_watch_runtime(each)) continue;
    if (starts_with_any(module, openmp_libraries))
      return {.what = sight::hidden, .cause = "openmp", .detail = std::string(module)};
    if (starts_with_any(module, base_libraries)) {
      if (starts_with_any(name, clock_locks))
        return {.what = sight::hidden, .cause = "clock-lock", .detail = std::string(name)};
      if (starts_with_any(name, known_waits))
        return {.what = sight::seen, .cause = "lock", .detail = std::string(name)};
      if (std::ranges::find(file_waits, name) != file_waits.end())
        return {.what = sight::seen, .cause = "io", .detail = std::string(name)};
      libc_function = name;
      continue;
    }
    if (each.module != program)
      return {.what = sight::hidden,
              .cause = "uninstrumented-library",
              .detail = each.function.empty()
                            ? std::string(module)
                            : std::string(module) + ", " + stacks::short_name(each.function)};
    const std::string function = each.function.empty() ? "the program" : stacks::short_name(each.function);
    if (libc_function == "syscall")
      return {.what = sight::hidden, .cause = "raw-syscall", .detail = function};
    if (libc_function.empty() || libc_function == "sched_yield")
      return {.what = sight::hidden, .cause = "asm-lock", .detail = function};
    return {.what = sight::unknown, .cause = "", .detail = libc_function};
  }
  return {};
}

mechanism common_mechanism(const std::vector<mechanism>& seen) {
  for (const sight strong : {sight::racy, sight::seen}) {
    const auto found = std::ranges::find(seen, strong, &mechanism::what);
    if (found != seen.end()) return *found;
  }
  std::map<std::string, std::size_t> counts;
  for (const mechanism& each : seen)
    if (each.what == sight::hidden) ++counts[each.cause];
  const auto most = std::ranges::max_element(counts, {}, [](const auto& each) { return each.second; });
  if (most == counts.end()) return {};
  return *std::ranges::find(seen, most->first, &mechanism::cause);
}

}  // namespace racelab::verdict
