#include "sanitizers/watchpoint/breakpoints.hpp"

#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "sanitizers/watchpoint/memory.hpp"
#include "stacks/mappings.hpp"
#include "stacks/signal_safe.hpp"
#include "stacks/threads.hpp"

namespace racelab::watch {
namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t ring_size = 2 * page;  // a header and one page of samples
constexpr std::size_t longest_instruction = 15;

bool can_be_watched(const access& what) noexcept {
  return (what.size == 1 || what.size == 2 || what.size == 4 || what.size == 8) &&
         what.address % what.size == 0;
}

bool is_prefix(std::uint8_t byte) noexcept {
  constexpr std::array<std::uint8_t, 11> all{0xf0, 0xf2, 0xf3, 0x66, 0x67, 0x2e,
                                             0x36, 0x3e, 0x26, 0x64, 0x65};
  return std::ranges::find(all, byte) != all.end();
}

// Of an instruction that may have a lock prefix, and of xchg: how many bytes follow its operand, or -1 for another one.
int immediate_bytes(bool is_two_byte, std::uint8_t opcode, bool has_66) noexcept {
  if (is_two_byte) {
    constexpr std::array<std::uint8_t, 8> bare{0xab, 0xb3, 0xbb, 0xb0, 0xb1, 0xc0, 0xc1, 0xc7};
    if (opcode == 0xba) return 1;
    return std::ranges::find(bare, opcode) != bare.end() ? 0 : -1;
  }
  if (opcode <= 0x31 && (opcode & 0x7U) <= 1) return 0;  // add, or, adc, sbb, and, sub, xor
  if (opcode == 0x80 || opcode == 0x83) return 1;
  if (opcode == 0x81) return has_66 ? 2 : 4;
  if (opcode == 0x86 || opcode == 0x87 || opcode == 0xf6 || opcode == 0xf7 || opcode == 0xfe ||
      opcode == 0xff)
    return 0;
  return -1;
}

// Of the operand that begins with the byte ModRM; 0 if it is no memory.
std::size_t operand_bytes(std::span<const std::uint8_t> rest) noexcept {
  if (rest.empty()) return 0;
  const unsigned mode = rest[0] >> 6U;
  const unsigned base = rest[0] & 7U;
  if (mode == 3) return 0;
  std::size_t size = 1;
  unsigned last = base;
  if (base == 4) {
    if (rest.size() < 2) return 0;
    last = rest[1] & 7U;
    ++size;
  }
  if (mode == 1) return size + 1;
  if (mode == 2 || last == 5) return size + 4;
  return size;
}

bool is_one_atomic_write(std::span<const std::uint8_t> whole) noexcept {
  std::size_t at = 0;
  bool locked = false;
  bool has_66 = false;
  for (; at < whole.size() && is_prefix(whole[at]); ++at) {
    locked = locked || whole[at] == 0xf0;
    has_66 = has_66 || whole[at] == 0x66;
  }
  if (at < whole.size() && (whole[at] & 0xf0U) == 0x40) ++at;  // REX
  const bool is_two_byte = at < whole.size() && whole[at] == 0x0f;
  if (is_two_byte) ++at;
  if (at >= whole.size()) return false;
  const std::uint8_t opcode = whole[at++];
  const bool is_xchg = !is_two_byte && (opcode == 0x86 || opcode == 0x87);
  if (!locked && !is_xchg) return false;
  const int immediate = immediate_bytes(is_two_byte, opcode, has_66);
  const std::size_t operand = operand_bytes(whole.subspan(at));
  return immediate >= 0 && operand != 0 && at + operand + static_cast<std::size_t>(immediate) == whole.size();
}

bool ends_in_atomic_write(std::uintptr_t after) noexcept {
  std::array<std::uint8_t, longest_instruction> bytes{};
  return read_memory(after - bytes.size(), bytes.data(), bytes.size()) && is_atomic_write(bytes);
}

}  // namespace

bool is_atomic_write(std::span<const std::uint8_t> before) noexcept {
  for (std::size_t size = 2; size <= std::min(before.size(), longest_instruction); ++size)
    if (is_one_atomic_write(before.last(size))) return true;
  return false;
}

bool is_mapped_twice(std::uintptr_t address) noexcept {
  stacks::mapping its;
  stacks::fixed_text<64> file;
  stacks::for_each_mapping([&](const stacks::mapping& each) {
    if (!each.has(address)) return false;
    its = each;
    file << each.file;
    return true;
  });
  if (!its.shared) return false;
  const std::uint64_t offset = its.file_offset + (address - its.low);
  bool found = false;
  stacks::for_each_mapping([&](const stacks::mapping& each) {
    found = each.low != its.low && each.shared && each.file == file.view() && each.file_offset <= offset &&
            offset - each.file_offset < each.high - each.low;
    return found;
  });
  return found;
}

breakpoints::breakpoints(const access& what) noexcept {
  if (!can_be_watched(what)) return;
  struct walk {
    breakpoints* self;
    const access* what;
    const stacks::thread_record* me;
    std::size_t others;
  } walk{.self = this, .what = &what, .me = &stacks::self(), .others = 0};
  stacks::for_each_thread(
      [](stacks::thread_record& each, void* argument) {
        auto& to = *static_cast<struct walk*>(argument);
        const pid_t thread = each.tid.load(std::memory_order_relaxed);
        if (&each == to.me || thread == 0) return;
        ++to.others;
        to.self->arm(thread, *to.what);
      },
      &walk);
  complete_ = count_ != 0 && count_ == walk.others;
}

void breakpoints::arm(pid_t thread, const access& what) noexcept {
  if (count_ == all_.size()) return;
  perf_event_attr wanted{};
  wanted.size = sizeof wanted;
  wanted.type = PERF_TYPE_BREAKPOINT;
  wanted.bp_type = HW_BREAKPOINT_W;
  wanted.bp_addr = what.address;
  wanted.bp_len = what.size;
  wanted.sample_period = 1;
  wanted.sample_type = PERF_SAMPLE_IP;
  wanted.exclude_kernel = 1;
  wanted.exclude_hv = 1;
  const auto file =
      static_cast<int>(syscall(SYS_perf_event_open, &wanted, thread, -1, -1, PERF_FLAG_FD_CLOEXEC));
  if (file < 0) return;
  void* const ring = mmap(nullptr, ring_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (ring == MAP_FAILED) {
    close(file);
    return;
  }
  all_[count_++] = {.file = file, .ring = ring};
}

breakpoints::~breakpoints() {
  for (const armed& each : std::span(all_).first(count_)) {
    close(each.file);
    syscall(SYS_munmap, each.ring, ring_size);  // munmap is interposed: heap.cpp
  }
}

void breakpoints::look(writers& into) const noexcept {
  into.watched = complete_;
  for (const armed& each : std::span(all_).first(count_)) {
    auto* const header = static_cast<perf_event_mmap_page*>(each.ring);
    const std::uint64_t head = std::atomic_ref(header->data_head).load(std::memory_order_acquire);
    const auto* const samples = static_cast<const std::byte*>(each.ring) + page;
    // What does not fit into the page is lost; a sample has a header and an address.
    for (std::uint64_t at = 0; at + sizeof(perf_event_header) + 8 <= std::min<std::uint64_t>(head, page);) {
      perf_event_header sample{};
      std::memcpy(&sample, samples + at, sizeof sample);
      if (sample.size == 0) break;
      if (sample.type == PERF_RECORD_SAMPLE) {
        std::uint64_t after = 0;
        std::memcpy(&after, samples + at + sizeof sample, sizeof after);
        into.add(after, ends_in_atomic_write(after));
      }
      at += sample.size;
    }
  }
}

}  // namespace racelab::watch
