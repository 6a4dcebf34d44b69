// A counter that two threads add to, and nothing orders them.
#pragma once

#include "repro/support/gate.hpp"

namespace racelab::judged {

inline void add_to(long& counter) {
  for (int i = 0; i < 100; ++i) counter = counter + 1;
}

/// Two threads add to `counter` at the same time.
inline void race_on(long& counter) {
  run_together([&counter] { add_to(counter); }, [&counter] { add_to(counter); });
}

}  // namespace racelab::judged
