#include "lab/stop_signals.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>

namespace racelab::lab {

struct stop_signals::state {
  boost::asio::io_context loop{1};
  boost::asio::signal_set signals{loop, SIGINT, SIGTERM, SIGHUP};
  int first = 0;
};

stop_signals::stop_signals() : state_(std::make_unique<state>()) {
  state_->signals.async_wait([this](const boost::system::error_code& error, int number) {
    if (!error) state_->first = number;
  });
}

stop_signals::~stop_signals() = default;

int stop_signals::seen() {
  state_->loop.poll();
  return state_->first;
}

}  // namespace racelab::lab
