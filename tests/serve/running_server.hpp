// A program that serves, from the line that names its port to its end.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace racelab::tests {

class running_server {
 public:
  explicit running_server(std::vector<std::string> command_line) {
    std::array<int, 2> out{};
    std::array<int, 2> err{};
    if (pipe2(out.data(), O_CLOEXEC) != 0 || pipe2(err.data(), O_CLOEXEC) != 0)
      throw std::runtime_error("no pipe");
    std::vector<char*> words;
    for (std::string& word : command_line) words.push_back(word.data());
    words.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(out[1], STDOUT_FILENO);
      dup2(err[1], STDERR_FILENO);
      execv(words.front(), words.data());
      _exit(127);
    }
    close(out[1]);
    close(err[1]);
    out_ = out[0];
    err_ = err[0];
    line_ = read_line(out_, std::chrono::seconds(20));
    const std::size_t colon = line_.find(':', line_.find("http://") + 7);
    if (line_.find("http://") == std::string::npos || colon == std::string::npos) {
      end();
      throw std::runtime_error("no port in '" + line_ + "'");
    }
    port_ = static_cast<std::uint16_t>(std::stoi(line_.substr(colon + 1)));
  }
  running_server(const running_server&) = delete;
  running_server& operator=(const running_server&) = delete;
  ~running_server() { end(); }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const std::string& line() const { return line_; }

  /// The next line on stderr; what there is of it when the time is over.
  [[nodiscard]] std::string complaint(std::chrono::milliseconds patience) const {
    return read_line(err_, patience);
  }

  void send_signal(int number) const { kill(pid_, number); }

  /// The exit code, negative for a signal; -1000 if it has not ended by then.
  int wait_for_end(std::chrono::milliseconds patience = std::chrono::seconds(10)) {
    const auto end = std::chrono::steady_clock::now() + patience;
    int status = 0;
    while (waitpid(pid_, &status, WNOHANG) == 0) {
      if (std::chrono::steady_clock::now() > end) return -1000;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  int stop() {
    send_signal(SIGTERM);
    return wait_for_end();
  }

 private:
  static std::string read_line(int from, std::chrono::milliseconds patience) {
    const auto end = std::chrono::steady_clock::now() + patience;
    std::string line;
    for (;;) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now())
              .count();
      pollfd ready{.fd = from, .events = POLLIN, .revents = 0};
      char c = 0;
      if (left <= 0 || poll(&ready, 1, static_cast<int>(left)) <= 0 || read(from, &c, 1) != 1 || c == '\n')
        return line;
      line += c;
    }
  }

  void end() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    pid_ = 0;
    if (out_ >= 0) close(std::exchange(out_, -1));
    if (err_ >= 0) close(std::exchange(err_, -1));
  }

  pid_t pid_ = 0;
  int out_ = -1;
  int err_ = -1;
  std::string line_;
  std::uint16_t port_ = 0;
};

}  // namespace racelab::tests
