#include "lab/explain_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>

#include "lab/table.hpp"
#include "stacks/reading/roles.hpp"
#include "stacks/symbolise.hpp"

namespace racelab::lab {
namespace {

using reading::owner;
using json = nlohmann::ordered_json;

std::string_view name(reading::form of) {
  switch (of) {
    case reading::form::racelab_fatal:
      return "racelab";
    case reading::form::go:
      return "go";
    case reading::form::sanitizer:
      return "sanitizer";
    case reading::form::undefined:
      return "undefined";
    case reading::form::gdb:
      return "gdb";
    case reading::form::aborted:
      break;
  }
  return "abort";
}

/// A file below the working directory, from there.
std::string from_here(const std::string& file) {
  const std::filesystem::path path = std::filesystem::path(file).lexically_normal();
  if (!path.is_absolute()) return path.string();
  std::error_code error;
  const std::filesystem::path shorter = path.lexically_relative(std::filesystem::current_path(error));
  return error || shorter.empty() || *shorter.begin() == ".." ? path.string() : shorter.string();
}

std::string place_of(const reading::frame& one) {
  if (one.file.empty()) return one.module;
  return one.line == 0 ? from_here(one.file) : fmt::format("{}:{}", from_here(one.file), one.line);
}

std::string function_of(const std::string& function, const std::string& file) {
  if (function.empty()) return "?";
  return file.ends_with(".go") ? function : stacks::short_name(function);
}

/// malloc's overwriting of freed memory (mallopt(3), M_PERTURB): one byte again and again.
bool is_one_byte_again(std::uint64_t address) {
  const std::uint64_t byte = address >> 56U;
  return byte != 0 && byte != 0xff && (address >> 16U) == ((0x0101010101010101U * byte) >> 16U);
}

std::string words_for_address(const reading::crash& what) {
  if (what.not_canonical)
    return "The address was none that memory can have, as of a pointer read from freed or overwritten "
           "memory.";
  if (!what.address || what.signal.empty()) return "";
  if (is_one_byte_again(*what.address))
    return fmt::format(
        "The address {:#x} is one byte again and again, what MALLOC_PERTURB_ leaves in freed memory: a "
        "pointer was read from a "
        "freed entry.",
        *what.address);
  if (reading::is_null_access(what))
    return fmt::format(
        "The address {:#x} is on the first page: a null pointer was used, at {} bytes into what it should "
        "point to.",
        *what.address, *what.address);
  return "";
}

/// What a thread is to the crash.
std::string role_of(const reading::crash& what, std::size_t at) {
  const auto failed = reading::failed_thread(what);
  const reading::thread& one = what.threads[at];
  if (!one.note.empty()) return one.note;
  if (failed == at) return "here it failed";
  const bool misuse = what.headline.find("concurrent map") != std::string::npos;
  return misuse && at == 1 ? "the other side" : "";
}

/// Frames below the last of yours that nobody reads.
std::size_t runtime_frames_at_end(const std::vector<reading::frame>& frames) {
  std::size_t count = 0;
  while (count < frames.size()) {
    const owner whose = reading::owner_of(frames[frames.size() - 1 - count]);
    if (whose != owner::runtime && whose != owner::unknown) break;
    ++count;
  }
  return count == frames.size() || count < 3 ? 0 : count;
}

void add_frames(table& rows, const std::vector<reading::frame>& frames, std::optional<std::size_t> thrower,
                std::optional<std::size_t> first) {
  const std::size_t hidden = runtime_frames_at_end(frames);
  for (std::size_t i = 0; i < frames.size() - hidden; ++i) {
    const reading::frame& each = frames[i];
    const owner whose = reading::owner_of(each);
    std::string remark;
    if (i == thrower) remark = "<- thrown here";
    if (i == first) remark += i == thrower ? ", the first of yours" : "<- the first of yours";
    const style how = whose == owner::yours ? style::bold : style::plain;
    rows.add({{fmt::format("  #{}", i)},
              {function_of(each.function, each.file), how},
              {std::string(reading::name(whose))},
              {place_of(each)},
              {remark, style::yellow}});
  }
  if (hidden != 0) rows.add_line(fmt::format("  and {} frames of the runtime", hidden));
}

std::string risk_of(const reading::null_step& step) {
  if (step.source) return "the source";
  if (step.frame && step.what.starts_with("reads")) return "fatal";
  return step.checks ? "low" : "high";
}

std::string checks_of(const reading::null_step& step) {
  if (step.source) return "may do so";
  return step.checks ? "yes" : "no";
}

}  // namespace

explained_crash explain(reading::crash what, const reading::source_of& sources) {
  explained_crash one;
  one.meaning = reading::meaning_of(what.headline);
  for (const std::string& line : what.said)
    if (one.meaning.empty()) one.meaning = reading::meaning_of(line);
  // A message that speaks of null has said it.
  const std::string words = words_for_address(what);
  if (one.meaning.empty() || !reading::is_null_access(what))
    one.meaning += (one.meaning.empty() ? "" : " ") + words;
  const auto failed = reading::failed_thread(what);
  if (failed && reading::used_null(what)) {
    if (one.meaning.empty()) one.meaning = "An argument of the frame that failed is null.";
    const reading::thread& at = what.threads[*failed];
    if (const auto thrower = reading::thrower_of(at))
      one.null_way = reading::way_of_null(at, *thrower, sources);
  }
  one.what = std::move(what);
  return one;
}

std::string explained_text(const std::string& input, const explained_crash& one, bool coloured) {
  const reading::crash& what = one.what;
  std::string text = fmt::format(
      "{}:{}: {}{}\n", input, what.line, paint(what.headline, style::bold, coloured),
      what.signal.empty() || what.headline.find(what.signal) != std::string::npos ? ""
                                                                                  : " (" + what.signal + ")");
  for (const std::string& line : what.said) text += "  " + line + "\n";
  if (!one.meaning.empty()) text += wrapped(one.meaning, 2, 110);
  const auto failed = reading::failed_thread(what);
  std::vector<std::size_t> order(what.threads.size());
  std::iota(order.begin(), order.end(), 0U);
  if (failed)
    std::rotate(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(*failed),
                order.begin() + static_cast<std::ptrdiff_t>(*failed) + 1);
  for (const std::size_t i : order) {
    const reading::thread& each = what.threads[i];
    const std::string role = role_of(what, i);
    std::string title = each.title.empty() ? role : each.title;
    if (title.empty()) title = "the stack";
    text += fmt::format("\n{}{}\n", paint(title, style::bold, coloured),
                        role.empty() || role == title ? "" : ": " + role);
    const auto thrower = i == failed ? reading::thrower_of(each) : std::nullopt;
    table rows({{"", false}, {"", false}, {"", false}, {"", false}, {"", false}});
    add_frames(rows, each.frames, thrower, reading::first_of_yours(each, thrower.value_or(0)));
    const std::string lines = rows.text(false);
    text += lines.substr(lines.find('\n') + 1);  // without titles
    for (const reading::frame& creator : each.created) {
      if (reading::owner_of(creator) != owner::yours) continue;
      text += fmt::format("  created by {} ({})\n", function_of(creator.function, creator.file),
                          place_of(creator));
      break;
    }
  }
  if (!one.null_way.empty()) {
    text += "\nthe null pointer's way, by the source text\n";
    table rows({{"  frame", false},
                {"function", false},
                {"line", false},
                {"what it does", false},
                {"checks it?", false},
                {"risk", false}});
    for (const reading::null_step& step : one.null_way)
      rows.add({{step.frame ? fmt::format("  #{}", *step.frame) : "  -"},
                {function_of(step.function, step.file)},
                {fmt::format("{}:{}", from_here(step.file), step.line)},
                {step.what},
                {checks_of(step)},
                {risk_of(step), step.source ? style::yellow : style::red}});
    text += rows.text(coloured);
    for (const reading::null_step& step : one.null_way)
      text += fmt::format("  {}:{}: {}\n", from_here(step.file), step.line, step.text);
  }
  if (one.again) {
    const null_run& run = *one.again;
    if (!run.died)
      text += fmt::format("\nagain, under gdb: it did not die by SIGSEGV in {} runs\n", run.runs);
    else
      text += fmt::format(
          "\nagain, under gdb (run {}): {} times null was returned; the thread that died was last given {} "
          "in {}\n",
          run.runs, run.nulls, run.null_used ? "null" : "what is not null",
          run.given_to.empty() ? "nothing" : run.given_to);
  }
  if (!one.maps.empty()) text += "\nthe maps in its frames, by their bytes\n";
  for (const examined_map& map : one.maps) {
    text += fmt::format("  {}: {} at {}{}\n", paint(map.name, style::bold, coloured), map.type, map.address,
                        map.findings.empty() ? ", with which nothing is wrong" : "");
    for (const std::string& finding : map.findings) text += wrapped(finding, 4, 110);
  }
  return text;
}

std::string explained_document(const std::string& input, const std::vector<explained_crash>& all) {
  json document{{"version", 1}, {"input", input}, {"crashes", json::array()}};
  for (const explained_crash& one : all) {
    const reading::crash& what = one.what;
    json threads = json::array();
    const auto failed = reading::failed_thread(what);
    for (std::size_t i = 0; i < what.threads.size(); ++i) {
      const reading::thread& each = what.threads[i];
      const auto thrower = i == failed ? reading::thrower_of(each) : std::nullopt;
      const auto first = reading::first_of_yours(each, thrower.value_or(0));
      const auto frames_of = [&](const std::vector<reading::frame>& frames, bool marked) {
        json list = json::array();
        for (std::size_t k = 0; k < frames.size(); ++k)
          list.push_back({{"function", frames[k].function},
                          {"file", frames[k].file},
                          {"line", frames[k].line},
                          {"module", frames[k].module},
                          {"owner", reading::name(reading::owner_of(frames[k]))},
                          {"thrown", marked && k == thrower},
                          {"first_of_yours", marked && k == first}});
        return list;
      };
      threads.push_back({{"title", each.title},
                         {"note", each.note},
                         {"role", role_of(what, i)},
                         {"failed", i == failed},
                         {"frames", frames_of(each.frames, true)},
                         {"created_by", frames_of(each.created, false)}});
    }
    json steps = json::array();
    for (const reading::null_step& step : one.null_way)
      steps.push_back({{"frame", step.frame ? json(*step.frame) : json()},
                       {"function", step.function},
                       {"file", step.file},
                       {"line", step.line},
                       {"text", step.text},
                       {"what", step.what},
                       {"checks", step.checks},
                       {"source", step.source},
                       {"risk", risk_of(step)}});
    json again;
    if (one.again)
      again = {{"died", one.again->died},
               {"runs", one.again->runs},
               {"nulls", one.again->nulls},
               {"null_used", one.again->null_used},
               {"given_to", one.again->given_to}};
    json maps = json::array();
    for (const examined_map& map : one.maps)
      maps.push_back(
          {{"name", map.name}, {"type", map.type}, {"address", map.address}, {"findings", map.findings}});
    document["crashes"].push_back(
        {{"form", name(what.read_from)},
         {"line", what.line},
         {"headline", what.headline},
         {"said", what.said},
         {"meaning", one.meaning},
         {"signal", what.signal},
         {"address", what.address ? json(fmt::format("{:#x}", *what.address)) : json()},
         {"null", reading::used_null(what)},
         {"threads", threads},
         {"null_way", steps},
         {"again", again},
         {"maps", maps}});
  }
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace racelab::lab
