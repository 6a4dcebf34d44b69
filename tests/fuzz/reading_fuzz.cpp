// Fuzz: bytes become a log of crashes, which is read and explained, with the log itself as every source file.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "lab/explain_report.hpp"
#include "stacks/reading/reader.hpp"

namespace {

// What a fuzzer would need long to find.
constexpr auto lines = std::to_array<std::string_view>({
    "fatal error: unexpected signal\n",
    "panic: runtime error: invalid memory address or nil pointer dereference\n",
    "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x7f]\n",
    "thread 4 [running]:\n",
    "goroutine 7 gp=0xc0 m=3 mp=0xc1 [running]:\n",
    "a::f<…>(…)\n",
    "\ta.cpp:3 +0x1f\n",
    "\ta.go:2\n",
    "created by main.main in goroutine 1\n",
    "==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x60 at pc 0x55 bp 0x7f sp 0x7f\n",
    "==7==ERROR: ThreadSanitizer: SEGV on unknown address 0x0004 (pc 0x55 bp 0x7f sp 0x7f T1)\n",
    "READ of size 8 at 0x60 thread T1\n",
    "    #0 0x55 in f(int) a.cpp:2:9 (m+0x12) (BuildId: 12)\n",
    "    #1 0x56 in main a.cpp:4\n",
    "freed by thread T1 here:\n",
    "Thread T1 created by T0 here:\n",
    "a.cpp:1:2: runtime error: member access within null pointer of type 'b'\n",
    "Thread 2 \"x\" received signal SIGSEGV, Segmentation fault.\n",
    "Thread 2 (Thread 0x7f (LWP 7) \"x\"):\n",
    "#0  f (p=0x0) at a.cpp:2\n",
    "#1  <signal handler called>\n",
    "#2  0x55 in ?? () from /lib/libc.so.6\n",
    "    at a.cpp:3\n",
    "free(): double free detected in tcache 2\n",
    "int f(node* p) {\n",
    "  return p->value;\n",
    "  node* p = g(1);\n",
    "  if (p == nullptr) return nullptr;\n",
    "  f(p);\n",
    "}\n",
    "\x1b[31m",
    "\r\n",
});

std::string log_of(const std::uint8_t* bytes, std::size_t size) {
  std::string log;
  for (std::size_t i = 0; i < size; ++i) {
    // Bytes from 128 up stand for a line, the others for themselves.
    if (bytes[i] >= 128) {
      log += lines[(bytes[i] - 128U) % lines.size()];
    } else {
      log += static_cast<char>(bytes[i]);
    }
  }
  return log;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string log = log_of(bytes, size);
  const auto sources = [&](const std::string& /*file*/) -> std::optional<std::vector<std::string>> {
    std::vector<std::string> text;
    std::istringstream in(log);
    for (std::string line; std::getline(in, line);) text.push_back(line);
    return text;
  };
  std::vector<racelab::lab::explained_crash> all;
  for (auto& each : racelab::reading::crashes_in(log)) {
    all.push_back(racelab::lab::explain(std::move(each), sources));
    const std::string text = racelab::lab::explained_text("log", all.back(), false);
    if (text.find('\x1b') != std::string::npos) std::abort();
  }
  if (racelab::lab::explained_document("log", all).empty()) std::abort();
  return 0;
}
