// libc's memory functions under names of ours, whatever stands before them in the program.
#pragma once

#include <cstddef>

extern "C" {
// Signal-safe, and usable from the process's start on: until libc's are found they are simple loops.
void* racelab_memcpy(void* to, const void* from, std::size_t size);
void* racelab_memmove(void* to, const void* from, std::size_t size);
void* racelab_memset(void* to, int value, std::size_t size);
int racelab_memcmp(const void* a, const void* b, std::size_t size);
int racelab_bcmp(const void* a, const void* b, std::size_t size);
void* racelab_memchr(const void* from, int value, std::size_t size);
std::size_t racelab_strlen(const char* from);
}
