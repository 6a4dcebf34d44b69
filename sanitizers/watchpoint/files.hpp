// The runtime's open files.
#pragma once

#include <fcntl.h>
#include <unistd.h>

namespace racelab::watch {

/// open(), with a descriptor far from those of the program, which may count on low ones, or close and reuse them.
inline int open_away(const char* path, int flags) noexcept {
  constexpr int far = 800;  // below 1024, which is the common limit
  const int file = open(path, flags | O_CLOEXEC, 0666);
  if (file < 0) return file;
  const int moved = fcntl(file, F_DUPFD_CLOEXEC, far);
  if (moved < 0) return file;
  close(file);
  return moved;
}

}  // namespace racelab::watch
