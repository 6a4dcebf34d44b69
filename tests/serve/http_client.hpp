// A client that sends what the test says, byte by byte if need be, and reads one answer at a time.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace racelab::tests {

struct http_answer {
  int status = 0;
  std::string header;  // lower case, with the status line
  std::string body;

  [[nodiscard]] bool has(const std::string& line) const {
    return header.find("\r\n" + line + "\r\n") != std::string::npos;
  }
};

class http_client {
 public:
  explicit http_client(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (socket_ < 0) throw std::runtime_error("no socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      close(socket_);
      throw std::runtime_error("can't connect to port " + std::to_string(port));
    }
  }
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;
  ~http_client() { close(socket_); }

  /// What the server no longer takes is lost.
  void send(const std::string& text) const {
    for (std::size_t sent = 0; sent < text.size();) {
      const ssize_t some = ::send(socket_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (some <= 0) return;
      sent += static_cast<std::size_t>(some);
    }
  }

  /// The next answer; status 0 if the connection is closed, or silent for ten seconds, before it is whole.
  http_answer read(bool head = false) {
    http_answer answer;
    std::size_t end = 0;
    while ((end = unread_.find("\r\n\r\n")) == std::string::npos)
      if (!more()) return {};
    answer.header = unread_.substr(0, end + 2);
    unread_.erase(0, end + 4);
    for (char& c : answer.header)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    answer.status = std::stoi(answer.header.substr(answer.header.find(' ') + 1));
    const std::string length = "\r\ncontent-length: ";
    const std::size_t at = answer.header.find(length);
    if (head || at == std::string::npos) return answer;
    const std::size_t size = std::stoul(answer.header.substr(at + length.size()));
    while (unread_.size() < size)
      if (!more()) return {};
    answer.body = unread_.substr(0, size);
    unread_.erase(0, size);
    return answer;
  }

  http_answer ask(const std::string& method, const std::string& target, const std::string& body = "") {
    std::string request = method + " " + target + " HTTP/1.1\r\nHost: test\r\n";
    if (!body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    send(request + "\r\n" + body);
    return read(method == "HEAD");
  }

  /// True once the server has closed its side and there is nothing left to read. Ten seconds of silence are no end.
  bool is_closed() {
    errno = 0;
    return unread_.empty() && !more() && errno != EAGAIN;
  }

 private:
  bool more() {
    std::array<char, 16'384> buffer{};
    const ssize_t got = recv(socket_, buffer.data(), buffer.size(), 0);
    if (got <= 0) return false;
    unread_.append(buffer.data(), static_cast<std::size_t>(got));
    return true;
  }

  int socket_;
  std::string unread_;
};

}  // namespace racelab::tests
