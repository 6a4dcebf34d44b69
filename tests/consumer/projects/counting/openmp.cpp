#include <counting/counting.h>

int main() {
#pragma omp parallel num_threads(2)
  count_in_archive();
}
