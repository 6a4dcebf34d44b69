#include "compilers/response_file.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace racelab::compilers {
namespace {

constexpr std::string_view white_space = " \t\n\r\f\v";
constexpr int most_nested = 16;  // a file that names itself would never end

void expand(const std::vector<std::string>& arguments, std::vector<std::string>& into, int depth) {
  for (const std::string& argument : arguments) {
    std::ifstream file;
    if (argument.starts_with('@') && depth < most_nested) file.open(argument.substr(1), std::ios::binary);
    if (!file.is_open() || file.fail()) {
      into.push_back(argument);
      continue;
    }
    const std::string text(std::istreambuf_iterator<char>(file), {});
    expand(words_of(text), into, depth + 1);
  }
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool inside = false;  // of a word: "" is one too
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      word += text[++i];
      inside = true;
    } else if (quote != '\0') {
      if (c == quote)
        quote = '\0';
      else
        word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      inside = true;
    } else if (white_space.find(c) != std::string_view::npos) {
      if (inside) words.push_back(std::move(word));
      word.clear();
      inside = false;
    } else {
      word += c;
      inside = true;
    }
  }
  if (inside) words.push_back(std::move(word));
  return words;
}

std::vector<std::string> expand_response_files(const std::vector<std::string>& arguments) {
  std::vector<std::string> all;
  expand(arguments, all, 0);
  return all;
}

void write_response_file(const std::filesystem::path& file, const std::vector<std::string>& words) {
  std::ofstream out(file, std::ios::binary);
  for (const std::string& word : words) {
    out << '"';
    for (const char c : word) {
      if (c == '"' || c == '\\') out << '\\';
      out << c;
    }
    out << "\"\n";
  }
  if (!out.flush()) throw std::runtime_error(file.string() + ": can't be written");
}

}  // namespace racelab::compilers
