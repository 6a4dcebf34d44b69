// Linked into programs under ThreadSanitizer: hands over each report as data, one JSON object a line, appended to the
// file that RACELAB_TSAN_RECORDS names. The runtime calls __tsan_on_report after it has printed its text.
//
// Never instrumented. Called with the runtime's report lock held, so nothing here allocates or calls what the runtime
// intercepts: raw system calls and a fixed buffer. The records are described in sanitizers/thread/records.hpp.
// Source of the interface: compiler-rt/lib/tsan/rtl/tsan_interface.h; gcc's libtsan has the same.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

// The names are the runtime's; nobody includes a declaration of them.
#pragma GCC diagnostic ignored "-Wmissing-declarations"

extern "C" {
extern const char image_start asm(
    "__executable_start");  // the linker's: where this program's file begins in memory

int __tsan_get_report_data(void* report, const char** description, int* count, int* stack_count,
                           int* mop_count, int* loc_count, int* mutex_count, int* thread_count,
                           int* unique_tid_count, void** sleep_trace, std::size_t trace_size);
int __tsan_get_report_stack(void* report, std::size_t index, void** trace, std::size_t trace_size);
int __tsan_get_report_mop(void* report, std::size_t index, int* tid, void** address, int* size, int* write,
                          int* atomic, void** trace, std::size_t trace_size);
int __tsan_get_report_loc(void* report, std::size_t index, const char** type, void** address,
                          std::uintptr_t* start, std::uintptr_t* size, int* tid, int* fd, int* suppressable,
                          void** trace, std::size_t trace_size);
}

namespace {

constexpr std::size_t most_frames = 64;
using trace = void* [most_frames];

void forget(trace& frames) noexcept {
  for (void*& frame : frames) frame = nullptr;
}

class json_line {
 public:
  void clear() noexcept { size_ = 0; }
  void text(std::string_view more) noexcept {
    const std::size_t count = more.size() < room() ? more.size() : room();
    std::memcpy(buffer_ + size_, more.data(), count);
    size_ += count;
  }
  void key(std::string_view name) noexcept {
    comma();
    text("\"");
    text(name);
    text("\":");
  }
  void number(std::string_view name, long value) noexcept {
    key(name);
    char digits[24];
    char* const end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    text({digits, static_cast<std::size_t>(end - digits)});
  }
  // Strings, for JSON's numbers do not hold 64 bits everywhere.
  void address(std::uintptr_t value) noexcept {
    char digits[24];
    char* const end = std::to_chars(digits, digits + sizeof digits, value, 16).ptr;
    text("\"0x");
    text({digits, static_cast<std::size_t>(end - digits)});
    text("\"");
  }
  void truth(std::string_view name, bool value) noexcept {
    key(name);
    text(value ? "true" : "false");
  }
  void word(std::string_view name, const char* value) noexcept {  // the runtime's own words need no escape
    key(name);
    text("\"");
    text(value == nullptr ? "" : value);
    text("\"");
  }
  void stack(std::string_view name, const trace& frames) noexcept {
    key(name);
    text("[");
    for (std::size_t i = 0; i < most_frames && frames[i] != nullptr; ++i) {
      comma();
      address(reinterpret_cast<std::uintptr_t>(frames[i]));
    }
    text("]");
  }
  void open(std::string_view bracket) noexcept { text(bracket); }
  void comma() noexcept {
    const char last = size_ == 0 ? '\0' : buffer_[size_ - 1];
    if (last != '{' && last != '[' && last != ':') text(",");
  }
  // One write with O_APPEND: whole lines, also from several processes.
  void append_to(const char* path) noexcept {
    const long file = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file < 0) return;
    buffer_[size_++] = '\n';
    syscall(SYS_write, file, buffer_, size_);
    syscall(SYS_close, file);
  }

 private:
  [[nodiscard]] std::size_t room() const noexcept { return sizeof buffer_ - 1 - size_; }
  char buffer_[std::size_t{1} << 16U]{};
  std::size_t size_ = 0;
};

json_line line;  // reports come one at a time, and a thread's stack may be small

}  // namespace

extern "C" void __tsan_on_report(void* report) {
  const char* const path = std::getenv("RACELAB_TSAN_RECORDS");
  if (path == nullptr || *path == '\0') return;
  const char* description = nullptr;
  int count = 0;
  int stacks = 0;
  int accesses = 0;
  int locations = 0;
  int mutexes = 0;
  int threads = 0;
  int unique_tids = 0;
  trace frames{};
  if (__tsan_get_report_data(report, &description, &count, &stacks, &accesses, &locations, &mutexes, &threads,
                             &unique_tids, frames, most_frames) == 0)
    return;

  line.clear();
  line.open("{");
  line.number("process", getpid());
  line.word("kind", description);
  line.key("base");
  line.address(reinterpret_cast<std::uintptr_t>(&image_start));
  line.key("accesses");
  line.open("[");
  for (int i = 0; i < accesses; ++i) {
    int tid = 0;
    void* address = nullptr;
    int size = 0;
    int write = 0;
    int atomic = 0;
    forget(frames);
    __tsan_get_report_mop(report, static_cast<std::size_t>(i), &tid, &address, &size, &write, &atomic, frames,
                          most_frames);
    line.comma();
    line.open("{");
    line.number("thread", tid);
    line.key("address");
    line.address(reinterpret_cast<std::uintptr_t>(address));
    line.number("size", size);
    line.truth("write", write != 0);
    line.truth("atomic", atomic != 0);
    line.stack("stack", frames);
    line.text("}");
  }
  line.text("]");
  line.key("stacks");  // of reports that are about something else than accesses
  line.open("[");
  for (int i = 0; i < stacks; ++i) {
    forget(frames);
    __tsan_get_report_stack(report, static_cast<std::size_t>(i), frames, most_frames);
    line.comma();
    line.open("{");
    line.stack("stack", frames);
    line.text("}");
  }
  line.text("]");
  line.key("locations");
  line.open("[");
  for (int i = 0; i < locations; ++i) {
    const char* type = nullptr;
    void* address = nullptr;
    std::uintptr_t start = 0;
    std::uintptr_t size = 0;
    int tid = 0;
    int fd = 0;
    int suppressable = 0;
    forget(frames);
    __tsan_get_report_loc(report, static_cast<std::size_t>(i), &type, &address, &start, &size, &tid, &fd,
                          &suppressable, frames, most_frames);
    line.comma();
    line.open("{");
    line.word("type", type);
    line.key("start");
    line.address(start);
    line.number("size", static_cast<long>(size));
    line.number("thread", tid);
    line.stack("stack", frames);
    line.text("}");
  }
  line.text("]}");
  line.append_to(path);
}
