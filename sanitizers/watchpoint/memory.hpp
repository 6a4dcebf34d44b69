// Memory that may not be there, or not any more.
#pragma once

#include <sys/uio.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace racelab::watch {

/// True if `size` bytes could be read: the kernel reads them, so that nothing faults.
[[nodiscard]] inline bool read_memory(std::uintptr_t address, void* into, std::size_t size) noexcept {
  const iovec local{.iov_base = into, .iov_len = size};
  const iovec there{.iov_base = reinterpret_cast<void*>(address), .iov_len = size};
  return process_vm_readv(getpid(), &local, 1, &there, 1, 0) == static_cast<ssize_t>(size);
}

}  // namespace racelab::watch
