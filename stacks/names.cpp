// Function names: how to shorten them, and which to hide.
#include "stacks/names.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <string_view>
#include <system_error>

#include "stacks/symbolise.hpp"
#include "stacks/text.hpp"

namespace racelab::stacks {
namespace {

bool is_name_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$';
}

// Shortens by one pass from left to right. What stands before a space at the outermost level is a return type
// (or "vtable for"), and is dropped; but not in `operator new` or before a trailing `const`.
class shortener {
 public:
  explicit shortener(std::string_view text) : rest_(text) {}

  std::string run() {
    while (!rest_.empty() && !done_) step();
    return result_;
  }

 private:
  void drop(std::size_t count) {
    previous_ = rest_[count - 1];
    rest_.remove_prefix(count);
  }

  bool take(std::string_view prefix) {
    if (!rest_.starts_with(prefix)) return false;
    drop(prefix.size());
    return true;
  }

  bool keep(std::string_view prefix) {
    if (!take(prefix)) return false;
    result_ += prefix;
    return true;
  }

  void step() {
    if (keep("(anonymous namespace)") || keep("(anonymous class)")) return;
    const char next = rest_.front();
    if (at_operator()) {
      operator_name();
    } else if (next == '<') {
      skip_brackets();
      result_ += "<…>";
    } else if (next == '(') {
      parameters();
    } else if (next == '[') {  // [abi:cxx11]
      skip_brackets();
    } else if (next == '{') {
      braces();
    } else if (next == ' ') {
      space();
    } else {
      result_ += next;
      drop(1);
    }
  }

  // Removes a bracketed group, from the opening bracket to the closing one.
  void skip_brackets() {
    std::size_t depth = 0;
    while (!rest_.empty()) {
      // In template arguments: &ns::operator<, operator->. Their symbols are no brackets.
      if (at_operator()) {
        const std::size_t size = result_.size();
        operator_name();
        result_.resize(size);
        continue;
      }
      const char next = rest_.front();
      const bool arrow = next == '-' && rest_.starts_with("->");
      drop(arrow ? 2 : 1);
      if (next == '<' || next == '(' || next == '[' || next == '{') ++depth;
      if ((next == '>' || next == ')' || next == ']' || next == '}') && --depth == 0) return;
    }
  }

  void parameters() {
    if (result_.empty() && rest_.size() > 1 && (rest_[1] == '*' || rest_[1] == '&')) {
      // A function that returns a pointer to a function: void (*name<int>(int))(char).
      drop(2);
      unwrapping_ = true;
      return;
    }
    const bool none = rest_.starts_with("()");
    skip_brackets();
    result_ += none ? "()" : "(…)";
    // What follows is the parameters of the returned function.
    if (unwrapping_ && rest_.starts_with(")")) done_ = true;
  }

  // {lambda(int)#1}, {unnamed type#2}
  void braces() {
    while (!rest_.empty()) {
      if (rest_.front() == '(') {
        parameters();
        continue;
      }
      const char next = rest_.front();
      result_ += next;
      drop(1);
      if (next == '}') return;
    }
  }

  // A space ends a return type, unless only qualifiers of a member function follow, to the end or to what is
  // local in that function: `a::f(int) const::{lambda()#1}::operator()() const`.
  void space() {
    if (rest_.starts_with(" [") || rest_.starts_with(" (.") || rest_.starts_with(" requires ")) {
      done_ = true;  // [clone .cold]
      return;
    }
    const std::string_view before = rest_;
    std::string qualifiers;
    for (bool found = true; found;) {
      found = false;
      for (const std::string_view word : {" const", " volatile", " &&", " &", " noexcept"}) {
        if (!take(word)) continue;
        qualifiers += word;
        found = true;
        break;
      }
    }
    const bool trailing = !qualifiers.empty() && (rest_.empty() || rest_.starts_with("::") ||
                                                  rest_.starts_with(" [") || rest_.starts_with(" ("));
    if (trailing) {
      result_ += qualifiers;
    } else {
      rest_ = before;
      drop(1);
      result_.clear();
    }
  }

  [[nodiscard]] bool at_operator() const {
    constexpr std::string_view word = "operator";
    if (!rest_.starts_with(word)) return false;
    if (is_name_character(previous_)) return false;
    return rest_.size() > word.size() && !is_name_character(rest_[word.size()]);
  }

  void operator_name() {
    take("operator");
    result_ += "operator";
    static constexpr auto symbols =
        std::to_array<std::string_view>({"<=>", "<<=", ">>=", "->*", "()", "[]", "<<", ">>", "<=", ">=", "->",
                                         "<", ">", " new[]", " new", " delete[]", " delete", " co_await"});
    for (const std::string_view symbol : symbols) {
      if (!keep(symbol)) continue;
      // operator< <int>: the demangler's space keeps the two apart.
      if (rest_.starts_with(" <")) keep(" ");
      return;
    }
    if (!rest_.starts_with(" ")) return;  // another symbol: its characters need no care
    // A conversion: operator std::string<char>(), operator unsigned long().
    while (!rest_.empty() && rest_.front() != '(') {
      if (rest_.front() == '<') {
        skip_brackets();
        result_ += "<…>";
      } else if (rest_.front() == '[') {
        skip_brackets();
      } else {
        result_ += rest_.front();
        drop(1);
      }
    }
  }

  std::string_view rest_;
  char previous_ = ' ';  // the character before rest_
  std::string result_;
  bool unwrapping_ = false;
  bool done_ = false;
};

// Of a name that is mangled still, because it is of a newer kind than the demangler at hand (an old gdb's, say): as far as
// its first template arguments. Itanium C++ ABI, section 5.1.2.
std::string start_of_mangled(std::string_view text) {
  std::string_view rest = text.substr(std::string_view("_Z").size());
  const bool local = rest.starts_with('Z');  // of something within a function
  rest.remove_prefix(std::min(rest.find_first_not_of("ZNKVr"), rest.size()));
  std::string name;
  if (rest.starts_with("St")) {
    name = "std";
    rest.remove_prefix(2);
  }
  for (std::size_t length = 0; !rest.empty(); rest.remove_prefix(length)) {
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), length);
    if (error != std::errc()) break;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (length == 0 || length > rest.size()) return std::string(text);
    const std::string_view part = rest.substr(0, length);
    name += name.empty() ? "" : "::";
    name += part == "_GLOBAL__N_1" ? "(anonymous namespace)" : part;
  }
  if (name.empty() || name == "std") return std::string(text);
  return name + (rest.starts_with('I') ? "<…>" : "") + (local ? "(…)::…" : "(…)");
}

// The short name's part before the first parameter list.
std::string_view without_parameters(std::string_view name) { return name.substr(0, name.find('(')); }

}  // namespace

bool is_system_library(std::string_view path) {
  static constexpr auto prefixes =
      std::to_array<std::string_view>({"libc.so", "libc-2", "ld-linux", "libpthread", "libgcc_s.so",
                                       "libstdc++.so", "libunwind.so", "libunwind-x86", "linux-vdso"});
  return path.starts_with("[vdso") || starts_with_any(file_name(path), prefixes);
}

std::string short_name(const std::string& demangled) {
  std::string_view name = demangled;
  // glibc's inner aliases: __GI_abort, and __libc_free for free.
  static constexpr auto allocator =
      std::to_array<std::string_view>({"free", "malloc", "calloc", "realloc", "memalign"});
  for (const std::string_view prefix : {"__GI_", "__libc_"}) {
    if (!name.starts_with(prefix)) continue;
    const std::string_view rest = name.substr(prefix.size());
    if (prefix == "__GI_" || std::ranges::find(allocator, rest) != allocator.end()) name = rest;
  }
  return name.starts_with("_Z") ? start_of_mangled(name) : shortener(name).run();
}

bool is_detector_frame(const frame& candidate) {
  // The hooks of our runtime stand in no namespace, and are inlined into one another.
  if (candidate.file.starts_with("sanitizers/watchpoint/")) return true;
  if (file_name(candidate.module).starts_with("libunwind")) return true;
  static constexpr auto prefixes = std::to_array<std::string_view>(
      {"racelab::stacks::", "racelab::write_flag::", "racelab::watch::", "__tsan_", "__tsan::", "__sanitizer",
       "__interceptor_", "___interceptor_"});
  return starts_with_any(short_name(candidate.function), prefixes);
}

bool is_runtime_frame(const frame& candidate) {
  // Distributions strip the names of internal functions from these, so an unnamed frame in them tells
  // nothing.
  if (candidate.function.empty()) return is_system_library(candidate.module);
  if (is_detector_frame(candidate)) return true;
  static constexpr auto prefixes = std::to_array<std::string_view>(
      {// the way from the kernel to a thread's function, or to main; the gate is part of it
       "racelab::run_together", "std::thread::_", "std::jthread::_", "std::__invoke", "std::invoke",
       "__libc_start",
       // the way from abort() to the kernel
       "__pthread_kill"});
  static constexpr auto names = std::to_array<std::string_view>(
      {"execute_native_thread_routine", "start_thread", "clone", "clone3", "__clone", "__clone3", "_start",
       "pthread_create", "raise", "gsignal", "abort", "pthread_kill", "__restore_rt", "__libc_message"});
  const std::string shortened = short_name(candidate.function);
  const std::string_view name = without_parameters(shortened);
  return starts_with_any(name, prefixes) || std::ranges::find(names, name) != names.end();
}

bool is_spawning_frame(const frame& candidate) {
  if (is_runtime_frame(candidate)) return true;
  static constexpr auto prefixes = std::to_array<std::string_view>({"std::", "__gnu_cxx::"});
  const std::string shortened = short_name(candidate.function);
  const std::string_view name = without_parameters(shortened);
  return starts_with_any(name, prefixes);
}

}  // namespace racelab::stacks
