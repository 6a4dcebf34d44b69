#include "sanitizers/watchpoint/breakpoints.hpp"

#include <fcntl.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstring>
#include <string_view>

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

// Reads what may not be there.
std::size_t read_memory(std::uintptr_t address, void* into, std::size_t size) noexcept {
  const iovec local{.iov_base = into, .iov_len = size};
  const iovec there{.iov_base = reinterpret_cast<void*>(address), .iov_len = size};
  const ssize_t got = process_vm_readv(getpid(), &local, 1, &there, 1, 0);
  return got < 0 ? 0 : static_cast<std::size_t>(got);
}

bool ends_in_atomic_write(std::uintptr_t after) noexcept {
  std::array<std::uint8_t, longest_instruction> bytes{};
  return read_memory(after - bytes.size(), bytes.data(), bytes.size()) == bytes.size() &&
         is_atomic_write(bytes);
}

// /proc/self/maps, one line after the other; it is not mapped, and nothing is taken from the heap.
class maps_reader {
 public:
  maps_reader() noexcept : file_(open("/proc/self/maps", O_RDONLY | O_CLOEXEC)) {}
  ~maps_reader() {
    if (file_ >= 0) close(file_);
  }
  maps_reader(const maps_reader&) = delete;
  maps_reader& operator=(const maps_reader&) = delete;

  struct line {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    std::uint64_t offset = 0;
    std::array<char, 32> memory{};  // "08:01 1234": the device and the inode
    bool shared = false;
  };

  bool next(line& into) noexcept {
    for (;;) {
      const std::string_view held(buffer_.data() + begin_, end_ - begin_);
      const std::size_t newline = held.find('\n');
      if (newline != std::string_view::npos) {
        begin_ += newline + 1;
        if (parse(held.substr(0, newline), into)) return true;
        continue;
      }
      if (!fill()) return false;
    }
  }

 private:
  bool fill() noexcept {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    const ssize_t got =
        file_ < 0 || end_ == buffer_.size() ? 0 : read(file_, buffer_.data() + end_, buffer_.size() - end_);
    if (got > 0) end_ += static_cast<std::size_t>(got);
    return got > 0;
  }

  // "begin-end perms offset device inode path"
  static bool parse(std::string_view text, line& into) noexcept {
    const char* const first = text.data();
    const char* const last = first + text.size();
    const char* at = std::from_chars(first, last, into.begin, 16).ptr;
    if (at == first || at == last) return false;
    at = std::from_chars(at + 1, last, into.end, 16).ptr;
    if (last - at < 6) return false;
    into.shared = at[4] == 's';
    at = std::from_chars(at + 6, last, into.offset, 16).ptr;
    if (at == last) return false;
    const std::string_view rest(at + 1, static_cast<std::size_t>(last - at - 1));
    const std::size_t inode = rest.find(' ');
    if (inode == std::string_view::npos) return false;
    const std::size_t size = std::min(rest.find(' ', inode + 1), rest.size());
    if (size >= into.memory.size()) return false;
    into.memory.fill('\0');
    rest.copy(into.memory.data(), size);
    return true;
  }

  int file_;
  std::array<char, 8192> buffer_{};
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace

bool is_atomic_write(std::span<const std::uint8_t> before) noexcept {
  for (std::size_t size = 2; size <= std::min(before.size(), longest_instruction); ++size)
    if (is_one_atomic_write(before.last(size))) return true;
  return false;
}

bool is_mapped_twice(std::uintptr_t address) noexcept {
  maps_reader::line its;
  bool found = false;
  for (maps_reader maps; !found && maps.next(its);) found = its.begin <= address && address < its.end;
  if (!found || !its.shared) return false;
  const std::uint64_t offset = its.offset + (address - its.begin);
  maps_reader::line other;
  for (maps_reader maps; maps.next(other);)
    if (other.begin != its.begin && other.memory == its.memory && other.shared && other.offset <= offset &&
        offset - other.offset < other.end - other.begin)
      return true;
  return false;
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
