#include "stacks/blocked_call.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

#include "stacks/signal_safe.hpp"

namespace racelab::stacks {
namespace {

// Up to the next space; 0 if there is none.
std::uintptr_t hex_word(std::string_view word) noexcept {
  if (word.starts_with("0x")) word.remove_prefix(2);
  std::uintptr_t value = 0;
  std::from_chars(word.data(), word.data() + word.size(), value, 16);
  return value;
}

std::string_view take_last_word(std::string_view& line) noexcept {
  const std::size_t space = line.rfind(' ');
  if (space == std::string_view::npos) return {};
  const std::string_view word = line.substr(space + 1);
  line = line.substr(0, space);
  return word;
}

// NUMBER ARGUMENT… SP PC, or "running" (proc_pid_syscall(5)).
blocked_call call_in(std::string_view line) noexcept {
  blocked_call call;
  if (line.ends_with('\n')) line.remove_suffix(1);
  call.pc = hex_word(take_last_word(line));
  call.sp = hex_word(take_last_word(line));
  std::from_chars(line.data(), line.data() + line.size(), call.number);
  return call;
}

#if defined(__x86_64__)
// The number of the call that ends there, if it is loaded just before: mov $number,%eax; syscall.
long loaded_number(const unsigned char* end) noexcept {
  constexpr unsigned char mov_to_eax = 0xb8;
  if (end[-7] != mov_to_eax) return -1;
  std::int32_t number = -1;
  std::memcpy(&number, end - 6, sizeof number);
  return number;
}
#endif

}  // namespace

blocked_call blocked_call_of(pid_t tid) noexcept {
  fixed_text<64> path;
  path << "/proc/self/task/";
  path.decimal(static_cast<std::uint64_t>(tid)) << "/syscall";
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  std::array<char, 256> line{};
  const ssize_t size = read(file, line.data(), line.size());
  close(file);
  return size > 0 ? call_in({line.data(), static_cast<std::size_t>(size)}) : blocked_call{};
}

void begin_again([[maybe_unused]] void* ucontext, [[maybe_unused]] const blocked_call& known) noexcept {
#if defined(__x86_64__)
  auto& registers = static_cast<ucontext_t*>(ucontext)->uc_mcontext.gregs;
  if (registers[REG_RAX] != -EINTR) return;
  const auto pc = static_cast<std::uintptr_t>(registers[REG_RIP]);
  const auto* const code = reinterpret_cast<const unsigned char*>(pc);
  if (code[-2] != 0x0f || code[-1] != 0x05) return;  // syscall
  const auto sp = static_cast<std::uintptr_t>(registers[REG_RSP]);
  const bool is_known = known.pc == pc && known.sp == sp;
  const long number = is_known ? known.number : loaded_number(code);
  if (number < 0 || number == SYS_close) return;  // its descriptor is closed all the same
  registers[REG_RAX] = number;
  registers[REG_RIP] -= 2;
#endif
}

}  // namespace racelab::stacks
