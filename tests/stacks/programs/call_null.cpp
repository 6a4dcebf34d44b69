// The main thread calls a function through a null pointer.
[[gnu::noinline]] int call(int (*function)()) { return function() + 1; }

int main() {
  int (*volatile nothing)() = nullptr;
  return call(nothing);
}
