#include "sanitizers/thread/sarif.hpp"

#include <fmt/format.h>

#include <cctype>
#include <filesystem>
#include <utility>

namespace racelab::tsan {
namespace {

using json = nlohmann::ordered_json;

constexpr std::string_view root_name = "%SRCROOT%";

// RFC 3986: what may stand in a path as it is.
std::string percent_encoded(std::string_view path) {
  std::string result;
  for (const char c : path) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 ||
        std::string_view("-._~/!$&'()*+,;=@").find(c) != std::string_view::npos) {
      result += c;
    } else {
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return result;
}

json artifact(std::string_view file, std::string_view source_root) {
  const std::string path = std::filesystem::path(file).lexically_normal().generic_string();
  std::string_view below = path;
  if (!source_root.empty() && below.starts_with(source_root) &&
      below.substr(source_root.size()).starts_with('/')) {
    below.remove_prefix(source_root.size() + 1);
  }
  if (!below.starts_with('/')) return {{"uri", percent_encoded(below)}, {"uriBaseId", root_name}};
  return {{"uri", "file://" + percent_encoded(below)}};
}

}  // namespace

std::string_view sarif_root(std::string_view source_root) {
  while (source_root.ends_with('/')) source_root.remove_suffix(1);
  return source_root;
}

json sarif_place(std::string_view file, std::size_t line, std::size_t column, std::string_view source_root) {
  json result{{"artifactLocation", artifact(file, source_root)}};
  if (line != 0) {
    result["region"] = {{"startLine", line}};
    if (column != 0) result["region"]["startColumn"] = column;
  }
  return result;
}

std::string sarif_log(json run, std::string_view source_root) {
  if (!source_root.empty()) {
    run["originalUriBaseIds"] = {
        {std::string(root_name), {{"uri", "file://" + percent_encoded(source_root) + "/"}}}};
  }
  json runs = json::array();
  runs.push_back(std::move(run));
  const json document{{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                      {"version", "2.1.0"},
                      {"runs", std::move(runs)}};
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace racelab::tsan
