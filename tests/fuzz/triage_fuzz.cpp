// Fuzz: bytes become a log, which is parsed whole and in pieces, and goes through every form that a triage has.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "lab/triage_report.hpp"
#include "sanitizers/thread/triage.hpp"
#include "sanitizers/thread/triage_documents.hpp"

namespace {

using racelab::tsan::triage;
using racelab::tsan::triage_result;

// What a fuzzer would need long to find.
constexpr auto lines = std::to_array<std::string_view>({
    "==================\n",
    "WARNING: ThreadSanitizer: data race (pid=7)\n",
    "WARNING: ThreadSanitizer: lock-order-inversion (potential deadlock) (pid=7)\n",
    "WARNING: ThreadSanitizer: thread leak (pid=7)\n",
    "WARNING: DATA RACE\n",
    "WARNING: DEADLOCK\n",
    "ThreadSanitizer:DEADLYSIGNAL\n",
    "==7==ERROR: ThreadSanitizer: SEGV on unknown address 0x0010 (pc 0x55 bp 0x7f sp 0x7f T7)\n",
    "==7==The signal is caused by a WRITE memory access.\n",
    "FATAL: ThreadSanitizer: unexpected memory mapping 0x55-0x66\n",
    "ThreadSanitizer: CHECK failed: tsan.cpp:1 \"((x)) != (0)\" (0x0, 0x0) (tid=7)\n",
    "ThreadSanitizer: thread T1 'a' finished with ignores enabled, created at:\n",
    "  Ignore was enabled at:\n",
    "  Write of size 4 at 0x7b04 by thread T1 (mutexes: write M0, read M1):\n",
    "  Previous atomic read of size 8 at 0x7b00 by main thread:\n",
    "  Modifying access of document at 0x7b00 by thread T2:\n",
    "    #0 m::f(int) /src/x.cpp:1:2 (p+0x10) (BuildId: 12ab)\n",
    "    #1 <null> <null> (libc.so.6+0x27249)\n",
    "    [failed to restore the stack]\n",
    "  As if synchronized via sleep:\n",
    "  Location is heap block of size 16 at 0x7b00 allocated by main thread:\n",
    "  Location is global 'g' of size 4 at 0x5500 (p+0x40)\n",
    "  Location is stack of thread T1.\n",
    "  Location is file descriptor 3 created by main thread at:\n",
    "  0x7b08 is located 8 bytes inside of 16-byte region [0x7b00,0x7b10)\n",
    "  Mutex M0 (0x5500) created at:\n",
    "  Mutex M1 is already destroyed.\n",
    "  Mutex M1 acquired here while holding mutex M0 in thread T1:\n",
    "  Mutex M0 previously acquired by the same thread here:\n",
    "  Cycle in lock order graph: M0 (0x5500) => M1 (0x5508) => M0\n",
    "  Thread T1 'writer' (tid=8, running) created by main thread at:\n",
    "  And 2 more similar thread leaks.\n",
    "SUMMARY: ThreadSanitizer: data race /src/x.cpp:1:2 in m::f(int)\n",
    "Write at 0x00c0 by goroutine 7:\n",
    "  main.main()\n",
    "      /src/x.go:14 +0xa4\n",
    "Goroutine 7 (running) created at:\n",
    "Heap block of size 16 at 0x00c0 allocated by goroutine 7:\n",
    "web-1  | ",
    "2026-05-01T10:00:00.123Z ",
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

triage_result read(std::string_view log, std::size_t piece) {
  triage made;
  made.begin_log("log");
  for (std::size_t at = 0; at < log.size(); at += piece) made.feed(log.substr(at, piece));
  made.end_log();
  return made.result();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string log = bytes[0] % 2 == 0 ? log_of(bytes + 1, size - 1)
                                            : std::string(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const triage_result whole = read(log, log.size() + 1);
  const std::string document = racelab::tsan::json_document(whole);
  if (racelab::tsan::json_document(read(log, 1U + bytes[0] / 2U)) != document) std::abort();
  const std::string text = racelab::lab::triage_text(whole, bytes[0] % 3 == 0, false);
  if (text.find('\x1b') != std::string::npos) std::abort();
  if (racelab::tsan::sarif_document(whole, "0", "/src").empty()) std::abort();
  return 0;
}
