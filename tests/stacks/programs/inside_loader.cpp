// A library that is loaded crashes in its constructor: the dynamic loader holds its lock.
#include <dlfcn.h>

int main() { return dlopen(CRASHING_LIBRARY, RTLD_NOW) == nullptr ? 1 : 0; }
