// Calls of libc's memory and string functions, and of its input and output, out of code that is compiled with -fsanitize=thread. Through pointers: clang
// would call __tsan_memcpy and its kin, and both compilers know some results.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdio>

namespace instrumented {

void call_memcpy(void* to, const void* from, std::size_t size);
void call_memmove(void* to, const void* from, std::size_t size);
void call_memset(void* to, int value, std::size_t size);
int call_memcmp(const void* a, const void* b, std::size_t size);
int call_bcmp(const void* a, const void* b, std::size_t size);
const void* call_memchr(const void* from, int value, std::size_t size);
std::size_t call_strlen(const char* from);
std::size_t call_strnlen(const char* from, std::size_t most);
int call_strcmp(const char* a, const char* b);
int call_strncmp(const char* a, const char* b, std::size_t most);
char* call_strcpy(char* to, const char* from);
char* call_strncpy(char* to, const char* from, std::size_t size);
char* call_strcat(char* to, const char* from);
const char* call_strchr(const char* from, int wanted);
const char* call_strrchr(const char* from, int wanted);
char* call_strdup(const char* from);

// As _FORTIFY_SOURCE makes them.
void call_checked_memcpy(void* to, const void* from, std::size_t size, std::size_t room);
void call_checked_memmove(void* to, const void* from, std::size_t size, std::size_t room);
void call_checked_memset(void* to, int value, std::size_t size, std::size_t room);
char* call_checked_strcpy(char* to, const char* from, std::size_t room);
char* call_checked_strncpy(char* to, const char* from, std::size_t size, std::size_t room);
char* call_checked_strcat(char* to, const char* from, std::size_t room);

ssize_t call_read(int file, void* to, std::size_t size);
ssize_t call_pread(int file, void* to, std::size_t size, off_t offset);
ssize_t call_write(int file, const void* from, std::size_t size);
ssize_t call_pwrite(int file, const void* from, std::size_t size, off_t offset);
std::size_t call_fread(void* to, std::size_t size, std::size_t count, std::FILE* stream);
std::size_t call_fwrite(const void* from, std::size_t size, std::size_t count, std::FILE* stream);
int call_fputs(const char* text, std::FILE* stream);
int call_puts(const char* text);

void* call_realloc(void* block, std::size_t size);

}  // namespace instrumented
