#include "compilers/link_line.hpp"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>

namespace racelab::compilers {
namespace {

namespace fs = std::filesystem;

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> all) {
  return std::ranges::find(all, text) != all.end();
}

// The runtime that clang links into an executable: libclang_rt.tsan-x86_64.a and libclang_rt.tsan_cxx-x86_64.a, or the
// same without the machine where a folder has its name; and beside each the list of what it exports.
bool is_llvm_runtime(std::string_view argument, std::string_view extension) {
  return argument.find("/libclang_rt.tsan") != std::string_view::npos && argument.ends_with(extension);
}

// `--name=value` or `--name value`, with one dash or two.
struct option_value {
  std::string value;
  std::size_t words = 1;
};

std::optional<option_value> value_of(std::string_view name, const std::vector<std::string>& arguments,
                                     std::size_t at) {
  std::string_view rest = arguments[at];
  if (!rest.starts_with('-')) return std::nullopt;
  rest.remove_prefix(rest.starts_with("--") ? 2 : 1);
  if (!rest.starts_with(name)) return std::nullopt;
  rest.remove_prefix(name.size());
  if (rest.starts_with('=')) return option_value{std::string(rest.substr(1)), 1};
  if (rest.empty() && at + 1 < arguments.size()) return option_value{arguments[at + 1], 2};
  return std::nullopt;
}

// What clang links in place of TSan's runtime for -fsanitize=undefined alone: TSan's has both.
std::string ubsan_archive(const std::string& tsan_archive) {
  std::string name = tsan_archive;
  const std::string_view tsan = "libclang_rt.tsan";
  return name.replace(name.rfind(tsan), tsan.size(), "libclang_rt.ubsan_standalone");
}

bool has_libstdcxx(const std::vector<std::string>& arguments) {
  return std::ranges::any_of(
      arguments, [](const std::string& each) { return is_one_of(each, {"-lstdc++", "-l:libstdc++.so"}); });
}

// Our object stands where LLVM's archive did: before the program's own objects, as its functions have to be.
void append_runtime(std::vector<std::string>& to, const runtime_files& runtime) {
  to.insert(to.end(), {runtime.object().string(), "--dynamic-list=" + runtime.dynamic_list().string(),
                       "--push-state", "-Bdynamic"});
  to.insert(to.end(), runtime.libraries.begin(), runtime.libraries.end());
  to.emplace_back("--pop-state");
}

// `-o FILE` or `--output=FILE`.
std::optional<option_value> output_of(const std::vector<std::string>& arguments, std::size_t at) {
  if (arguments[at] == "-o" && at + 1 < arguments.size()) return option_value{arguments[at + 1], 2};
  return value_of("output", arguments, at);
}

void refuse(link_line& line, std::string why) {
  line.what = linked::refused;
  line.refusal = std::move(why);
}

}  // namespace

link_line read_link_line(const std::vector<std::string>& arguments) {
  link_line line;
  line.output = "a.out";
  bool is_program = true;
  bool is_static = false;  // the last word about what -l may find
  bool all_static = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (const auto output = output_of(arguments, i)) {
      line.output = output->value;
      i += output->words - 1;
      continue;
    }
    if (is_one_of(argument, {"-shared", "--shared", "-Bshareable", "-r", "-i", "--relocatable"}))
      is_program = false;
    if (is_one_of(argument, {"-static", "--static"})) all_static = true;
    if (is_one_of(argument, {"-Bstatic", "-dn", "-non_shared"})) is_static = true;
    if (is_one_of(argument, {"-Bdynamic", "-dy", "-call_shared"})) is_static = all_static = false;
    if (is_llvm_runtime(argument, ".a")) line.what = linked::with_archive;
    if (is_llvm_runtime(argument, ".so"))
      refuse(line,
             "-shared-libsan: what is linked with LLVM's runtime as a shared library can't run with "
             "racelab's");
    if (argument == "-ltsan") {
      line.what = linked::with_library;
      if (is_static)
        refuse(line, "-static-libtsan: gcc's runtime has to be a shared library to be replaced by racelab's");
    }
  }
  if (line.what == linked::refused) return line;
  if (!is_program || line.output.string().starts_with("/dev/")) line.what = linked::other;
  if (line.what == linked::with_archive && all_static)
    refuse(line,
           "-static: ThreadSanitizer needs a dynamically linked program (-static-libstdc++ and "
           "-static-libgcc "
           "are fine)");
  return line;
}

fs::path watch_program(const fs::path& program) { return program.string() + ".watch"; }

std::vector<std::string> watch_arguments(const std::vector<std::string>& arguments, const link_line& line,
                                         const runtime_files& runtime) {
  std::vector<std::string> result;
  // Before any folder of the user's; and as RPATH, which also holds for the libraries that libraries need.
  if (line.what == linked::with_library)
    result = {"--disable-new-dtags", "-rpath", runtime.gcc_library_folder().string()};
  std::vector<std::string> archives;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (const auto output = output_of(arguments, i)) {
      i += output->words - 1;
    } else if (const auto map = value_of("Map", arguments, i)) {
      result.push_back("-Map=" + map->value + ".watch");
      i += map->words - 1;
    } else if (const auto rules = value_of("dependency-file", arguments, i)) {
      i += rules->words - 1;  // the program's own link has written it
    } else if (is_llvm_runtime(argument, ".a")) {
      // Out of its --whole-archive, which would hold for the libraries too.
      if (!result.empty() && is_one_of(result.back(), {"--whole-archive", "-whole-archive"})) {
        result.pop_back();
        if (i + 1 < arguments.size() &&
            is_one_of(arguments[i + 1], {"--no-whole-archive", "-no-whole-archive"}))
          ++i;
      }
      if (archives.empty()) append_runtime(result, runtime);
      archives.push_back(ubsan_archive(argument));
    } else if (!is_llvm_runtime(argument, ".a.syms") && argument != "--enable-new-dtags") {
      result.push_back(argument);
    }
  }
  result.insert(result.end(), {"-o", watch_program(line.output).string()});
  if (line.what != linked::with_archive) return result;
  if (!has_libstdcxx(arguments)) result.emplace_back("-lstdc++");
  // Taken only as far as the program calls it; what it needs of libc comes after it.
  for (const std::string& archive : archives)
    if (fs::exists(archive)) result.push_back(archive);
  result.emplace_back("-lc");
  return result;
}

}  // namespace racelab::compilers
