// Takes a gibibyte, a block at a time, and touches every page of it. Exit 0 if it got it all.
#include <cstddef>
#include <memory>
#include <vector>

int main() {
  constexpr std::size_t block = std::size_t{16} << 20;
  std::vector<std::unique_ptr<char[]>> blocks;
  for (std::size_t taken = 0; taken < std::size_t{1} << 30; taken += block) {
    blocks.push_back(std::make_unique<char[]>(block));
  }
}
