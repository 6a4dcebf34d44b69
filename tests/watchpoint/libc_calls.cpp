#include "tests/watchpoint/libc_calls.hpp"

#include <strings.h>
#include <unistd.h>
#include <cstdlib>
#include <cstring>

extern "C" {
void* checked_memcpy(void*, const void*, std::size_t, std::size_t) __asm__("__memcpy_chk");
void* checked_memmove(void*, const void*, std::size_t, std::size_t) __asm__("__memmove_chk");
void* checked_memset(void*, int, std::size_t, std::size_t) __asm__("__memset_chk");
char* checked_strcpy(char*, const char*, std::size_t) __asm__("__strcpy_chk");
char* checked_strncpy(char*, const char*, std::size_t, std::size_t) __asm__("__strncpy_chk");
char* checked_strcat(char*, const char*, std::size_t) __asm__("__strcat_chk");
}

namespace instrumented {
namespace {

// The compiler can't know which function it is. The result is used after the call, so that none is a jump, whose return
// address would be the caller's.
template <class Function, class... Arguments> auto call(Function* function, Arguments... arguments) {
  Function* volatile unknown = function;
  auto volatile result = unknown(arguments...);
  return result;
}

const void* (*const memchr_of_const)(const void*, int, std::size_t) = std::memchr;
const char* (*const strchr_of_const)(const char*, int) = std::strchr;
const char* (*const strrchr_of_const)(const char*, int) = std::strrchr;

}  // namespace

void call_memcpy(void* to, const void* from, std::size_t size) { call(std::memcpy, to, from, size); }
void call_memmove(void* to, const void* from, std::size_t size) { call(std::memmove, to, from, size); }
void call_memset(void* to, int value, std::size_t size) { call(std::memset, to, value, size); }
int call_memcmp(const void* a, const void* b, std::size_t size) { return call(std::memcmp, a, b, size); }
int call_bcmp(const void* a, const void* b, std::size_t size) {
  // NOLINTNEXTLINE(bugprone-unsafe-functions,cert-msc24-c,cert-msc33-c): it is what is tested
  return call(bcmp, a, b, size);
}
const void* call_memchr(const void* from, int value, std::size_t size) {
  return call(memchr_of_const, from, value, size);
}
std::size_t call_strlen(const char* from) { return call(std::strlen, from); }
std::size_t call_strnlen(const char* from, std::size_t most) { return call(strnlen, from, most); }
int call_strcmp(const char* a, const char* b) { return call(std::strcmp, a, b); }
int call_strncmp(const char* a, const char* b, std::size_t most) { return call(std::strncmp, a, b, most); }
char* call_strcpy(char* to, const char* from) { return call(std::strcpy, to, from); }
char* call_strncpy(char* to, const char* from, std::size_t size) {
  return call(std::strncpy, to, from, size);
}
char* call_strcat(char* to, const char* from) { return call(std::strcat, to, from); }
const char* call_strchr(const char* from, int wanted) { return call(strchr_of_const, from, wanted); }
const char* call_strrchr(const char* from, int wanted) { return call(strrchr_of_const, from, wanted); }
char* call_strdup(const char* from) { return call(strdup, from); }

void call_checked_memcpy(void* to, const void* from, std::size_t size, std::size_t room) {
  call(checked_memcpy, to, from, size, room);
}
void call_checked_memmove(void* to, const void* from, std::size_t size, std::size_t room) {
  call(checked_memmove, to, from, size, room);
}
void call_checked_memset(void* to, int value, std::size_t size, std::size_t room) {
  call(checked_memset, to, value, size, room);
}
char* call_checked_strcpy(char* to, const char* from, std::size_t room) {
  return call(checked_strcpy, to, from, room);
}
char* call_checked_strncpy(char* to, const char* from, std::size_t size, std::size_t room) {
  return call(checked_strncpy, to, from, size, room);
}
char* call_checked_strcat(char* to, const char* from, std::size_t room) {
  return call(checked_strcat, to, from, room);
}

ssize_t call_read(int file, void* to, std::size_t size) { return call(read, file, to, size); }
ssize_t call_pread(int file, void* to, std::size_t size, off_t offset) {
  return call(pread, file, to, size, offset);
}
ssize_t call_write(int file, const void* from, std::size_t size) { return call(write, file, from, size); }
ssize_t call_pwrite(int file, const void* from, std::size_t size, off_t offset) {
  return call(pwrite, file, from, size, offset);
}
std::size_t call_fread(void* to, std::size_t size, std::size_t count, std::FILE* stream) {
  return call(std::fread, to, size, count, stream);
}
std::size_t call_fwrite(const void* from, std::size_t size, std::size_t count, std::FILE* stream) {
  return call(std::fwrite, from, size, count, stream);
}
int call_fputs(const char* text, std::FILE* stream) { return call(std::fputs, text, stream); }
int call_puts(const char* text) { return call(std::puts, text); }

void* call_realloc(void* block, std::size_t size) { return call(std::realloc, block, size); }

}  // namespace instrumented
