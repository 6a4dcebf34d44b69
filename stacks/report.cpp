#include "stacks/report.hpp"

#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <string_view>

#include "stacks/format.hpp"

namespace racelab::stacks {
namespace {

std::string first_line_of(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

constexpr auto sleeping_calls = std::to_array<long>({
#ifdef SYS_nanosleep
    SYS_nanosleep,
#endif
    SYS_clock_nanosleep});
constexpr auto io_calls = std::to_array<long>({
#ifdef SYS_poll
    SYS_poll,    SYS_select,   SYS_epoll_wait,
#endif
    SYS_ppoll,   SYS_pselect6, SYS_epoll_pwait, SYS_read,     SYS_readv,   SYS_pread64,
    SYS_write,   SYS_writev,   SYS_pwrite64,    SYS_recvfrom, SYS_recvmsg, SYS_sendto,
    SYS_sendmsg, SYS_accept,   SYS_accept4,     SYS_connect,  SYS_fsync});

/// What a thread waits for that sleeps, by the system call that it is in. /proc/…/syscall may be forbidden (Yama), and then
/// wchan, the kernel's function, may tell.
std::string waits_for(const std::string& folder) {
  const std::string call = first_line_of(folder + "/syscall");
  if (!call.empty() && call.find_first_not_of("0123456789") == call.find(' ')) {
    const long number = std::stol(call);
    if (number == SYS_futex) return "futex wait";
    if (std::ranges::find(sleeping_calls, number) != sleeping_calls.end()) return "sleep";
    if (std::ranges::find(io_calls, number) != io_calls.end()) return "IO wait";
    return "system call " + std::to_string(number);
  }
  const std::string inside = first_line_of(folder + "/wchan");
  if (inside.starts_with("futex")) return "futex wait";
  if (inside.find("nanosleep") != std::string::npos) return "sleep";
  for (const std::string_view part : {"poll", "pipe", "sock", "skb", "accept"})
    if (inside.find(part) != std::string::npos) return "IO wait";
  return "sleeping";
}

/// One stack and who is on it.
struct told_thread {
  std::vector<std::uint32_t> ids;
  std::string state;
  std::string note;
  std::string stack;  // as it is printed, with who created it
  bool alive = false;
};

/// Threads that are alive and tell the same become one.
void fold_in(std::vector<told_thread>& all, told_thread told) {
  const auto twin = std::ranges::find_if(all, [&](const told_thread& other) {
    return told.alive && other.alive && other.state == told.state && other.note == told.note &&
           other.stack == told.stack;
  });
  if (twin == all.end())
    all.push_back(std::move(told));
  else
    twin->ids.insert(twin->ids.end(), told.ids.begin(), told.ids.end());
}

/// "7, 8, 12 and 990 more"
std::string numbers(const std::vector<std::uint32_t>& ids) {
  constexpr std::size_t most = 16;
  std::string text;
  for (std::size_t i = 0; i < std::min(ids.size(), most); ++i)
    text += (i == 0 ? "" : ", ") + std::to_string(ids[i]);
  if (ids.size() > most) text += " and " + std::to_string(ids.size() - most) + " more";
  return text;
}

std::string quoted(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += digits[byte >> 4U];
      out += digits[byte & 15U];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string json_of(const std::vector<frame>& frames) {
  std::string text;
  for (const frame& each : frames) {
    text += text.empty() ? "" : ",";
    text += "{\"function\":" + quoted(each.function) + ",\"file\":" + quoted(each.file) +
            ",\"line\":" + std::to_string(each.line) + ",\"module\":" + quoted(each.module) +
            ",\"offset\":" + std::to_string(each.offset) +
            ",\"inlined\":" + (each.inlined ? "true" : "false") + "}";
  }
  return "[" + text + "]";
}

}  // namespace

std::string thread_state(pid_t process, pid_t tid) {
  const std::string folder = "/proc/" + std::to_string(process) + "/task/" + std::to_string(tid);
  // The field after the command's name in parentheses.
  const std::string line = first_line_of(folder + "/stat");
  const std::size_t name_end = line.rfind(')');
  const char letter = name_end != std::string::npos && name_end + 2 < line.size() ? line[name_end + 2] : '?';
  switch (letter) {
    case 'R':
      return "running";
    case 'S':
      return waits_for(folder);
    case 'D':
      return "in the kernel";
    case 'T':
    case 't':
      return "stopped";
    default:
      return "ended";
  }
}

std::string format_report(const report_head& head, const std::vector<report_thread>& threads) {
  const symboliser symbols(head.process);
  const detail shown = head.system ? detail::system : detail::user;
  // Thousands of threads have few stacks: each is symbolised once.
  std::map<std::vector<std::uintptr_t>, std::string> printed;
  const auto print = [&](const report_thread& each) {
    std::vector<std::uintptr_t> key(each.stack.frames().begin(), each.stack.frames().end());
    key.push_back(each.stack.exact_top ? 1 : 0);
    key.insert(key.end(), each.created_by.frames().begin(), each.created_by.frames().end());
    std::string& text = printed[std::move(key)];
    if (!text.empty()) return text;
    const auto stack = symbols.resolve(each.stack.frames(), each.stack.exact_top);
    const auto creator = symbols.resolve(each.created_by.frames(), each.created_by.exact_top);
    text = head.json ? ",\"frames\":" + json_of(stack) + ",\"created_by\":" + json_of(creator)
                     : format_frames(stack, shown) + format_created_by(creator, shown);
    return text;
  };
  std::vector<told_thread> all;
  for (const report_thread& each : threads)
    fold_in(all, {{each.id},
                  each.tid != 0 ? thread_state(head.process, each.tid) : each.state.data(),
                  each.note.data(),
                  print(each),
                  each.tid != 0});

  std::string text;
  for (const told_thread& each : all) {
    if (head.json) {
      std::string ids;
      for (const std::uint32_t id : each.ids) ids += (ids.empty() ? "" : ",") + std::to_string(id);
      text += (text.empty() ? "" : ",") + std::string("{\"ids\":[") + ids +
              "],\"state\":" + quoted(each.state) + ",\"note\":" + quoted(each.note) + each.stack + "}";
      continue;
    }
    const bool several = each.ids.size() > 1;
    text += "\nthread " + std::to_string(each.ids.front()) + " [" + each.state +
            (several ? ", " + std::to_string(each.ids.size()) + " threads" : "") + "]:\n";
    if (several) text += "\tthreads " + numbers(each.ids) + "\n";
    if (!each.note.empty()) text += "\t" + each.note + "\n";
    text += each.stack;
  }
  return head.json ? "\n{\"threads\":[" + text + "]}\n" : text;
}

}  // namespace racelab::stacks
