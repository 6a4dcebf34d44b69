#include "stacks/reading/reader.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <string>

namespace racelab::reading {
namespace {

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

/// Takes `start` off the front of `text`; false, with `text` as it was, if it is not there.
bool take(std::string_view& text, std::string_view start) {
  if (!text.starts_with(start)) return false;
  text.remove_prefix(start.size());
  return true;
}

std::string_view take_digits(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && is_digit(text[end])) ++end;
  const std::string_view digits = text.substr(0, end);
  text.remove_prefix(end);
  return digits;
}

template <class Number> bool to_number(std::string_view digits, Number& into, int base = 10) {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), into, base);
  return error == std::errc() && end == digits.data() + digits.size();
}

std::optional<std::uint64_t> hexadecimal_after(std::string_view text, std::string_view words) {
  const std::size_t at = text.find(words);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + words.size());
  if (!take(text, "0x")) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

/// FILE:LINE or FILE:LINE:COLUMN; the whole is the file if there is no line.
void read_place(std::string_view text, frame& into) {
  for (int numbers = 0; numbers < 2; ++numbers) {
    const std::size_t colon = text.rfind(':');
    unsigned number = 0;
    if (colon == std::string_view::npos || !to_number(text.substr(colon + 1), number)) break;
    into.line = number;
    text.remove_suffix(text.size() - colon);
  }
  into.file = text;
}

/// The last top-level pair of brackets at the end of `text` and what stands before: f(int) of "f(int)(x=1)" and x=1.
void split_arguments(std::string_view text, frame& into) {
  if (!text.ends_with(')')) {
    into.function = text;
    return;
  }
  int depth = 0;
  std::size_t at = text.size();
  while (at > 0) {
    --at;
    if (text[at] == ')') ++depth;
    if (text[at] == '(' && --depth == 0) break;
  }
  into.function = trimmed(text.substr(0, at));
  into.arguments = text.substr(at + 1, text.size() - at - 2);
}

// --- the lab's and Go's -----------------------------------------------------------------------------------------------

bool is_thread_title(std::string_view line, bool& go) {
  std::string_view rest = line;
  if (!line.ends_with(':')) return false;
  go = take(rest, "goroutine ");
  if (!go && !take(rest, "thread ")) return false;
  return !take_digits(rest).empty() && rest.find('[') != std::string_view::npos;
}

/// `\t/path/x.go:12 +0x1d`
bool read_tabbed_place(std::string_view line, frame& into) {
  if (!take(line, "\t") && !take(line, "    ")) return false;
  line = trimmed(line);
  if (const std::size_t offset = line.find(" +0x"); offset != std::string_view::npos)
    line = line.substr(0, offset);
  if (line.find(':') == std::string_view::npos && line.find('/') == std::string_view::npos) return false;
  read_place(line, into);
  return true;
}

// --- the sanitizers' --------------------------------------------------------------------------------------------------

/// `#0 0x4f3a in f(int) /x/f.cpp:12:3 (module+0x1f) (BuildId: …)`
bool read_sanitizer_frame(std::string_view line, frame& into) {
  line = trimmed(line);
  if (!take(line, "#") || take_digits(line).empty() || !take(line, " ")) return false;
  line = trimmed(line);
  if (line.starts_with("0x")) {
    const std::size_t end = line.find(' ');
    if (end == std::string_view::npos) return true;
    line.remove_prefix(end + 1);
    line = trimmed(line);
    (void)take(line, "in ");
  }
  if (const std::size_t build_id = line.find(" (BuildId:"); build_id != std::string_view::npos)
    line = line.substr(0, build_id);
  // The module stands in brackets at the end, and holds +0x.
  if (line.ends_with(')')) {
    const std::size_t open = line.rfind('(');
    const std::string_view inside =
        open == std::string_view::npos ? "" : line.substr(open + 1, line.size() - open - 2);
    if (const std::size_t offset = inside.find("+0x"); offset != std::string_view::npos) {
      into.module = inside.substr(0, offset);
      line = trimmed(line.substr(0, open));
    }
  }
  // A place stands behind the last space, and has a line or is a path.
  const std::size_t space = line.rfind(' ');
  if (space != std::string_view::npos) {
    frame place;
    read_place(line.substr(space + 1), place);
    const bool path = line.substr(space + 1).find('/') != std::string_view::npos;
    if (place.line != 0 || path) {
      into.file = place.file;
      into.line = place.line;
      line = trimmed(line.substr(0, space));
    }
  }
  if (line.ends_with(" <null>")) line.remove_suffix(7);
  if (line == "<null>") line = "";
  into.function = line;
  return true;
}

// --- one line of a library's ------------------------------------------------------------------------------------------

constexpr std::array abort_lines = {
    "free(): ",
    "malloc(): ",
    "double free or corruption",
    "munmap_chunk(): ",
    "corrupted size vs. prev_size",
    "corrupted double-linked list",
    "realloc(): ",
    "malloc_consolidate(): ",
    "*** stack smashing detected",
    "*** buffer overflow detected",
    "terminate called",
    "pure virtual method called",
    "std::terminate",
    "tcache_thread_shutdown(): ",
    "mremap_chunk(): ",
};

bool is_abort_line(std::string_view line) {
  for (const std::string_view start : abort_lines)
    if (line.starts_with(start)) return true;
  return line.find(": Assertion `") != std::string_view::npos;
}

constexpr std::size_t longest_line = 16'384;
constexpr std::size_t most_frames = 4'096;

/// Line by line.
class log_reader {
 public:
  void read(std::string_view line) {
    ++number_;
    take_line(without_controls(line.substr(0, longest_line)));
  }

  std::vector<crash> finish() {
    for (crash& each : all_) {
      const bool titled =
          std::ranges::any_of(each.threads, [](const thread& one) { return !one.title.empty(); });
      std::erase_if(each.threads, [&](const thread& one) {
        // gdb shows where it stopped, and then all threads with their titles.
        const bool twice = titled && each.read_from == form::gdb && one.title.empty();
        return twice || (one.frames.empty() && one.title.empty());
      });
    }
    // A line of glibc's alone is a crash only if nobody told of it at length.
    if (!pending_.empty() && all_.empty()) {
      for (std::string& line : pending_) {
        crash one;
        one.headline = std::move(line);
        one.line = pending_line_;
        all_.push_back(std::move(one));
      }
    }
    return std::move(all_);
  }

 private:
  /// Without what would act on a terminal.
  static std::string without_controls(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    std::string plain;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '\x1b' && i + 1 < line.size() && line[i + 1] == '[') {
        while (i < line.size() && std::isalpha(static_cast<unsigned char>(line[i])) == 0) ++i;
        continue;
      }
      const bool control = static_cast<unsigned char>(line[i]) < 0x20 && line[i] != '\t';
      plain += control || line[i] == '\x7f' ? '?' : line[i];
    }
    return plain;
  }

  crash& begin(form read_from, std::string_view headline) {
    crash one;
    one.read_from = read_from;
    one.line = number_;
    one.headline = headline;
    one.said = std::move(pending_);
    pending_.clear();
    all_.push_back(std::move(one));
    frames_ = nullptr;
    return all_.back();
  }

  crash* open(form of) { return !all_.empty() && all_.back().read_from == of ? &all_.back() : nullptr; }

  thread& begin_thread(crash& of, std::string_view title, std::string_view note = "") {
    thread one;
    one.title = title;
    one.note = note;
    of.threads.push_back(std::move(one));
    frames_ = &of.threads.back().frames;
    below_signal_ = false;
    return of.threads.back();
  }

  void add(frame one) {
    if (frames_ == nullptr || frames_->size() >= most_frames) return;
    one.below_signal = below_signal_;
    below_signal_ = false;
    frames_->push_back(std::move(one));
  }

  void take_line(std::string_view line) {
    if (take_gdb(line) || take_fatal(line) || take_sanitizer(line) || take_stack(line)) return;
    const std::string_view text = trimmed(line);
    if (is_abort_line(text) || text.starts_with("corrupt: ")) {
      if (pending_.empty()) pending_line_ = number_;
      pending_.emplace_back(text);
    }
    if (text.starts_with("terminate called") || text.starts_with("  what():")) return;
    if (text.starts_with("what():") && !pending_.empty()) pending_.back() += "; " + std::string(text);
  }

  bool take_fatal(std::string_view line) {
    for (const std::string_view start : {"fatal error: ", "panic: ", "fatal: morestack"}) {
      if (!line.starts_with(start)) continue;
      // `panic: x [recovered]` and the panic that follows are one end.
      begin(form::racelab_fatal, line);
      return true;
    }
    crash* const at = open(form::racelab_fatal) != nullptr ? open(form::racelab_fatal) : open(form::go);
    if (at == nullptr) return false;
    std::string_view rest = line;
    if (take(rest, "[signal ")) {
      at->signal = rest.substr(0, rest.find_first_of(": ]"));
      at->address = hexadecimal_after(rest, "addr=");
      // SI_KERNEL: a general-protection fault, which has no address (the kernel gives 0).
      at->not_canonical = at->signal == "SIGSEGV" && hexadecimal_after(rest, "code=") == 0x80;
      return true;
    }
    bool go = false;
    if (is_thread_title(line, go)) {
      if (go) at->read_from = form::go;
      begin_thread(*at, line.substr(0, line.size() - 1));
      return true;
    }
    if (at->threads.empty()) return false;
    rest = line;
    if (take(rest, "created by ")) {
      frame creator;
      if (const std::size_t in = rest.find(" in goroutine "); in != std::string_view::npos)
        rest = rest.substr(0, in);
      creator.function = rest;
      at->threads.back().created = {creator};
      frames_ = &at->threads.back().created;
      return true;
    }
    if (frames_ == nullptr) return false;
    if (!frames_->empty() && frames_->back().file.empty() && read_tabbed_place(line, frames_->back()))
      return true;
    if (trimmed(line).empty()) {
      frames_ = nullptr;
      return true;
    }
    if (line.front() == ' ' || line.front() == '\t' || line.find('(') == std::string_view::npos) return false;
    frame one;
    split_arguments(line.ends_with(" const") ? line.substr(0, line.size() - 6) : line, one);
    if (one.function.empty()) return false;
    add(std::move(one));
    return true;
  }

  bool take_sanitizer(std::string_view line) {
    if (const std::size_t at = line.find("ERROR: "); at != std::string_view::npos && line.starts_with("==")) {
      const std::string_view what = line.substr(at + 7);
      if (what.find("Sanitizer: ") == std::string_view::npos) return false;
      crash& one = begin(form::sanitizer, what.substr(0, std::min(what.find(" (pc "), what.find(" at pc "))));
      if (what.find(": SEGV") != std::string_view::npos) one.signal = "SIGSEGV";
      one.address = hexadecimal_after(what, "address ");
      // "(pc 0x… bp 0x… sp 0x… T1)"
      std::string_view number =
          what.ends_with(')') ? what.substr(std::min(what.rfind(" T"), what.size() - 1)) : "";
      const bool told = take(number, " T") && !take_digits(number).empty();
      begin_thread(one, told ? "thread " + std::string(what.substr(what.rfind(" T") + 1,
                                                                   what.size() - what.rfind(" T") - 2))
                             : "");
      return true;
    }
    if (const std::size_t at = line.find(": runtime error: "); at != std::string_view::npos) {
      crash& one = begin(form::undefined, line.substr(at + 2));
      begin_thread(one, "");
      frame where;
      read_place(line.substr(0, at), where);
      add(std::move(where));
      undefined_without_stack_ = true;
      return true;
    }
    crash* const at = open(form::sanitizer);
    if (at == nullptr) return false;
    const std::string_view text = trimmed(line);
    const std::size_t reader = text.find(" thread T");
    if ((text.starts_with("READ of size") || text.starts_with("WRITE of size")) && !at->threads.empty()) {
      at->threads.front().note = text;
      if (reader != std::string_view::npos) at->threads.front().title = text.substr(reader + 1);
      frames_ = &at->threads.front().frames;
      return true;
    }
    if (text.ends_with("here:")) {
      const std::string_view note = text.substr(0, text.size() - 1);
      // "Thread T1 created by T0 here": the stack belongs to T1.
      const std::string_view who = note.substr(0, note.find(' ', note.find(' ') + 1));
      for (thread& each : at->threads) {
        if (!who.starts_with("Thread T") || !each.title.ends_with(who.substr(6))) continue;
        frames_ = &each.created;
        return true;
      }
      const std::size_t whose = note.find("thread T");  // freed by thread T1 here
      begin_thread(
          *at, whose == std::string_view::npos ? "" : note.substr(whose, note.find(' ', whose + 7) - whose),
          note);
      return true;
    }
    if (text.starts_with("SUMMARY: ") || text.empty()) {
      frames_ = text.empty() ? frames_ : nullptr;
      return true;
    }
    return false;
  }

  bool take_stack(std::string_view line) {
    if (all_.empty() || frames_ == nullptr) return false;
    const form of = all_.back().read_from;
    if (of != form::sanitizer && of != form::undefined) return false;
    frame one;
    if (!read_sanitizer_frame(line, one)) return false;
    if (of == form::undefined && undefined_without_stack_) frames_->clear();
    undefined_without_stack_ = false;
    add(std::move(one));
    return true;
  }

  bool take_gdb(std::string_view line) {
    std::string_view text = trimmed(line);
    (void)take(text, "(gdb) ");
    for (const std::string_view words : {" received signal ", "Program terminated with signal "}) {
      const std::size_t at = text.find(words);
      if (at == std::string_view::npos || !(text.starts_with("Thread ") || text.starts_with("Program ")))
        continue;
      crash& one = begin(form::gdb, text);
      const std::string_view signal = text.substr(at + words.size());
      one.signal = signal.substr(0, signal.find_first_of(",. "));
      if (text.starts_with("Thread ")) one.failed = text.substr(0, text.find(' ', 7) + 1);
      return true;
    }
    crash* const opened = open(form::gdb);
    if (std::string_view rest = text; opened != nullptr && take(rest, "[Current thread is ")) {
      opened->failed = "Thread " + std::string(take_digits(rest)) + " ";
      return true;
    }
    if (opened != nullptr && text.starts_with("si_addr=0x")) {  // what `racelab explain` asks gdb for
      opened->address = hexadecimal_after(text, "si_addr=");
      opened->not_canonical = hexadecimal_after(text, "si_code=") == 0x80;
      return true;
    }
    const bool in_sanitizer = open(form::sanitizer) != nullptr || open(form::undefined) != nullptr;
    if (in_sanitizer && text.find(" (LWP ") == std::string_view::npos) return false;
    // "Thread 2 (Thread 0x7f… (LWP 7)):"; ThreadSanitizer's are called T2.
    std::string_view number = text;
    const bool is_title = take(number, "Thread ") && !take_digits(number).empty();
    if (is_title && text.ends_with(':') && text.find(" (") != std::string_view::npos) {
      crash& one = opened != nullptr ? *opened : begin(form::gdb, "stacks by gdb");
      begin_thread(one, text.substr(0, text.size() - 1));
      return true;
    }
    frame one;
    if (text.starts_with('#') && text.find("<signal handler called>") != std::string_view::npos) {
      below_signal_ = opened != nullptr;
      return below_signal_;
    }
    // Alone it must look like gdb's: two spaces, as of "#0  main (argc=1)", where sanitizers have one.
    const bool in_place = opened != nullptr || text.find("  ") == 2;
    if (text.starts_with('#') && in_place && read_gdb_frame(text, one)) {
      crash& of = opened != nullptr ? *opened : begin(form::gdb, "stacks by gdb");
      if (frames_ == nullptr || text.starts_with("#0 ")) {
        if (of.threads.empty() || !of.threads.back().frames.empty()) begin_thread(of, "");
        frames_ = &of.threads.back().frames;
      }
      add(std::move(one));
      return true;
    }
    // A line that gdb broke.
    if (opened != nullptr && frames_ != nullptr && !frames_->empty() && line.starts_with("    ")) {
      if (take(text, "at ")) {
        read_place(text, frames_->back());
        return true;
      }
      if (take(text, "from ")) {
        frames_->back().module = text;
        return true;
      }
    }
    return false;
  }

  std::vector<crash> all_;
  std::vector<frame>* frames_ = nullptr;  // where the next frame goes
  std::vector<std::string> pending_;      // lines that may belong to the next crash
  std::size_t pending_line_ = 0;
  std::size_t number_ = 0;
  bool below_signal_ = false;
  bool undefined_without_stack_ = false;
};

}  // namespace

bool read_gdb_frame(std::string_view line, frame& into) {
  if (!take(line, "#") || take_digits(line).empty() || !line.starts_with(' ')) return false;
  line = trimmed(line);
  if (line.starts_with("0x")) {
    const std::size_t in = line.find(" in ");
    if (in == std::string_view::npos) return false;
    line.remove_prefix(in + 4);
  }
  // The function's arguments, in gdb's way, begin at " (": the last such bracket at depth 0.
  if (const std::size_t at = line.rfind(") at "); at != std::string_view::npos) {
    read_place(trimmed(line.substr(at + 5)), into);
    line = line.substr(0, at + 1);
  } else if (const std::size_t from = line.rfind(") from "); from != std::string_view::npos) {
    into.module = trimmed(line.substr(from + 7));
    line = line.substr(0, from + 1);
  }
  if (line.find('(') == std::string_view::npos) return false;
  split_arguments(line, into);
  if (into.function == "??") into.function.clear();
  return true;
}

std::vector<crash> crashes_in(std::string_view log) {
  log_reader reader;
  while (!log.empty()) {
    const std::size_t end = log.find('\n');
    reader.read(log.substr(0, end));
    if (end == std::string_view::npos) break;
    log.remove_prefix(end + 1);
  }
  return reader.finish();
}

}  // namespace racelab::reading
