#include "stacks/reading/null_way.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "stacks/symbolise.hpp"

namespace racelab::reading {
namespace {

using lines = std::vector<std::string>;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::string trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  return std::string(text);
}

std::string without_comment(const std::string& line) { return line.substr(0, line.find("//")); }

/// grow_work of racelab::pool<int, int>::grow_work<…>, or of main.growWork.
std::string last_name(const frame& of) {
  std::string plain = of.file.ends_with(".go") ? of.function : stacks::short_name(of.function);
  plain = plain.substr(0, plain.find('('));
  for (std::size_t open = plain.find('<'); open != std::string::npos; open = plain.find('<'))
    plain.erase(open, plain.find('>', open) - open + 1);
  const std::size_t end = plain.find_last_of(":.");
  return end == std::string::npos ? plain : plain.substr(end + 1);
}

/// Where `word` stands in `text` as a word of its own, from `from` on.
std::size_t find_word(std::string_view text, std::string_view word, std::size_t from = 0) {
  for (std::size_t at = text.find(word, from); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const bool begins = at == 0 || !is_word(text[at - 1]);
    const std::size_t end = at + word.size();
    if (begins && (end == text.size() || !is_word(text[end]))) return at;
  }
  return std::string_view::npos;
}

bool is_name(std::string_view text) {
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) == 0 &&
         std::ranges::all_of(text, is_word);
}

/// What stands between the brackets that open at or after `at`, split at commas of their level.
std::vector<std::string> split_brackets(std::string_view text, std::size_t at) {
  std::vector<std::string> parts;
  at = text.find('(', at);
  if (at == std::string_view::npos) return parts;
  int depth = 0;
  std::string part;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '(' || c == '[' || c == '{') {
      if (depth++ == 0) continue;
    }
    if ((c == ')' || c == ']' || c == '}') && --depth == 0) break;
    if (c == ',' && depth == 1) {
      parts.push_back(trimmed(part));
      part.clear();
    } else {
      part += c;
    }
  }
  if (!trimmed(part).empty()) parts.push_back(trimmed(part));
  return parts;
}

/// The line's text with those that follow, until its brackets close.
std::string statement_at(const lines& source, std::size_t line) {
  std::string text;
  int depth = 0;
  for (std::size_t i = line; i < source.size() && i < line + 6; ++i) {
    const std::string one = without_comment(source[i]);
    text += one + " ";
    depth += static_cast<int>(std::ranges::count(one, '(')) - static_cast<int>(std::ranges::count(one, ')'));
    if (depth <= 0) break;
  }
  return text;
}

/// The line at which the definition of `function` that holds `line` begins: it has the name with a bracket, is indented less, and
/// is no call.
std::optional<std::size_t> header_of(const lines& source, std::string_view function, std::size_t line) {
  const auto indent = [&](std::size_t at) { return source[at].find_first_not_of(" \t"); };
  for (std::size_t i = line + 1; i-- > 0;) {
    const std::size_t at = find_word(source[i], function);
    if (at == std::string::npos || source[i].find('(', at) == std::string::npos) continue;
    const bool itself = i == line && source[i].find('{') == std::string::npos;
    const bool is_call = source[i].find(';') != std::string::npos && source[i].find('{') == std::string::npos;
    if (!itself && !is_call && (i == line || indent(i) < indent(line))) return i;
  }
  return std::nullopt;
}

/// The pointers that a line uses: `a` of a->b, *a, a[…]; a.b only where pointers are written so (Go).
std::vector<std::string> used_pointers(std::string_view text, bool go) {
  std::vector<std::string> found;
  const auto add = [&](std::string_view name) {
    if (is_name(name) && name != "this" && std::ranges::find(found, name) == found.end())
      found.emplace_back(name);
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool arrow = text.substr(i, 2) == "->" || (go && text[i] == '.');
    if (arrow || text[i] == '[') {
      std::size_t begin = i;
      while (begin > 0 && is_word(text[begin - 1])) --begin;
      add(text.substr(begin, i - begin));
    }
    if (text[i] == '*' && i + 1 < text.size() && is_word(text[i + 1])) {
      std::size_t end = i + 1;
      while (end < text.size() && is_word(text[end])) ++end;
      add(text.substr(i + 1, end - i - 1));
    }
  }
  return found;
}

/// A comparison of `name` with null somewhere in lines [from, to).
bool is_checked(const lines& source, std::string_view name, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to && i < source.size(); ++i) {
    const std::string text = without_comment(source[i]);
    for (std::size_t at = find_word(text, name); at != std::string::npos;
         at = find_word(text, name, at + 1)) {
      const std::string before = trimmed(text.substr(0, at));
      const std::string after = trimmed(text.substr(at + name.size()));
      const bool compared = after.starts_with("==") || after.starts_with("!=") || before.ends_with("==") ||
                            before.ends_with("!=");
      const bool asked =
          before.ends_with("!") ||
          ((before.ends_with("if (") || before.ends_with("while (") || before.ends_with("assert(")) &&
           (after.starts_with(")") || after.starts_with("&&")));
      if (compared || asked || after.starts_with("?")) return true;
    }
  }
  return false;
}

/// The function whose result `expression` is: g of x.g(1). Empty if it is no call.
std::string called_in(std::string_view expression) {
  std::string text = trimmed(expression);
  while (text.ends_with(';')) text = trimmed(text.substr(0, text.size() - 1));
  if (!text.ends_with(')')) return "";
  int depth = 0;
  std::size_t at = text.size();
  while (at > 0) {
    --at;
    if (text[at] == ')') ++depth;
    if (text[at] == '(' && --depth == 0) break;
  }
  std::size_t begin = at;
  while (begin > 0 && is_word(text[begin - 1])) --begin;
  return text.substr(begin, at - begin);
}

bool returns_null(std::string_view text) {
  for (const std::string_view word : {"nullptr", "NULL", "nil", "0", "{}"}) {
    const std::size_t at = text.find("return ");
    if (at != std::string_view::npos && trimmed(text.substr(at + 7)).starts_with(word)) return true;
  }
  return false;
}

struct position {
  std::size_t frame = 0;
  std::string pointer;
};

/// One look at a thread's frames.
class way {
 public:
  way(const thread& one, const source_of& sources) : thread_(one), sources_(sources) {}

  std::vector<null_step> from(std::size_t thrower) {
    if (thrower >= thread_.frames.size()) return {};
    const frame& at = thread_.frames[thrower];
    const auto source = lines_of(at);
    if (!source) return {};
    const bool go = at.file.ends_with(".go");
    for (const std::string& pointer : used_pointers(without_comment((*source)[at.line - 1]), go)) {
      steps_.clear();
      if (follow(thrower, pointer, "reads through `" + pointer + "`")) return steps_;
    }
    return {};
  }

 private:
  std::optional<lines> lines_of(const frame& one) const {
    if (one.file.empty() || one.line == 0) return std::nullopt;
    auto source = sources_(one.file);
    if (!source || one.line > source->size()) return std::nullopt;
    return source;
  }

  void add(std::optional<std::size_t> at, const lines& source, std::string function, std::string file,
           std::size_t line, std::string what, bool checks) {
    steps_.push_back({at, std::move(function), std::move(file), static_cast<unsigned>(line + 1),
                      trimmed(source[line]), std::move(what), checks, false});
  }

  /// True once null's origin is found, or the trail ends at a frame after the first.
  bool follow(std::size_t at, const std::string& pointer, std::string what) {
    const frame& here = thread_.frames[at];
    const auto source = lines_of(here);
    if (!source) return !steps_.empty();
    const std::string function = last_name(here);
    const std::size_t line = here.line - 1;
    const auto header = header_of(*source, function, line);
    const std::size_t begin = header.value_or(line > 30 ? line - 30 : 0);
    // Given a value in this function?
    for (std::size_t i = line + 1; i-- > begin;) {
      const std::string text = statement_at(*source, i);
      const std::size_t found = find_word(text, pointer);
      if (found == std::string::npos) continue;
      const std::string after = trimmed(text.substr(found + pointer.size()));
      const bool given = (after.starts_with("=") && !after.starts_with("==")) || after.starts_with(":=");
      if (!given) continue;
      const std::string callee = called_in(after.substr(after.find('=') + 1));
      if (callee.empty()) break;
      add(at, *source, here.function, here.file, line, std::move(what),
          is_checked(*source, pointer, i + 1, line + 1));
      steps_.back().what += ", which is what " + callee + "() returned";
      origin(callee, *source, here.file);
      return true;
    }
    // A parameter?
    if (!header) return false;
    const std::string head = statement_at(*source, *header);
    const auto parameters = split_brackets(head, find_word(head, function));
    for (std::size_t k = 0; k < parameters.size(); ++k) {
      const std::string plain = trimmed(parameters[k].substr(0, parameters[k].find('=')));
      const bool go = here.file.ends_with(".go");
      if (find_word(plain, pointer) == std::string::npos) continue;
      if (!go && !plain.ends_with(pointer)) continue;
      add(at, *source, here.function, here.file, line, std::move(what),
          is_checked(*source, pointer, *header + 1, line + 1));
      (void)caller(at + 1, function, k);
      return true;
    }
    return false;
  }

  bool caller(std::size_t at, const std::string& callee, std::size_t argument) {
    if (at >= thread_.frames.size()) return false;
    const frame& here = thread_.frames[at];
    const auto source = lines_of(here);
    if (!source) return false;
    const std::string text = statement_at(*source, here.line - 1);
    const std::size_t call = find_word(text, callee);
    if (call == std::string::npos) return false;
    const auto arguments = split_brackets(text, call);
    if (argument >= arguments.size()) return false;
    const std::string& given = arguments[argument];
    if (const std::string result = called_in(given); !result.empty()) {
      add(at, *source, here.function, here.file, here.line - 1, "passes on what " + result + "() returned",
          false);
      origin(result, *source, here.file);
      return true;
    }
    return is_name(given) && follow(at, given, "passes `" + given + "` on");
  }

  /// The definition of `function` in this file, and the line at which it returns null.
  void origin(const std::string& function, const lines& source, const std::string& file) {
    for (std::size_t i = 0; i < source.size(); ++i) {
      const std::string text = without_comment(source[i]);
      const std::size_t at = find_word(text, function);
      if (at == std::string::npos || text.find('(', at) == std::string::npos ||
          text.find(';') != std::string::npos)
        continue;
      const std::size_t indent = source[i].find_first_not_of(" \t");
      for (std::size_t k = i + 1; k < source.size() && k < i + 200; ++k) {
        const std::size_t inner = source[k].find_first_not_of(" \t");
        if (inner != std::string::npos && inner <= indent) break;
        if (!returns_null(without_comment(source[k]))) continue;
        add(std::nullopt, source, function, file, k, "returns null", true);
        steps_.back().source = true;
        return;
      }
    }
  }

  const thread& thread_;
  const source_of& sources_;
  std::vector<null_step> steps_;
};

}  // namespace

std::vector<null_step> way_of_null(const thread& one, std::size_t thrower, const source_of& sources) {
  return way(one, sources).from(thrower);
}

}  // namespace racelab::reading
