#include "stacks/raw_lines.hpp"

#include "stacks/mappings.hpp"
#include "stacks/signal_safe.hpp"

namespace racelab::stacks {
namespace {

void write_pc(int fd, std::uintptr_t pc) {
  fixed_text<512> shown;
  shown << "\t";
  bool found = false;
  for_each_mapping([&](const mapping& each) {
    if (!each.has(pc)) return false;
    found = !each.path.empty();
    if (found) (shown << each.path << "+").hex(pc - each.low + each.file_offset);
    return true;
  });
  if (!found) shown.hex(pc);
  shown << "\n";
  write_all(fd, shown.view());
}

}  // namespace

void write_raw_threads(int fd, std::span<const thread_trace> threads) noexcept {
  for (const thread_trace& thread : threads) {
    fixed_text<256> head;
    (head << "\nthread ").decimal(thread.id) << " [" << thread.state << "]:\n";
    if (thread.note != nullptr) head << "\t" << thread.note << "\n";
    write_all(fd, head.view());
    for (const std::uintptr_t pc : thread.stack.frames()) write_pc(fd, pc);
    if (thread.created_by.size > 0) write_all(fd, "created by\n");
    for (const std::uintptr_t pc : thread.created_by.frames()) write_pc(fd, pc);
  }
}

}  // namespace racelab::stacks
