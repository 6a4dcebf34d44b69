#include "serve/profile.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <ranges>
#include <string_view>
#include <thread>
#include <utility>

#include <unistd.h>

#include "stacks/threads.hpp"

namespace racelab::serve {
namespace {

using stack_key = std::pair<std::vector<std::uintptr_t>, bool>;  // and whether the top is exact

struct sampler {
  std::map<stack_key, std::uint64_t> seen;
  const stacks::thread_record* self = nullptr;

  void take(stacks::thread_record& thread) {
    if (&thread == self) return;
    stacks::raw_trace trace;
    // A thread that has no processor for that long was not running either.
    if (!stacks::capture_other(thread, trace, std::chrono::milliseconds(20))) return;
    const auto frames = trace.frames();
    ++seen[{{frames.begin(), frames.end()}, trace.exact_top}];
  }
};

bool has_any(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::ranges::any_of(parts, [text](auto part) { return text.find(part) != std::string_view::npos; });
}

/// What stands between a function of ours and the pthread function: the standard library, our annotated locks, the
/// wrapper that counts.
bool is_lock_wrapper(const stacks::frame& candidate) {
  if (candidate.function.empty()) return true;
  const std::string name = stacks::short_name(candidate.function);
  static constexpr std::array<std::string_view, 10> prefixes{"std::",
                                                             "__gthread",
                                                             "__gthrw",
                                                             "__glibcxx",
                                                             "racelab::annotated_",
                                                             "racelab::mutex_lock",
                                                             "racelab::reader_lock",
                                                             "racelab::detail::timed_lock",
                                                             "racelab::serve::(anonymous namespace)::counted",
                                                             "__wrap_"};
  return std::ranges::any_of(prefixes, [&](auto prefix) { return name.starts_with(prefix); }) ||
         candidate.file.ends_with("serve/lock_waits.cpp");
}

/// The function that takes the lock which the thread waits for; null if it waits for none.
const stacks::frame* lock_taker(const sampled_stack& stack) {
  // The innermost frames of a waiting thread are libc's.
  constexpr std::size_t deepest = 6;
  const auto begin = stack.frames.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(std::min(deepest, stack.frames.size()));
  auto lock = std::find_if(begin, end, is_lock_frame);
  if (lock == end) return nullptr;
  const auto taker = std::find_if(lock, stack.frames.end(), [](const stacks::frame& each) {
    return !is_lock_frame(each) && !is_lock_wrapper(each);
  });
  return taker == stack.frames.end() ? nullptr : &*taker;
}

}  // namespace

std::vector<sampled_stack> sample_threads(std::chrono::milliseconds length, std::chrono::milliseconds every,
                                          const std::stop_token& stop) {
  sampler taken;
  taken.self = &stacks::self();
  const auto end = std::chrono::steady_clock::now() + length;
  while (std::chrono::steady_clock::now() < end && !stop.stop_requested()) {
    stacks::for_each_thread(
        [](stacks::thread_record& thread, void* into) { static_cast<sampler*>(into)->take(thread); }, &taken);
    std::this_thread::sleep_for(every);
  }
  const stacks::symboliser symbols(getpid());
  std::vector<sampled_stack> samples;
  for (const auto& [key, count] : taken.seen)
    samples.push_back({.frames = symbols.resolve(key.first, key.second), .count = count});
  return samples;
}

bool is_lock_frame(const stacks::frame& candidate) {
  return has_any(candidate.function,
                 {"pthread_mutex_lock", "pthread_rwlock_rdlock", "pthread_rwlock_wrlock", "lll_lock_wait"});
}

bool is_idle(const sampled_stack& stack) {
  constexpr std::size_t deepest = 4;
  return std::ranges::any_of(stack.frames | std::views::take(deepest), [](const stacks::frame& each) {
    return has_any(each.function, {"epoll_wait", "pthread_cond_", "nanosleep", "syscall"}) ||
           each.function == "poll" || each.function == "__poll";
  });
}

std::optional<contended_lock> most_contended(const std::vector<sampled_stack>& samples) {
  std::map<std::string, std::pair<std::uint64_t, const stacks::frame*>> waiting;
  std::uint64_t busy = 0;
  for (const sampled_stack& stack : samples) {
    if (is_idle(stack)) continue;
    busy += stack.count;
    const stacks::frame* const taker = lock_taker(stack);
    if (taker == nullptr) continue;
    auto& [count, frame] = waiting[stacks::short_name(taker->function)];
    count += stack.count;
    frame = taker;
  }
  if (waiting.empty()) return std::nullopt;
  const auto& [name, most] =
      *std::ranges::max_element(waiting, {}, [](const auto& each) { return each.second.first; });
  return contended_lock{.function = name,
                        .file = most.second->file,
                        .line = most.second->line,
                        .share = static_cast<double>(most.first) / static_cast<double>(busy)};
}

}  // namespace racelab::serve
