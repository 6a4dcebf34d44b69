#include "sanitizers/watchpoint/log.hpp"

#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstring>
#include <string_view>

namespace racelab::watch {
namespace {

int log_file = -1;
char executable[4096];                               // its path; PATH_MAX bytes
std::atomic<unsigned long long> modules_written{0};  // dlpi_adds when the modules were last written

// A line, built in pages of its own: not on the heap, and not on the stack, which may be a small one. A record has
// four stacks of at most 64 frames, 21 bytes each, and always fits; modules that do not are left out.
class line {
 public:
  line() noexcept {
    void* const pages = mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages != MAP_FAILED) buffer_ = static_cast<char*>(pages);
  }
  ~line() {
    if (buffer_ != nullptr) munmap(buffer_, capacity);
  }
  line(const line&) = delete;
  line& operator=(const line&) = delete;

  [[nodiscard]] std::size_t room() const noexcept { return buffer_ == nullptr ? 0 : capacity - size_; }

  void text(std::string_view more) noexcept {
    const std::size_t count = more.size() < room() ? more.size() : room();
    if (count != 0) std::memcpy(buffer_ + size_, more.data(), count);
    size_ += count;
  }

  void number(std::uint64_t value) noexcept {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    text({digits, static_cast<std::size_t>(end - digits)});
  }

  // Addresses are strings: JSON's numbers do not hold 64 bits everywhere.
  void hex(std::uint64_t value) noexcept {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value, 16).ptr;
    text("\"0x");
    text({digits, static_cast<std::size_t>(end - digits)});
    text("\"");
  }

  void quoted(std::string_view raw) noexcept {
    text("\"");
    for (const char c : raw) {
      if (static_cast<unsigned char>(c) < 0x20) continue;  // no path that a person would have
      if (c == '"' || c == '\\') text("\\");
      text({&c, 1});
    }
    text("\"");
  }

  void trace(const stacks::raw_trace& stack) noexcept {
    text("[");
    bool first = true;
    for (const std::uintptr_t pc : stack.frames()) {
      if (!first) text(",");
      first = false;
      hex(pc);
    }
    text("]");
  }

  [[nodiscard]] char back() const noexcept { return size_ == 0 ? '\0' : buffer_[size_ - 1]; }

  void write() noexcept {
    text("\n");
    // One write with O_APPEND: lines of several threads do not mix. A full disk loses records, not the
    // program. A bare system call: write() would be a cancellation point.
    syscall(SYS_write, log_file, buffer_, size_);
  }

 private:
  static constexpr std::size_t capacity = std::size_t{1} << 18U;
  char* buffer_ = nullptr;  // null if there is no memory: then nothing is written
  std::size_t size_ = 0;
};

// The process too: programs that it starts append to the same file, and have other modules.
void begin(line& out, std::string_view kind) noexcept {
  out.text("{\"kind\":\"");
  out.text(kind);
  out.text("\",\"process\":");
  out.number(static_cast<std::uint64_t>(getpid()));
}

int add_module(dl_phdr_info* info, std::size_t /*size*/, void* argument) noexcept {
  auto& out = *static_cast<line*>(argument);
  const std::string_view name = info->dlpi_name == nullptr ? "" : info->dlpi_name;
  if (out.room() < 2 * sizeof executable + 200) return 1;  // a path may be escaped
  std::uintptr_t end = info->dlpi_addr;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type == PT_LOAD && info->dlpi_addr + segment.p_vaddr + segment.p_memsz > end)
      end = info->dlpi_addr + segment.p_vaddr + segment.p_memsz;
  }
  if (out.back() != '[') out.text(",");
  out.text("{\"path\":");
  out.quoted(name.empty() ? executable : name);
  out.text(",\"base\":");
  out.hex(info->dlpi_addr);
  out.text(",\"end\":");
  out.hex(end);
  out.text("}");
  return 0;
}

int count_modules(dl_phdr_info* info, std::size_t /*size*/, void* argument) noexcept {
  *static_cast<unsigned long long*>(argument) = info->dlpi_adds;
  return 1;
}

void write_modules() noexcept {
  unsigned long long adds = 0;
  dl_iterate_phdr(count_modules, &adds);
  if (modules_written.load(std::memory_order_relaxed) == adds) return;
  line out;
  begin(out, "modules");
  out.text(",\"modules\":[");
  dl_iterate_phdr(add_module, &out);
  out.text("]}");
  out.write();
  // Only now: another thread with a record writes the modules once more rather than a record before them.
  modules_written.store(adds, std::memory_order_relaxed);
}

void add_side(line& out, const side& which) noexcept {
  out.text("{\"thread\":");
  out.number(which.thread);
  out.text(",\"access\":");
  out.text(which.what.release ? "\"free\"" : which.what.write ? "\"write\"" : "\"read\"");
  out.text(which.what.atomic ? ",\"atomic\":true" : ",\"atomic\":false");
  out.text(",\"address\":");
  out.hex(which.what.address);
  out.text(",\"size\":");
  out.number(which.what.size);
  out.text(",\"visit\":");
  out.number(which.visit);
  out.text(",\"pc\":");
  out.hex(which.what.pc);
  out.text(",\"stack\":");
  out.trace(which.stack);
  out.text(",\"created_by\":");
  out.trace(which.created_by);
  out.text("}");
}

}  // namespace

bool open_log(const char* path) noexcept {
  log_file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  // At most one byte less than there is: the rest stays zero.
  return log_file >= 0 && readlink("/proc/self/exe", executable, sizeof executable - 1) > 0;
}

void write_log(const record& what) noexcept {
  if (log_file < 0) return;
  write_modules();
  line out;
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
  }
  out.text("}");
  out.write();
}

}  // namespace racelab::watch
