// The main thread crashes with a stack pointer that leads nowhere: nobody can unwind that.
int main() {
#ifdef __x86_64__
  asm volatile("movq $4096, %rsp\n\tmovq $4096, %rbp\n\tpushq $0");
#elif defined(__aarch64__)
  asm volatile("mov x0, #4096\n\tmov sp, x0\n\tstr x0, [sp]");
#endif
}
