// libc's input and output as an instrumented module calls it: accesses to the bytes that come or go.
//
// A call that waits for another thread is ordered by what it waits for: memory that is used until a message is sent may be
// what the receiver's read() then fills. So only calls are watched that wait for nobody: of files, of the kernel's memory
// devices (/dev/null, /dev/zero, /dev/urandom), and output to a pipe that has room for it. What comes in goes to a place
// apart first, for only then is it known how much that is; it is copied after the announcement, as if the kernel took so long.
// What goes out is announced before the call. A stream is locked meanwhile: its lock may be what orders the others.
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdio>

#include "sanitizers/watchpoint/intercepts.hpp"
#include "stacks/own_functions.hpp"
#include "stacks/signal_safe.hpp"

extern "C" {
// glibc's own names of what ours stand before. No dlsym: write() is called in signal handlers, too.
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming,cert-*): they are glibc's
ssize_t __read(int, void*, std::size_t);
ssize_t __write(int, const void*, std::size_t);
ssize_t __pread64(int, void*, std::size_t, off_t);
ssize_t __pwrite64(int, const void*, std::size_t, off_t);
std::size_t _IO_fread(void*, std::size_t, std::size_t, std::FILE*);
std::size_t _IO_fwrite(const void*, std::size_t, std::size_t, std::FILE*);
int _IO_fputs(const char*, std::FILE*);
int _IO_puts(const char*);
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming,cert-*)
}

namespace racelab::watch {
namespace {

constexpr std::size_t largest = std::size_t{1} << 20U;  // more than that goes unwatched

bool is_file_or_memory(const struct stat& what) noexcept {
  constexpr unsigned memory_devices = 1;  // Linux' devices.txt
  return S_ISREG(what.st_mode) || (S_ISCHR(what.st_mode) && major(what.st_rdev) == memory_devices);
}

// What looks around before a call leaves errno as it was.
bool comes_without_waiting(int file) noexcept {
  const stacks::kept_errno kept;
  struct stat what{};
  return fstat(file, &what) == 0 && is_file_or_memory(what);
}

bool goes_without_waiting(int file, std::size_t size) noexcept {
  const stacks::kept_errno kept;
  struct stat what{};
  if (fstat(file, &what) != 0) return false;
  if (is_file_or_memory(what)) return true;
  pollfd room{.fd = file, .events = POLLOUT, .revents = 0};
  return S_ISFIFO(what.st_mode) && size <= PIPE_BUF && poll(&room, 1, 0) == 1 &&
         (room.revents & POLLOUT) != 0;
}

// Memory apart from the program's, also in a signal handler and on a small stack.
class place_apart {
 public:
  explicit place_apart(std::size_t size) noexcept : size_(size), start_(map(size)) {}
  ~place_apart() {
    const stacks::kept_errno kept;
    if (*this) munmap(start_, size_);
  }
  place_apart(const place_apart&) = delete;
  place_apart& operator=(const place_apart&) = delete;

  explicit operator bool() const noexcept { return start_ != MAP_FAILED; }
  [[nodiscard]] void* start() const noexcept { return start_; }

 private:
  static void* map(std::size_t size) noexcept {
    const stacks::kept_errno kept;
    return mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }

  std::size_t size_;
  void* start_;
};

class stream_lock {
 public:
  explicit stream_lock(std::FILE* stream) noexcept : stream_(stream) { flockfile(stream); }
  ~stream_lock() { funlockfile(stream_); }
  stream_lock(const stream_lock&) = delete;
  stream_lock& operator=(const stream_lock&) = delete;

 private:
  std::FILE* stream_;
};

// `input(where)` reads `size` bytes at most, and returns how many, or -1.
template <class Input>
ssize_t fetch(int file, void* to, std::size_t size, std::uintptr_t pc, const Input& input) {
  if (!is_watched(pc) || size == 0 || size > largest || !comes_without_waiting(file)) return input(to);
  const place_apart apart(size);
  if (!apart) return input(to);
  const ssize_t got = input(apart.start());
  if (got <= 0) return got;
  writes(to, static_cast<std::size_t>(got), pc);
  racelab_memcpy(to, apart.start(), static_cast<std::size_t>(got));
  return got;
}

ssize_t fetch_from(int file, void* to, std::size_t size, off_t offset, std::uintptr_t pc) {
  return fetch(file, to, size, pc, [&](void* where) { return __pread64(file, where, size, offset); });
}

// `output()` sends them, or puts them into the stream's buffer.
template <class Output>
auto send(int file, const void* from, std::size_t size, std::uintptr_t pc, const Output& output) {
  if (is_watched(pc) && goes_without_waiting(file, size)) reads(from, size, pc);
  return output();
}

ssize_t send_to(int file, const void* from, std::size_t size, off_t offset, std::uintptr_t pc) {
  return send(file, from, size, pc, [&] { return __pwrite64(file, from, size, offset); });
}

template <class Output>
int send_text(const char* text, std::FILE* stream, std::uintptr_t pc, const Output& output) {
  if (!is_watched(pc)) return output();
  const stream_lock locked(stream);
  return send(fileno_unlocked(stream), text, racelab_strlen(text) + 1, pc, output);
}

}  // namespace

extern "C" {

RACELAB_INTERCEPT(ssize_t, read, (int file, void* to, std::size_t size)) {
  return fetch(file, to, size, RACELAB_PC, [&](void* where) { return __read(file, where, size); });
}

RACELAB_INTERCEPT(ssize_t, pread, (int file, void* to, std::size_t size, off_t offset)) {
  return fetch_from(file, to, size, offset, RACELAB_PC);
}

RACELAB_INTERCEPT(ssize_t, pread64, (int file, void* to, std::size_t size, off_t offset)) {
  return fetch_from(file, to, size, offset, RACELAB_PC);
}

RACELAB_INTERCEPT(ssize_t, write, (int file, const void* from, std::size_t size)) {
  return send(file, from, size, RACELAB_PC, [&] { return __write(file, from, size); });
}

RACELAB_INTERCEPT(ssize_t, pwrite, (int file, const void* from, std::size_t size, off_t offset)) {
  return send_to(file, from, size, offset, RACELAB_PC);
}

RACELAB_INTERCEPT(ssize_t, pwrite64, (int file, const void* from, std::size_t size, off_t offset)) {
  return send_to(file, from, size, offset, RACELAB_PC);
}

RACELAB_INTERCEPT(std::size_t, fread, (void* to, std::size_t size, std::size_t count, std::FILE* stream)) {
  const auto pc = RACELAB_PC;
  if (!is_watched(pc) || size == 0 || count > largest / size) return _IO_fread(to, size, count, stream);
  const stream_lock locked(stream);
  // Byte by byte, so that the bytes of an element that is not whole count.
  const ssize_t bytes = fetch(fileno_unlocked(stream), to, size * count, pc, [&](void* where) {
    return static_cast<ssize_t>(_IO_fread(where, 1, size * count, stream));
  });
  return static_cast<std::size_t>(bytes) / size;
}

RACELAB_INTERCEPT(std::size_t, fwrite,
                  (const void* from, std::size_t size, std::size_t count, std::FILE* stream)) {
  const auto pc = RACELAB_PC;
  if (!is_watched(pc) || size == 0 || count > SIZE_MAX / size) return _IO_fwrite(from, size, count, stream);
  const stream_lock locked(stream);
  return send(fileno_unlocked(stream), from, size * count, pc,
              [&] { return _IO_fwrite(from, size, count, stream); });
}

RACELAB_INTERCEPT(int, fputs, (const char* text, std::FILE* stream)) {
  return send_text(text, stream, RACELAB_PC, [&] { return _IO_fputs(text, stream); });
}

RACELAB_INTERCEPT(int, puts, (const char* text)) {
  return send_text(text, stdout, RACELAB_PC, [&] { return _IO_puts(text); });
}

}  // extern "C"

}  // namespace racelab::watch
