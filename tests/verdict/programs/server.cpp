// Listens on a port of its own choice of arguments, and counts its requests without a lock. With `forever` it never ends.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>

#include "repro/support/gate.hpp"

namespace {

long requests = 0;

void serve(int connection) {
  std::array<char, 16> request{};
  while (read(connection, request.data(), request.size()) > 0) requests = requests + 1;
  close(connection);
}

void ask(const sockaddr_in& where) {
  const int connection = socket(AF_INET, SOCK_STREAM, 0);
  if (connection >= 0 && connect(connection, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0)
    for (int i = 0; i < 50; ++i)
      if (write(connection, "request", 7) < 0) break;
  close(connection);
}

}  // namespace

int main(int argc, char** argv) {
  using std::string_view_literals::operator""sv;
  if (argc < 2) return 4;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  where.sin_port = htons(static_cast<in_port_t>(std::stoi(argv[1])));
  if (listener < 0 || bind(listener, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0 ||
      listen(listener, 8) != 0) {
    std::perror("server");
    return 5;
  }
  std::thread clients([&where] { racelab::run_together(2, [&where](int /*client*/) { ask(where); }); });
  std::array<std::thread, 2> handlers;
  for (std::thread& each : handlers) each = std::thread(serve, accept(listener, nullptr, nullptr));
  for (std::thread& each : handlers) each.join();
  clients.join();
  while (argc > 2 && argv[2] == "forever"sv) close(accept(listener, nullptr, nullptr));
  return 0;
}
