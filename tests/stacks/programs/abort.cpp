// The main thread aborts.
#include <cstdlib>

[[gnu::noinline]] void give_up(int /*reason*/) { std::abort(); }

int main() { give_up(1); }
