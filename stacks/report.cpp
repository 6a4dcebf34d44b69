#include "stacks/report.hpp"

#include <fstream>

#include "stacks/format.hpp"

namespace racelab::stacks {
namespace {

// From the process state in /proc/PID/task/TID/stat, the field after the command's name in parentheses.
std::string state_from_proc(pid_t process, pid_t tid) {
  std::ifstream file("/proc/" + std::to_string(process) + "/task/" + std::to_string(tid) + "/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(')');
  const char letter = name_end != std::string::npos && name_end + 2 < line.size() ? line[name_end + 2] : '?';
  switch (letter) {
    case 'R':
      return "running";
    case 'S':
      return "sleeping";
    case 'D':
      return "in the kernel";
    case 'T':
    case 't':
      return "stopped";
    default:
      return "ended";
  }
}

}  // namespace

std::string format_report(const report_head& head, const std::vector<report_thread>& threads) {
  const symboliser symbols(head.process);
  const detail shown = head.system ? detail::system : detail::user;
  std::string text;
  for (const report_thread& thread : threads) {
    const std::string state =
        thread.tid != 0 ? state_from_proc(head.process, thread.tid) : thread.state.data();
    text += "\nthread " + std::to_string(thread.id) + " [" + state + "]:\n";
    if (thread.note[0] != '\0') text += "\t" + std::string(thread.note.data()) + "\n";
    text += format_frames(symbols.resolve(thread.stack.frames(), thread.stack.exact_top), shown);
    text +=
        format_created_by(symbols.resolve(thread.created_by.frames(), thread.created_by.exact_top), shown);
  }
  return text;
}

}  // namespace racelab::stacks
