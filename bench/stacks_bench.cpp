// Stacks: what it costs to capture one and to read it, beside the libraries that a user would pick instead.
//
// The trace is the same for all: `frames` nested calls. `what=capture` gives program counters. `what=first` reads them with
// nothing opened yet, as a program that dies once does; `what=again` reads the same ones a second time, as one that
// reports and carries on does. Speed is not all: `named` counts the frames that got a function's name, `lines` those with file
// and line, inlined calls included.
#include <execinfo.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "bench/support/program.hpp"
#include "stacks/capture.hpp"
#include "stacks/symbolise.hpp"

#ifdef RACELAB_HAS_BACKWARD
#include <backward.hpp>
#endif
#ifdef RACELAB_HAS_LIBBACKTRACE
#include <boost/stacktrace.hpp>
#endif
#ifdef RACELAB_HAS_ABSEIL
#include <absl/debugging/stacktrace.h>
#include <absl/debugging/symbolize.h>
#endif

namespace {

using namespace racelab::bench;

constexpr int frames = 26;
constexpr int readings = 10;  // again, after the first

/// What a library made of a trace.
struct reading {
  std::size_t named = 0;
  std::size_t lines = 0;

  void add(bool has_name, bool has_line) {
    named += has_name ? 1 : 0;
    lines += has_line ? 1 : 0;
  }
};

struct racelab_stacks {
  static constexpr const char* name = "racelab";
  using trace = racelab::stacks::raw_trace;
  static std::size_t capture(trace& into) {
    racelab::stacks::capture(into);
    return into.size;
  }
  struct reader {
    [[nodiscard]] reading read(const trace& of) const {
      reading result;
      for (const auto& frame : names.resolve(of.frames(), of.exact_top))
        result.add(!frame.function.empty(), frame.line != 0);
      return result;
    }
    racelab::stacks::symboliser names{getpid()};
  };
};

struct glibc {
  static constexpr const char* name = "glibc";
  struct trace {
    std::array<void*, racelab::stacks::max_frames> pcs{};
    int size = 0;
  };
  static std::size_t capture(trace& into) {
    into.size = backtrace(into.pcs.data(), static_cast<int>(into.pcs.size()));
    return static_cast<std::size_t>(into.size);
  }
  struct reader {
    static reading read(const trace& of) {
      const std::unique_ptr<char*, decltype(&std::free)> texts(backtrace_symbols(of.pcs.data(), of.size),
                                                               &std::free);
      reading result;
      for (int i = 0; i < of.size; ++i) {
        // module(function+offset) [address], with nothing before the plus where no symbol is exported
        const std::string_view text = texts.get()[i];
        const std::size_t open = text.find('(');
        result.add(open != std::string_view::npos && text.find('+', open) > open + 1, false);
      }
      return result;
    }
  };
};

#ifdef RACELAB_HAS_BACKWARD
struct backward_cpp {
  static constexpr const char* name = "backward-cpp";
  using trace = backward::StackTrace;
  static std::size_t capture(trace& into) { return into.load_here(racelab::stacks::max_frames); }
  struct reader {
    reading read(const trace& of) {
      reading result;
      resolver.load_stacktrace(of);
      for (std::size_t i = 0; i < of.size(); ++i) {
        const backward::ResolvedTrace frame = resolver.resolve(of[i]);
        for (const auto& inlined : frame.inliners) result.add(!inlined.function.empty(), inlined.line != 0);
        result.add(!frame.object_function.empty(), frame.source.line != 0);
      }
      return result;
    }
    backward::TraceResolver resolver{};
  };
};
#endif

#ifdef RACELAB_HAS_LIBBACKTRACE
struct boost_stacktrace {
  static constexpr const char* name = "boost.stacktrace";
  using trace = boost::stacktrace::stacktrace;
  static std::size_t capture(trace& into) {
    into = trace(0, racelab::stacks::max_frames);
    return into.size();
  }
  struct reader {
    static reading read(const trace& of) {
      reading result;
      for (const auto& frame : of) result.add(!frame.name().empty(), frame.source_line() != 0);
      return result;
    }
  };
};
#endif

#ifdef RACELAB_HAS_ABSEIL
struct abseil {
  static constexpr const char* name = "abseil";
  using trace = glibc::trace;
  static std::size_t capture(trace& into) {
    into.size = absl::GetStackTrace(into.pcs.data(), static_cast<int>(into.pcs.size()), 0);
    return static_cast<std::size_t>(into.size);
  }
  struct reader {
    static reading read(const trace& of) {
      reading result;
      std::array<char, 1024> text{};
      for (int i = 0; i < of.size; ++i)
        result.add(absl::Symbolize(of.pcs[static_cast<std::size_t>(i)], text.data(), text.size()), false);
      return result;
    }
  };
};
#endif

// Calls work() with so many frames on the stack.
template <class Work> [[gnu::noinline]] void below(int depth, Work& work) {
  if (depth == 0)
    work();
  else
    below(depth - 1, work);
  asm volatile("" ::: "memory");  // or the calls would become a jump
}

// What a child process measured.
struct measured_reading {
  double first_ns = 0;
  double again_ns = 0;
  reading was;
};

double ns_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
}

template <class Library> measured_reading read_here() {
  measured_reading result;
  const auto work = [&result] {
    typename Library::trace trace;
    Library::capture(trace);
    const auto start = std::chrono::steady_clock::now();
    typename Library::reader names;  // NOLINT(misc-const-correctness): some of them change
    result.was = names.read(trace);
    result.first_ns = ns_since(start);
    const auto second_start = std::chrono::steady_clock::now();
    for (int i = 0; i < readings; ++i) result.was = names.read(trace);
    result.again_ns = ns_since(second_start) / readings;
  };
  below(frames, work);
  return result;
}

// In a child of its own each time: a library may keep for the whole process what it has read.
template <class Library> measured_reading read_in_child() {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  const pid_t child = fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) {
    const measured_reading result = read_here<Library>();
    _exit(write(ends[1], &result, sizeof result) == sizeof result ? 0 : 1);
  }
  close(ends[1]);
  measured_reading result;
  const bool whole = read(ends[0], &result, sizeof result) == sizeof result;
  close(ends[0]);
  waitpid(child, nullptr, 0);
  if (!whole) throw std::runtime_error(std::string(Library::name) + ": the process that reads a trace died");
  return result;
}

template <class Library> void add(rounds& into, const settings& chosen) {
  into.turn(Library::name, [] {}, [] {});
  into.cell("what=capture", 1, chosen.seconds, [](benchmark::State& state) {
    const auto work = [&state] {
      typename Library::trace trace;
      std::size_t captured = 0;
      for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(captured = Library::capture(trace));
      state.counters["frames"] = static_cast<double>(captured);
    };
    below(frames, work);
  });
  for (const bool first : {true, false})
    into.once(first ? "what=first" : "what=again", [first](benchmark::State& state) {
      for ([[maybe_unused]] auto _ : state) {
        const measured_reading one = read_in_child<Library>();
        state.counters["ns"] = first ? one.first_ns : one.again_ns;
        state.counters["named"] = static_cast<double>(one.was.named);
        state.counters["lines"] = static_cast<double>(one.was.lines);
      }
    });
}

void plan(rounds& into, const settings& chosen) {
  racelab::stacks::prepare_capture();
  add<racelab_stacks>(into, chosen);
  add<glibc>(into, chosen);
#ifdef RACELAB_HAS_BACKWARD
  add<backward_cpp>(into, chosen);
#endif
#ifdef RACELAB_HAS_LIBBACKTRACE
  add<boost_stacktrace>(into, chosen);
#endif
#ifdef RACELAB_HAS_ABSEIL
  add<abseil>(into, chosen);
#endif
}

void tell(const results& measured) {
  measured.print("ns", "us", 1e3, racelab_stacks::name);
  fmt::print("\nof {} calls and what called them\n  {:<26} {:>10} {:>10} {:>10}\n", frames, "", "captured",
             "named", "lines");
  for (const std::string& library : measured.contenders())
    fmt::print("  {:<26} {:>10.0f} {:>10.0f} {:>10.0f}\n", library,
               measured.value(library, "what=capture", "frames").median,
               measured.value(library, "what=first", "named").median,
               measured.value(library, "what=first", "lines").median);
}

}  // namespace

int main(int argc, char** argv) {
#ifdef RACELAB_HAS_ABSEIL
  absl::InitializeSymbolizer(argv[0]);
#endif
  return answer(argc, argv,
                {.name = "stacks_bench",
                 .asked = "Stacks: what does it cost to capture one and to read it?",
                 .plan = plan,
                 .tell = tell});
}
