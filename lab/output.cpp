#include "lab/output.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "lab/document.hpp"

namespace racelab::lab {
namespace {

void flush_stream(std::FILE* stream, const char* name) {
  if (std::fflush(stream) != 0 || std::ferror(stream) != 0)
    throw std::system_error(errno, std::generic_category(), name);
}

}  // namespace

output_streams::output_streams(std::string json) : json_(std::move(json)) {
  if (!json_.empty() && !json_to_stdout()) check_writable(json_);
}

std::FILE* output_streams::text() const noexcept { return json_to_stdout() ? stderr : stdout; }

int output_streams::fd() const noexcept { return json_to_stdout() ? STDERR_FILENO : STDOUT_FILENO; }

void output_streams::flush() const { flush_stream(text(), json_to_stdout() ? "stderr" : "stdout"); }

void output_streams::write_json(std::string_view document) const {
  if (!json_to_stdout()) {
    write_document(json_, document);
    return;
  }
  fmt::print("{}", document);
  flush_stream(stdout, "stdout");
}

}  // namespace racelab::lab
