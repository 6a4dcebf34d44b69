#include "sanitizers/watchpoint/log.hpp"

#include <fcntl.h>
#include <link.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstring>
#include <string_view>

namespace racelab::watch {
namespace {

int log_file = -1;
std::atomic<unsigned long long> modules_written{0};  // dlpi_adds when the modules were last written

// A line, built without the heap. A record has four stacks of at most 64 frames, 21 bytes each: it always
// fits.
class line {
 public:
  void text(std::string_view more) noexcept {
    const std::size_t room = sizeof buffer_ - size_;
    const std::size_t count = more.size() < room ? more.size() : room;
    std::memcpy(buffer_ + size_, more.data(), count);
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
      if (c == '"' || c == '\\') text("\\");
      if (static_cast<unsigned char>(c) < 0x20) continue;
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
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  void write() noexcept {
    text("\n");
    // One write with O_APPEND: lines of several threads do not mix. A full disk loses records, not the
    // program.
    [[maybe_unused]] const auto written = ::write(log_file, buffer_, size_);
  }

 private:
  char buffer_[16384];
  std::size_t size_ = 0;
};

int add_module(dl_phdr_info* info, std::size_t /*size*/, void* argument) noexcept {
  auto& out = *static_cast<line*>(argument);
  const std::string_view name = info->dlpi_name == nullptr ? "" : info->dlpi_name;
  if (out.size() + name.size() + 200 > 16000) return 1;
  std::uintptr_t end = info->dlpi_addr;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type == PT_LOAD && info->dlpi_addr + segment.p_vaddr + segment.p_memsz > end)
      end = info->dlpi_addr + segment.p_vaddr + segment.p_memsz;
  }
  if (out.back() != '[') out.text(",");
  out.text("{\"path\":");
  if (name.empty()) {
    char path[4096];
    const auto length = readlink("/proc/self/exe", path, sizeof path);
    out.quoted(length > 0 ? std::string_view{path, static_cast<std::size_t>(length)} : std::string_view{});
  } else {
    out.quoted(name);
  }
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
  if (modules_written.exchange(adds, std::memory_order_relaxed) == adds) return;
  line out;
  out.text("{\"kind\":\"modules\",\"modules\":[");
  dl_iterate_phdr(add_module, &out);
  out.text("]}");
  out.write();
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
  return log_file >= 0;
}

void write_log(const record& what) noexcept {
  if (log_file < 0) return;
  write_modules();
  line out;
  out.text(what.what == record::kind::pair ? "{\"kind\":\"pair\",\"stalled\":"
                                           : "{\"kind\":\"changed\",\"stalled\":");
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
