#include "sanitizers/thread/sites.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "sanitizers/thread/words.hpp"
#include "stacks/symbolise.hpp"
#include "stacks/text.hpp"

namespace racelab::tsan {
namespace {

using stacks::contains_any;
using stacks::file_name;
using stacks::starts_with_any;

// …/include/c++/12/bits/hashtable.h, …/include/x86_64-linux-gnu/c++/12/bits/gthr-default.h
bool is_of_the_standard_library(std::string_view file) {
  const auto at = file.find("/include/");
  return at != std::string_view::npos && file.find("/c++/", at) != std::string_view::npos;
}

bool is_runtime_module(std::string_view module) {
  static constexpr auto names =
      std::to_array<std::string_view>({"libtsan", "libclang_rt.tsan", "libc.so", "libstdc++.so", "libc++.so",
                                       "libc++abi.so", "libgcc_s.so", "ld-linux", "libpthread"});
  return starts_with_any(file_name(module), names);
}

std::string short_name(const frame& of, bool go) {
  return go ? of.function : stacks::short_name(of.function);
}

std::string identity(const frame& of, bool go) {
  if (of.function.empty() && of.file.empty()) return fmt::format("{}+{:#x}", file_name(of.module), of.offset);
  return fmt::format("{} {}", short_name(of, go), file_name(of.file));
}

std::string bytes(std::uint64_t count) { return stacks::plural(count, "byte"); }

// Decimal and hexadecimal ones.
std::string without_numbers(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    words number(text);
    if (number.take_address() || number.take_number()) {
      text = number.rest();
    } else {
      result += text.front();
      text.remove_prefix(1);
    }
  }
  return result;
}

}  // namespace

std::string thread_title(const report& in, thread_number number) {
  if (!number) return "an unknown thread";
  if (*number == 0) return in.go ? "main goroutine" : "main thread";
  const auto found = std::ranges::find(in.threads, *number, &thread::number);
  const std::string quoted = found == in.threads.end() || found->name.empty() ? "" : " '" + found->name + "'";
  return (in.go ? "goroutine " : "thread T") + std::to_string(*number) + quoted;
}

std::string access_title(const report& in, const access& of) {
  std::string text = of.previous ? "previous " : "";
  if (of.atomic) text += "atomic ";
  text += of.write ? "write" : "read";
  if (!of.object.empty()) {
    text += " of a " + of.object;
  } else if (of.size != 0) {
    text += " of " + bytes(of.size);
  }
  text += " by " + thread_title(in, of.thread);
  for (std::size_t i = 0; i < of.mutexes.size(); ++i) {
    text += (i == 0 ? ", holding " : ", ") + of.mutexes[i].id + (of.mutexes[i].write ? "" : " to read");
  }
  return text;
}

std::string acquisition_title(const report& in, const acquisition& of) {
  return fmt::format("{} locked while holding {}, by {}", of.mutex, of.held, thread_title(in, of.thread));
}

std::string location_title(const report& of) {
  const location& found = of.accessed.value();
  const std::string thread = thread_title(of, found.thread);
  std::string text;
  switch (found.kind) {
    case location_kind::heap:
      text = "heap block of " + bytes(found.size);
      break;
    case location_kind::external_object:
      text = found.name + " of " + bytes(found.size);
      break;
    case location_kind::global:
      text = "global '" + found.name + "'";
      if (found.size != 0) text += " of " + bytes(found.size);
      break;
    case location_kind::thread_stack:
      return "stack of " + thread;
    case location_kind::thread_local_storage:
      return "thread-local storage of " + thread;
    case location_kind::file_descriptor:
      return fmt::format("file descriptor {}, {} by {}", found.descriptor.value_or(-1),
                         found.closed ? "closed" : "opened", thread);
  }
  if (found.offset.value_or(0) != 0) text += ", " + bytes(*found.offset) + " into it";
  if (found.thread) text += ", allocated by " + thread;
  return text;
}

std::vector<party> parties(const report& of) {
  std::vector<party> all;
  for (const access& each : of.accesses) all.push_back({access_title(of, each), &each.where});
  for (const acquisition& each : of.acquisitions) all.push_back({acquisition_title(of, each), &each.where});
  if (!all.empty()) return all;
  for (const noted_stack& each : of.stacks) all.push_back({each.note, &each.where});
  if (!all.empty()) return all;
  for (const thread& each : of.threads) all.push_back({"", &each.created});
  return all;
}

bool is_sanitizer_frame(const frame& candidate) {
  static constexpr auto folders = std::to_array<std::string_view>({"/compiler-rt/lib/", "/libsanitizer/"});
  return contains_any(candidate.file, folders);
}

bool is_library_frame(const frame& candidate) {
  static constexpr auto folders =
      std::to_array<std::string_view>({"/libstdc++-v3/", "/libcxx/", "sysdeps/unix/", "/usr/include/"});
  if (is_sanitizer_frame(candidate)) return true;
  static constexpr auto go_packages =
      std::to_array<std::string_view>({"runtime.", "sync.", "sync/", "internal/", "syscall."});
  if (contains_any(candidate.file, folders) || candidate.file.starts_with("nptl/")) return true;
  if (is_of_the_standard_library(candidate.file) || is_runtime_module(candidate.module)) return true;
  if (starts_with_any(candidate.function, go_packages)) return true;
  stacks::frame as_symbolised;
  as_symbolised.function = candidate.function;
  as_symbolised.module = candidate.module;
  return !candidate.function.empty() && stacks::is_spawning_frame(as_symbolised);
}

std::size_t user_frame(const stack& of) {
  const auto index = [&](auto found) { return static_cast<std::size_t>(found - of.frames.begin()); };
  // Frames of the runtime in the program itself (interceptors) have a name but no file. So have those of the user's code
  // without debug information, which is why they are second.
  const auto with_file = std::ranges::find_if(of.frames, [](const frame& each) {
    return !each.file.empty() && each.line != 0 && !is_library_frame(each);
  });
  if (with_file != of.frames.end()) return index(with_file);
  const auto with_name = std::ranges::find_if(
      of.frames, [](const frame& each) { return !each.function.empty() && !is_library_frame(each); });
  if (with_name != of.frames.end()) return index(with_name);
  const auto of_the_program = std::ranges::find_if_not(of.frames, is_library_frame);
  return of_the_program == of.frames.end() ? 0 : index(of_the_program);
}

std::string signature(const report& of) {
  std::vector<std::string> sides;
  for (const party& each : parties(of)) {
    sides.push_back(
        each.where->frames.empty() ? "?" : identity(each.where->frames[user_frame(*each.where)], of.go));
  }
  std::ranges::sort(sides);
  std::string text(describe(of.kind).name);
  // The runtime's own words: of a signal or a failure there may be nothing else. Numbers in them change from run to run.
  if (sides.empty() || of.kind == report_kind::external_race || of.kind == report_kind::deadly_signal ||
      is_runtime_failure(of.kind)) {
    text += " " + without_numbers(of.title);
  }
  for (const std::string& side : sides) text += " | " + side;
  return text;
}

std::string fingerprint(std::string_view signature) {
  // FNV-1a: the same everywhere and always, which std::hash is not.
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : signature) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return fmt::format("{:016x}", hash);
}

}  // namespace racelab::tsan
