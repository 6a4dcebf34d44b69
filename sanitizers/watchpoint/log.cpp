#include "sanitizers/watchpoint/log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string_view>

#include "sanitizers/watchpoint/files.hpp"
#include "sanitizers/watchpoint/json_line.hpp"
#include "sanitizers/watchpoint/modules.hpp"

namespace racelab::watch {
namespace {

int log_file = -1;
std::atomic<unsigned long long> modules_written{0};  // how many had been loaded when they were last written

// The process too: programs that it starts append to the same file, and have other modules.
void begin(json_line& out, std::string_view kind) noexcept {
  out.text("{\"kind\":\"");
  out.text(kind);
  out.text("\",\"process\":");
  out.number(static_cast<std::uint64_t>(getpid()));
}

void add_module(json_line& out, const module& loaded) noexcept {
  if (out.room() < 2 * loaded.path.size() + 200) return;  // a path may be escaped
  out.next();
  out.text("{\"path\":");
  out.quoted(loaded.path);
  out.text(",\"base\":");
  out.hex(loaded.base);
  out.text(",\"end\":");
  out.hex(loaded.end);
  out.text("}");
}

std::string_view kind_of(const access& what) noexcept {
  if (what.release) return "free";
  return what.write ? "write" : "read";
}

void add_access(json_line& out, const side& which) noexcept {
  out.text("{\"thread\":");
  out.number(which.thread);
  out.text(",\"access\":");
  out.quoted(kind_of(which.what));
  out.text(which.what.atomic ? ",\"atomic\":true" : ",\"atomic\":false");
  out.text(",\"address\":");
  out.hex(which.what.address);
  out.text(",\"size\":");
  out.number(which.what.size);
  out.text(",\"visit\":");
  out.number(which.visit);
  if (which.rule >= 0) {
    out.text(",\"rule\":");
    out.number(static_cast<std::uint64_t>(which.rule));
  }
  out.text(",\"pc\":");
  out.hex(which.what.pc);
}

void add_stacks(json_line& out, const stacks::raw_trace& stack,
                const stacks::raw_trace& created_by) noexcept {
  out.text(",\"stack\":");
  out.list(stack.frames());
  out.text(",\"created_by\":");
  out.list(created_by.frames());
  out.text("}");
}

void add_side(json_line& out, const side& which) noexcept {
  add_access(out, which);
  add_stacks(out, which.stack, which.created_by);
}

void add_writers(json_line& out, const writers& by) noexcept {
  out.text(by.watched ? ",\"watched\":true" : ",\"watched\":false");
  out.text(by.mapped_twice ? ",\"mapped_twice\":true" : ",\"mapped_twice\":false");
  out.text(",\"written_by\":[");
  for (std::size_t i = 0; i < by.count; ++i) {
    out.next();
    out.text("{\"after\":");
    out.hex(by.all[i].after);
    out.text(by.all[i].atomic ? ",\"atomic\":true}" : ",\"atomic\":false}");
  }
  out.text("]");
}

// What the record of the others is written with while the threads are walked.
struct others_writer {
  json_line out;
  const stacks::thread_record* stalled;
};

void add_other(stacks::thread_record& other, void* argument) noexcept {
  auto& writer = *static_cast<others_writer*>(argument);
  constexpr std::size_t most =
      200 + 2 * stacks::max_frames * std::string_view(",\"0x0123456789abcdef\"").size();
  if (&other == writer.stalled || writer.out.room() < most) return;
  stacks::raw_trace stack;
  // A thread that is not on a processor answers when it gets one: a scheduling period later. One that blocks the signal
  // never does.
  if (!stacks::capture_other(other, stack, std::chrono::milliseconds{20})) stack.size = 0;
  writer.out.next();
  writer.out.text("{\"thread\":");
  writer.out.number(other.id.load(std::memory_order_relaxed));
  add_stacks(writer.out, stack, other.created_by);
}

void add_id(stacks::thread_record& thread, void* argument) noexcept {
  auto& out = *static_cast<json_line*>(argument);
  out.next();
  out.number(thread.id.load(std::memory_order_relaxed));
}

}  // namespace

bool open_log(const char* path) noexcept {
  log_file = open_away(path, O_WRONLY | O_CREAT | O_APPEND);
  return log_file >= 0;
}

void write_modules() noexcept {
  if (log_file < 0) return;
  const unsigned long long loaded = modules_loaded();
  if (modules_written.load(std::memory_order_relaxed) == loaded) return;
  json_line out;
  begin(out, "modules");
  out.text(",\"modules\":[");
  for_each_module(
      [](const module& each, void* argument) {
        add_module(*static_cast<json_line*>(argument), each);
        return true;
      },
      &out);
  out.text("]}");
  out.write_to(log_file);
  // Only now: another thread with a record writes the modules once more rather than a record before them.
  modules_written.store(loaded, std::memory_order_relaxed);
}

void write_log(const record& what) noexcept {
  if (log_file < 0) return;
  write_modules();
  json_line out;
  begin(out, what.what == record::kind::pair ? "pair" : "changed");
  out.text(",\"stalled\":");
  add_side(out, what.stalled);
  if (what.what == record::kind::pair) {
    out.text(",\"came\":");
    add_side(out, what.came);
  }
  out.text(",\"value_before\":");
  out.hex(what.value_before);
  if (what.what == record::kind::changed) {
    out.text(",\"value_after\":");
    out.hex(what.value_after);
    if (what.by.asked) add_writers(out, what.by);
  }
  out.text("}");
  out.write_to(log_file);
}

void write_others(const side& stalled, const stacks::thread_record& me) noexcept {
  if (log_file < 0) return;
  write_modules();
  others_writer writer{.out = {}, .stalled = &me};
  begin(writer.out, "others");
  writer.out.text(",\"stalled\":");
  add_side(writer.out, stalled);
  writer.out.text(",\"threads\":[");
  stacks::for_each_thread(add_other, &writer);
  writer.out.text("]}");
  writer.out.write_to(log_file);
}

void write_nested_lock(const stacks::thread_record& me, std::uintptr_t lock,
                       std::span<const std::uintptr_t> held) noexcept {
  if (log_file < 0) return;
  write_modules();
  json_line out;
  begin(out, "nested_lock");
  out.text(",\"thread\":");
  out.number(me.id.load(std::memory_order_relaxed));
  out.text(",\"mutex\":");
  out.hex(lock);
  out.text(",\"held\":");
  out.list(held);
  out.text(",\"alive\":[");
  stacks::for_each_thread(add_id, &out);
  out.text("]");
  stacks::raw_trace stack;
  stacks::capture(stack);
  out.text(",\"stack\":");
  out.list(stack.frames());
  out.text("}");
  out.write_to(log_file);
}

void write_deadlock(std::span<thread_locks* const> cycle) noexcept {
  if (log_file < 0) return;
  write_modules();
  json_line out;
  begin(out, "deadlock");
  out.text(",\"threads\":[");
  for (const thread_locks* const each : cycle) {
    out.next();
    out.text("{\"thread\":");
    out.number(each->id);
    out.text(",\"waits_for\":");
    out.hex(each->waits_for.lock);
    out.text(",\"holds\":[");
    for (const lock_hold& held : each->holds()) {
      out.next();
      out.hex(held.lock);
    }
    out.text("]");
    stacks::raw_trace stack;
    // It is blocked and has nothing else to do.
    if (!stacks::capture_other(*each->record, stack, std::chrono::seconds{1})) stack.size = 0;
    add_stacks(out, stack, each->record->created_by);
  }
  out.text("]}");
  out.write_to(log_file);
}

}  // namespace racelab::watch
