// Which bytes of two buffers a call of libc's touches.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/watchpoint/staging.hpp"

namespace staging {

/// Two strings with room behind them: what must not be touched.
struct buffers {
  std::array<char, 64> a{};
  std::array<char, 64> b{};
  buffers(const char* text_a, const char* text_b) {
    a.fill('~');
    b.fill('~');
    std::memcpy(a.data(), text_a, std::strlen(text_a) + 1);
    std::memcpy(b.data(), text_b, std::strlen(text_b) + 1);
  }
};

/// An access as a test wants it: in which buffer, from which byte, how many, a write?
using touched = std::tuple<char, std::size_t, std::size_t, bool>;

/// The accesses of a call, in their order.
inline std::vector<touched> accesses_of(const buffers& in, const std::function<void()>& call) {
  static thread_local std::vector<watch::access>* seen = nullptr;
  std::vector<watch::access> accesses;
  accesses.reserve(16);
  std::thread([&] {
    watch::set_decide([](const watch::access& what, std::uint32_t) -> watch::stall {
      if (seen != nullptr) seen->push_back(what);
      return {};
    });
    seen = &accesses;
    call();
    seen = nullptr;
  }).join();
  std::vector<touched> result;
  for (const watch::access& each : accesses) {
    if (!function_at(each.pc).starts_with("instrumented::")) continue;  // the test's own, in the same module
    for (const auto& [name, buffer] : {std::pair{'a', &in.a}, std::pair{'b', &in.b}}) {
      const std::size_t offset = each.address - reinterpret_cast<std::uintptr_t>(buffer->data());
      if (offset < buffer->size()) result.emplace_back(name, offset, each.size, each.write);
    }
  }
  return result;
}

}  // namespace staging
