// Runs a program to its end, with its standard error kept.
#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>

struct finished_program {
  std::string errors;  // all that it wrote to standard error
  int status = -1;     // as waitpid gives it
  std::chrono::steady_clock::duration took{};

  [[nodiscard]] int killed_by() const { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }
  [[nodiscard]] bool says(const std::string& text) const { return errors.find(text) != std::string::npos; }
  [[nodiscard]] int count(const std::string& text) const {
    int found = 0;
    for (std::size_t at = 0; (at = errors.find(text, at)) != std::string::npos; at += text.size()) ++found;
    return found;
  }
};

/// `traceback` is the value of RACELAB_TRACEBACK, or null. A program that takes longer than 20 s is killed.
inline finished_program run_program(const std::string& path, const char* traceback = nullptr) {
  finished_program result;
  const auto start = std::chrono::steady_clock::now();
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return result;
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere < 0) _exit(127);
    dup2(nowhere, STDOUT_FILENO);
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    if (traceback != nullptr) {
      setenv("RACELAB_TRACEBACK", traceback, 1);
    } else {
      unsetenv("RACELAB_TRACEBACK");
    }
    alarm(20);
    execl(path.c_str(), path.c_str(), nullptr);
    _exit(127);
  }
  close(ends[1]);
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = read(ends[0], buffer.data(), buffer.size())) > 0;) {
    result.errors.append(buffer.data(), static_cast<std::size_t>(got));
  }
  close(ends[0]);
  waitpid(child, &result.status, 0);
  result.took = std::chrono::steady_clock::now() - start;
  return result;
}
