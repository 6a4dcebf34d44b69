// Reads through a null pointer as soon as it is loaded.
const volatile int* nothing = nullptr;

[[gnu::constructor]] void when_loaded() { (void)*nothing; }
