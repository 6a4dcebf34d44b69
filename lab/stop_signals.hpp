// Stop signals: SIGINT, SIGTERM and SIGHUP end nothing while this lives, so that nothing stays behind.
#pragma once

#include <memory>

namespace racelab::lab {

class stop_signals {
 public:
  /// Throws std::system_error if they can't be handled.
  stop_signals();
  stop_signals(const stop_signals&) = delete;
  stop_signals& operator=(const stop_signals&) = delete;
  ~stop_signals();

  /// The number of the first one that came, 0 for none. They come to run_trials(), too.
  [[nodiscard]] int seen();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace racelab::lab
