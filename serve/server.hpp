// Server: a store behind HTTP/1.1.
//
//   GET, HEAD /kv/{key}   200 with the value, or 404
//   PUT /kv/{key}         201 if the key is new, 204 if its value was replaced
//   DELETE /kv/{key}      204, whether the key was there or not: a repeated DELETE is no error
//   GET, HEAD /metrics    200, Prometheus' text
//
// The key is what follows /kv/, percent-decoded; it may hold slashes. 400: a request that is none, a key that can't be decoded,
// or none. 404: any other path. 405: any other method. 413 and 431: a body or a header over its limit; the connection is closed
// then, as after 400 for a request that can't be read.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "serve/metrics.hpp"
#include "serve/store.hpp"

namespace racelab::serve {

struct server_options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  // 0: one that is free
  unsigned threads = 1;
  std::uint64_t body_limit = 1U << 20U;
  std::uint32_t header_limit = 8U << 10U;
  // For a whole header or body to come, and for an answer to go: who is slower, or silent, is cut off.
  std::chrono::milliseconds idle_timeout{60'000};
  std::chrono::milliseconds grace{3'000};  // for what is in flight when the server is stopped
};

struct server_state;

class server {
 public:
  /// Listens. `counted` needs as many workers as there are threads; both outlive the server. Throws std::system_error, whose
  /// text names address and port, if it can't.
  server(std::string map, store& served, counters& counted, const server_options& options);
  server(const server&) = delete;
  server& operator=(const server&) = delete;
  ~server();

  [[nodiscard]] std::uint16_t port() const;
  /// http://ADDRESS:PORT
  [[nodiscard]] std::string url() const;

  /// Serves until SIGINT, SIGTERM or stop(). Then nobody is let in, idle connections are closed, what is in flight is
  /// finished, and what is not after the grace is cut off. To be called once.
  void run();

  /// From any thread.
  void stop();

 private:
  std::unique_ptr<server_state> state_;
};

}  // namespace racelab::serve
