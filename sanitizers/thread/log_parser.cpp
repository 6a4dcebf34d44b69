#include "sanitizers/thread/log_parser.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "sanitizers/thread/frame_line.hpp"
#include "sanitizers/thread/log_line.hpp"
#include "sanitizers/thread/words.hpp"

namespace racelab::tsan {
namespace {

constexpr std::size_t most_open = 64;            // reports that are mixed with one another
constexpr std::size_t most_quiet_lines = 1'000;  // of others, until a report counts as cut off
constexpr std::size_t most_in_a_line = std::size_t{1} << 18U;
constexpr std::size_t most_parts = 4'096;  // frames of a stack; stacks, mutexes, threads of a report

// Every report's first line has one of these. The second is Go's: DATA RACE, DEADLOCK.
constexpr std::string_view needle = "ThreadSanitizer";
constexpr std::string_view go_needle = "WARNING: D";

std::size_t find(std::string_view text, std::string_view what) {
  const void* const found = memmem(text.data(), text.size(), what.data(), what.size());
  return found == nullptr ? std::string_view::npos
                          : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

std::size_t count_lines(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

// Those that end with their stack: no summary follows.
bool ends_without_summary(report_kind kind) {
  return is_runtime_failure(kind) || kind == report_kind::ignores_enabled;
}

// "main thread", "thread T1", "goroutine 7", "main goroutine"
thread_number take_thread(words& text) {
  text.take("the ");
  if (text.take("main thread") || text.take("main goroutine")) return 0;
  if (!text.take("thread T") && !text.take("goroutine ")) return std::nullopt;
  const auto number = text.take_number();
  return number ? thread_number(static_cast<unsigned>(*number)) : std::nullopt;
}

std::string_view take_mutex(words& text) {
  const auto all = text.rest();
  if (!text.take("M")) return {};
  text.take_number();
  return all.substr(0, all.size() - text.rest().size());
}

// " (mutexes: write M0, read M1)"
std::vector<held_mutex> take_held_mutexes(words& text) {
  std::vector<held_mutex> held;
  if (!text.take(" (mutexes:")) return held;
  while (held.size() < most_parts) {
    text.take(",");
    text.take(" ");
    const bool write = text.take("write ");
    if (!write && !text.take("read ")) break;
    held.push_back({std::string(take_mutex(text)), write});
  }
  return held;
}

access read_access(std::string_view line) {
  words text(line);
  access result;
  result.previous = text.take("Previous ");
  if (text.take("Modifying") || text.take("modifying")) {
    result.write = true;
  } else if (!text.take("Read-only") && !text.take("read-only")) {
    result.atomic = text.take("Atomic ") || text.take("atomic ");
    result.write = text.take("Write") || text.take("write");
    if (!result.write && !text.take("Read")) text.take("read");
  }
  if (text.take(" access of ")) {
    result.object = text.take_until(" at ").value_or("");
  } else {
    if (text.take(" of size ")) result.size = text.take_number().value_or(0);
    text.take(" at ");
  }
  result.address = text.take_address().value_or(0);
  if (text.take(" by ")) result.thread = take_thread(text);
  result.mutexes = take_held_mutexes(text);
  return result;
}

location read_location(std::string_view line) {
  words text(line);
  text.take("Location is ");
  location result;
  if (text.take("global '")) {
    result.kind = location_kind::global;
    const bool sized = text.rest().find("' of size ") != std::string_view::npos;
    result.name = text.take_until(sized ? "' of size " : "' at ").value_or("");
    if (sized) {
      result.size = text.take_number().value_or(0);
      text.take(" at ");
    }
    result.address = text.take_address().value_or(0);
    if (text.take(" (")) {
      result.module = text.take_until("+").value_or("");
      result.module_offset = text.take_address().value_or(0);
    }
  } else if (text.take("stack of ") || text.take("TLS of ")) {
    result.kind = line.substr(12).starts_with("TLS") ? location_kind::thread_local_storage
                                                     : location_kind::thread_stack;
    result.thread = take_thread(text);
  } else if (text.take("file descriptor ")) {
    result.kind = location_kind::file_descriptor;
    if (const auto number = text.take_number()) result.descriptor = static_cast<int>(*number);
    result.closed = text.take(" destroyed");
    if (!result.closed) text.take(" created");
    if (text.take(" by ")) result.thread = take_thread(text);
  } else {
    if (!text.take("heap block")) result.kind = location_kind::external_object;
    const auto type = text.take_until(" of size ");
    if (result.kind == location_kind::external_object) result.name = type.value_or("");
    result.size = text.take_number().value_or(0);
    text.take(" at ");
    result.address = text.take_address().value_or(0);
    if (text.take(" allocated by ")) result.thread = take_thread(text);
  }
  return result;
}

// 0x7b04 is located 8 bytes inside of 40-byte region [0x7afc,0x7b24)
location read_inside_of(std::string_view line) {
  words text(line);
  location result;
  const auto address = text.take_address().value_or(0);
  text.take(" is located ");
  result.offset = text.take_number();
  if (text.take_until("inside of ")) {
    text.take("a ");
    if (const auto size = text.take_number()) result.size = *size;
    if (text.take_until("of size ")) result.size = text.take_number().value_or(0);
  }
  result.address = address - std::min(address, result.offset.value_or(0));
  return result;
}

// T1 'name' (tid=7, running) created by main thread at:
thread read_thread(std::string_view line) {
  words text(line);
  if (!text.take("Thread T")) text.take("Goroutine ");
  thread result;
  result.number = static_cast<unsigned>(text.take_number().value_or(0));
  if (text.take(" '")) {
    // The name may hold anything, the end of the quotes too.
    const auto end = text.rest().find("' (tid=");
    result.name = end == std::string_view::npos ? "" : text.rest().substr(0, end);
    text = words(text.rest().substr(end == std::string_view::npos ? text.rest().size() : end + 1));
  }
  text.take(" (");
  if (text.take("tid=")) {
    result.os_id = text.take_number().value_or(0);
    text.take(", ");
  }
  result.state = text.take_until(")").value_or("");
  result.worker = text.take(" is a GCD worker thread");
  if (text.take(" created by ")) result.created_by = take_thread(text);
  return result;
}

fault read_fault(std::string_view line) {
  words text(line);
  text.take("ERROR: ThreadSanitizer: ");
  fault result;
  const auto all = text.rest();
  result.signal = all.substr(0, all.find(' '));
  if (text.take_until(" address ")) result.address = text.take_address().value_or(0);
  // (pc 0x… bp 0x… sp 0x… T8826): the system's number, by which no other line names a thread
  return result;
}

report_kind kind_of_title(std::string_view title) {
  for (const kind_description& each : kinds()) {
    if (each.title == title) return each.kind;
  }
  return report_kind::external_race;  // its library words the title
}

}  // namespace

struct log_parser::open_report {
  std::string stream;
  std::string prefix;    // of the first line, with its spaces, for Go's frames, which nothing else gives away
  std::size_t last = 0;  // the last line that was its own
  report made;
  stack* target = nullptr;  // where frames go; set anew whenever a part is added
  bool has_go_function = false;
  bool repeats = false;    // its lines have one stream
  bool counts = false;     // their streams differ in digits
  bool separated = false;  // a line of = came after it, its own or the next report's

  template <typename Part> Part* add(std::vector<Part>& parts, Part part) {
    target = nullptr;
    if (parts.size() >= most_parts) return nullptr;
    return &parts.emplace_back(std::move(part));
  }

  void take(const log_line& line);
  bool take_go_frame(std::string_view line, std::string& buffer);
  void take_mutex_line(std::string_view line);
  void take_location(location found);
  void expect_stack(std::string note);
  [[nodiscard]] bool has_body() const {
    return !made.accesses.empty() || !made.stacks.empty() || !made.acquisitions.empty() ||
           !made.threads.empty();
  }
};

void log_parser::open_report::expect_stack(std::string note) {
  if (noted_stack* const added = add(made.stacks, noted_stack{std::move(note), {}})) target = &added->where;
}

void log_parser::open_report::take_location(location found) {
  if (!made.accesses.empty() && !found.offset && found.size != 0) {
    const auto address = made.accesses.front().address;
    if (address >= found.address && address - found.address < found.size) {
      found.offset = address - found.address;
    }
  }
  made.accessed = std::move(found);
  target = &made.accessed->where;
}

void log_parser::open_report::take_mutex_line(std::string_view line) {
  words text(line);
  text.take("Mutex ");
  const std::string id(take_mutex(text));
  if (text.take(" (")) {
    const auto address = text.take_address().value_or(0);
    const auto known = std::ranges::find(made.mutexes, id, &mutex::id);  // of the cycle
    mutex* const found =
        known != made.mutexes.end() ? &*known : add(made.mutexes, mutex{id, address, false, {}});
    if (found != nullptr) target = &found->created;
  } else if (text.take(" is already destroyed")) {
    add(made.mutexes, mutex{id, 0, true, {}});
  } else if (text.take(" acquired here while holding mutex ")) {
    const std::string held(take_mutex(text));
    text.take(" in ");
    const auto number = take_thread(text);
    if (auto* const added = add(made.acquisitions, acquisition{id, held, number, {}, {}})) {
      target = &added->where;
    }
  } else if (text.take(" previously acquired by the same thread here") && !made.acquisitions.empty()) {
    target = &made.acquisitions.back().held_since;
  }
}

// Go: `  main.main()` and then `      /src/x.go:14 +0xa4`, behind a prefix as the first line had one.
bool log_parser::open_report::take_go_frame(std::string_view line, std::string& buffer) {
  if (!made.go || target == nullptr) return false;
  const std::optional<std::string_view> behind = prefix.empty() ? line : behind_prefix(prefix, line);
  if (!behind) return false;
  stream_of(line.substr(0, line.size() - behind->size()), buffer);
  if (!counts && buffer != stream) return false;
  std::string_view text = *behind;
  const auto indent = std::min(text.find_first_not_of(' '), text.size());
  text.remove_prefix(indent);
  if (indent == 2 && !text.empty()) {
    if (target->frames.size() < most_parts) target->frames.emplace_back().function = text;
    has_go_function = true;
    return true;
  }
  if (indent == 6 && has_go_function && !target->frames.empty()) {
    parse_go_place(text, target->frames.back());
    has_go_function = false;
    return true;
  }
  return false;
}

void log_parser::open_report::take(const log_line& line) {
  switch (line.kind) {
    case line_kind::frame: {
      if (target == nullptr) {
        // What a lock was misused by, what died, …: the stack stands right under the first line.
        if (has_body()) return;
        expect_stack("");
      }
      if (target->frames.size() >= most_parts) return;
      words number(line.text.substr(1));
      number.take_number();
      number.take(" ");
      target->frames.push_back(parse_frame(number.rest()));
      return;
    }
    case line_kind::lost_stack:
      if (target == nullptr && !has_body()) expect_stack("");
      if (target != nullptr) target->restored = false;
      return;
    case line_kind::access:
    case line_kind::go_access:
      if (access* const added = add(made.accesses, read_access(line.text))) target = &added->where;
      return;
    case line_kind::sleep:
      target = &made.sleep.emplace();
      return;
    case line_kind::location:
      take_location(read_location(line.text));
      return;
    case line_kind::inside_of:
      take_location(read_inside_of(line.text));
      return;
    case line_kind::mutex:
      take_mutex_line(line.text);
      return;
    case line_kind::thread:
    case line_kind::go_routine:
      if (line.kind == line_kind::go_routine && line.text.find(" lock mutex ") != std::string_view::npos) {
        words text(line.text);
        text.take_until(" lock mutex ");
        acquisition one;
        one.mutex = "M" + std::to_string(text.take_number().value_or(0));
        text.take(" while holding mutex ");
        one.held = "M" + std::to_string(text.take_number().value_or(0));
        if (auto* const added = add(made.acquisitions, std::move(one))) target = &added->where;
        return;
      }
      if (thread* const added = add(made.threads, read_thread(line.text))) target = &added->created;
      return;
    case line_kind::go_mutex:
      if (!made.acquisitions.empty()) target = &made.acquisitions.back().held_since;
      return;
    case line_kind::go_heap: {
      words text(line.text);
      location found;
      text.take("Heap block of size ");
      found.size = text.take_number().value_or(0);
      text.take(" at ");
      found.address = text.take_address().value_or(0);
      if (text.take(" allocated by ")) found.thread = take_thread(text);
      take_location(std::move(found));
      return;
    }
    case line_kind::go_global: {
      words text(line.text);
      location found;
      found.kind = location_kind::global;
      text.take("Global var ");
      found.name = text.take_until(" of size ").value_or("");
      found.size = text.take_number().value_or(0);
      text.take(" at ");
      found.address = text.take_address().value_or(0);
      if (text.take(" declared at ")) parse_go_place(text.rest(), found.where.frames.emplace_back());
      take_location(std::move(found));
      return;
    }
    case line_kind::cycle: {
      words text(line.text);
      text.take_until(": ");
      while (made.cycle.size() < most_parts) {
        const std::string id(take_mutex(text));
        // The first one again closes the ring.
        if (id.empty() || (!made.cycle.empty() && id == made.cycle.front())) break;
        if (text.take(" (")) {
          add(made.mutexes, mutex{id, text.take_address().value_or(0), false, {}});
          text.take(")");
        }
        made.cycle.push_back(id);
        text.take(" => ");
      }
      target = nullptr;
      return;
    }
    case line_kind::more_leaks: {
      words text(line.text);
      text.take("And ");
      made.more_leaks = text.take_number().value_or(0);
      return;
    }
    case line_kind::ignores:
      target = nullptr;
      return;
    case line_kind::ignore_enabled:
      expect_stack("ignore was enabled");
      return;
    case line_kind::signal_access:
      if (made.caught) made.caught->write = line.text.find(" WRITE ") != std::string_view::npos;
      return;
    default:
      return;
  }
}

log_parser::log_parser(std::function<void(report&&)> on_report,
                       std::function<void(const complaint&)> on_complaint)
    : on_report_(std::move(on_report)), on_complaint_(std::move(on_complaint)) {}

log_parser::~log_parser() = default;

void log_parser::complain(std::size_t line, std::string text) { on_complaint_({line, std::move(text)}); }

// How much of `piece` may be left out because no report begins there: whole lines, which are counted.
std::size_t log_parser::skip_to_report(std::string_view piece) {
  auto at = std::min(find(piece, needle), piece.size());
  at = std::min(at, find(piece.substr(0, at), go_needle));
  const auto end = piece.rfind('\n', at);
  if (end == std::string_view::npos) return 0;
  lines_ += count_lines(piece.substr(0, end + 1));
  return end + 1;
}

void log_parser::feed(std::string_view piece) {
  while (!piece.empty()) {
    if (unfinished_.empty() && open_.empty()) piece.remove_prefix(skip_to_report(piece));
    const auto end = piece.find('\n');
    if (end == std::string_view::npos || !unfinished_.empty()) {
      // A line that never ends is cut, so that memory stays bounded.
      const auto part = piece.substr(0, end);
      unfinished_ += part.substr(0, most_in_a_line - std::min(most_in_a_line, unfinished_.size()));
      if (end == std::string_view::npos) return;
      take_line(unfinished_);
      unfinished_.clear();
    } else {
      take_line(piece.substr(0, end));
    }
    piece.remove_prefix(end + 1);
  }
}

void log_parser::finish() {
  if (!unfinished_.empty()) take_line(std::exchange(unfinished_, {}));
  while (!open_.empty()) close(*open_.front(), open_.front()->separated);
}

void log_parser::take_line(std::string_view line) {
  ++lines_;
  line = plain(line.substr(0, most_in_a_line), plain_);
  const log_line found = recognise(line);
  if (found.kind == line_kind::other) {
    for (const auto& each : open_) {
      if (each->take_go_frame(line, stream_)) {
        each->last = lines_;
        return;
      }
    }
    close_quiet_ones();
    return;
  }
  stream_of(found.prefix, stream_);
  if (begins_report(found.kind)) {
    begin(found);
    return;
  }
  open_report* const mine = find_open(found.kind != line_kind::separator);
  switch (found.kind) {
    case line_kind::separator:
      // Without a summary (Go, print_summary=0) this may be the end, or the next report's beginning after one that was
      // cut off: an end and a beginning are two such lines.
      if (mine != nullptr && mine->has_body() && std::exchange(mine->separated, true)) close(*mine, true);
      return;
    case line_kind::summary:
      if (mine == nullptr) {
        complain(lines_, "the end of a report whose beginning is not in the log");
        return;
      }
      mine->last = lines_;
      mine->made.summary = found.text.substr(std::string_view("SUMMARY: ThreadSanitizer: ").size());
      close(*mine, true);
      return;
    default:
      break;
  }
  if (mine != nullptr) {
    mine->last = lines_;
    mine->take(found);
  } else if (!open_.empty()) {
    if (orphan_ == 0 || lines_ - orphan_ > most_quiet_lines) {
      complain(lines_, "a line of a report, but of none that is open");
    }
    orphan_ = lines_;
  }
  close_quiet_ones();
}

void log_parser::begin(const log_line& line) {
  words text(line.text);
  switch (line.kind) {
    case line_kind::go_race:
      begin_report(report_kind::data_race, "data race", line).made.go = true;
      return;
    case line_kind::go_deadlock:
      begin_report(report_kind::lock_order_inversion, "lock-order-inversion (potential deadlock)", line)
          .made.go = true;
      return;
    case line_kind::warning: {
      text.take("WARNING: ThreadSanitizer: ");
      std::string_view title = text.rest();
      const auto pid = title.rfind(" (pid=");
      if (pid != std::string_view::npos) title = title.substr(0, pid);
      const report_kind kind = kind_of_title(title);
      // The runtime also warns of its own troubles, without that number; of a line that is cut, the title may be whole.
      if (pid == std::string_view::npos && kind == report_kind::external_race) return;
      open_report& opened = begin_report(kind, title, line);
      if (pid != std::string_view::npos) {
        words number(text.rest().substr(pid + 6));
        opened.made.process = static_cast<long>(number.take_number().value_or(0));
      }
      return;
    }
    case line_kind::deadly_signal:
      begin_report(report_kind::deadly_signal, "DEADLYSIGNAL", line).made.caught.emplace();
      return;
    case line_kind::error: {
      text.take("ERROR: ThreadSanitizer");
      // "SEGV on unknown address …", "stack-overflow on address …"
      const bool signal = text.take(": ") && text.rest().find(" on ") != std::string_view::npos &&
                          text.rest().find("(pc ") != std::string_view::npos;
      if (!signal) {
        text.take(" ");
        begin_report(report_kind::fatal_error, text.rest(), line);
        return;
      }
      begin_report(report_kind::deadly_signal, text.rest().substr(0, text.rest().find(" (pc ")), line)
          .made.caught = read_fault(line.text);
      return;
    }
    case line_kind::fatal:
      text.take("FATAL: ");
      if (text.rest().starts_with("ThreadSanitizer CHECK failed")) {
        text.take("ThreadSanitizer ");
        begin_report(report_kind::check_failed, text.rest(), line);
      } else {
        if (!text.take("ThreadSanitizer: ")) text.take("ThreadSanitizer ");
        begin_report(report_kind::fatal_error, text.rest(), line);
      }
      return;
    default:
      break;
  }
  text.take("ThreadSanitizer: ");
  const std::string_view said = text.rest();
  if (said.starts_with("CHECK failed: ")) {
    begin_report(report_kind::check_failed, said, line);
  } else if (said.starts_with("nested bug ")) {
    begin_report(report_kind::nested_bug, said, line);
  } else if (said.find(" finished with ignores enabled") != std::string_view::npos) {
    open_report& opened =
        begin_report(report_kind::ignores_enabled, said.substr(0, said.find(", created at")), line);
    if (text.take("thread T")) {
      thread created;
      created.number = static_cast<unsigned>(text.take_number().value_or(0));
      text.take(" ");
      created.name = text.take_until(" finished with").value_or("");
      if (thread* const added = opened.add(opened.made.threads, std::move(created))) {
        opened.target = &added->created;
      }
    }
  } else if (said.ends_with("Dying.") || said.find(". Dying ") != std::string_view::npos ||
             said.find("incorrect value for") != std::string_view::npos) {
    begin_report(report_kind::fatal_error, said, line);
  }
}

log_parser::open_report& log_parser::begin_report(report_kind kind, std::string_view title,
                                                  const log_line& line) {
  // ThreadSanitizer:DEADLYSIGNAL comes before it, from each thread that dies.
  const bool inside = kind == report_kind::deadly_signal && line.kind == line_kind::error;
  if (open_report* const before = find_open(inside)) {
    const bool announced = before->made.kind == report_kind::deadly_signal && !before->has_body() &&
                           kind == report_kind::deadly_signal;
    if (announced) {
      before->made.title = title;
      before->made.process = line.process;
      before->last = lines_;
      return *before;
    }
    close(*before, false);
  }
  if (open_.size() >= most_open) {
    close(**std::ranges::min_element(open_, {}, [](const auto& each) { return each->last; }), false);
  }
  auto opened = std::make_unique<open_report>();
  opened->stream = stream_;
  if (!line.prefix.empty()) {
    const auto size = static_cast<std::size_t>(line.text.data() - line.prefix.data());
    opened->prefix =
        std::string_view(line.prefix.data(), size);  // NOLINT(bugprone-suspicious-stringview-data-usage)
  }
  opened->last = lines_;
  opened->made.kind = kind;
  opened->made.title = title;
  opened->made.process = line.process;
  opened->made.prefix = stream_;
  opened->made.first_line = lines_;
  return *open_.emplace_back(std::move(opened));
}

// The open report that a line of stream_ belongs to. `inside`: the line stands in the middle of a report.
log_parser::open_report* log_parser::find_open(bool inside) {
  for (const auto& each : open_) {
    if (each->stream != stream_) continue;
    each->repeats = each->repeats || inside;
    return each.get();
  }
  // A counter, or a time in an unknown form, makes each line a stream of its own.
  if (open_.size() != 1 || stream_.empty()) return nullptr;
  open_report& only = *open_.front();
  if (only.repeats || !(only.counts || inside) || !differ_in_digits_only(only.stream, stream_))
    return nullptr;
  only.counts = true;
  return &only;
}

void log_parser::close(open_report& closed, bool complete) {
  const auto at = std::ranges::find_if(open_, [&](const auto& each) { return each.get() == &closed; });
  const std::unique_ptr<open_report> taken = std::move(*at);
  open_.erase(at);
  report& made = taken->made;
  made.last_line = taken->last;
  made.complete = complete || ends_without_summary(made.kind);
  if (!made.complete) {
    complain(made.first_line, made.title + ": cut off after line " + std::to_string(made.last_line));
  }
  on_report_(std::move(made));
}

void log_parser::close_quiet_ones() {
  for (std::size_t i = 0; i < open_.size();) {
    if (lines_ - open_[i]->last > most_quiet_lines) {
      close(*open_[i], open_[i]->separated);
    } else {
      ++i;
    }
  }
}

std::vector<report> reports_in(std::string_view log) {
  std::vector<report> all;
  log_parser parser([&](report&& found) { all.push_back(std::move(found)); }, [](const complaint&) {});
  parser.feed(log);
  parser.finish();
  return all;
}

}  // namespace racelab::tsan
