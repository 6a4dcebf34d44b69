#include "sanitizers/thread/frame_line.hpp"

#include <algorithm>
#include <limits>

#include "sanitizers/thread/words.hpp"

namespace racelab::tsan {
namespace {

constexpr std::string_view unknown = "<null>";

bool looks_like_file(std::string_view word) {
  return word.find_first_of("()<>,*&") == std::string_view::npos &&
         word.find_first_of("./") != std::string_view::npos;
}

// Takes ":N" from the end of `text`.
unsigned take_last_number(std::string_view& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == text.size()) return 0;
  words digits(text.substr(colon + 1));
  const auto value = digits.take_number();
  if (!value || !digits.rest().empty() || *value > std::numeric_limits<unsigned>::max()) return 0;
  text = text.substr(0, colon);
  return static_cast<unsigned>(*value);
}

// FILE[:LINE[:COLUMN]]
void read_place(std::string_view text, frame& into) {
  const unsigned last = take_last_number(text);
  const unsigned before = take_last_number(text);
  into.line = before != 0 ? before : last;
  into.column = before != 0 ? last : 0;
  into.file = text;
}

// " (MODULE+0xOFFSET)" at the end of `text`.
void take_module(std::string_view& text, frame& into) {
  const auto open = text.rfind(" (");
  const auto plus = text.rfind("+0x");
  if (open == std::string_view::npos || plus == std::string_view::npos || plus < open) return;
  words offset(text.substr(plus + 1));
  const auto value = offset.take_address();
  if (!value || (offset.rest() != ")" && !offset.rest().empty())) return;
  into.module = text.substr(open + 2, plus - open - 2);
  into.offset = *value;
  text = text.substr(0, open);
}

std::size_t start_of_file(std::string_view text) {
  auto open = std::ranges::count(text, '(') - std::ranges::count(text, ')');  // before `at`
  for (std::size_t at = text.size(); at-- > 1;) {
    if (text[at] == '(') --open;
    if (text[at] == ')') ++open;
    if (text[at] == '/' && text[at - 1] == ' ' && open == 0) return at - 1;
  }
  const auto last = text.rfind(' ');
  if (last == std::string_view::npos || !looks_like_file(text.substr(last + 1)))
    return std::string_view::npos;
  return last;
}

}  // namespace

frame parse_frame(std::string_view text) {
  frame result;
  constexpr std::string_view build_id = " (BuildId: ";
  if (const auto at = text.rfind(build_id); at != std::string_view::npos) {
    const auto id = text.substr(at + build_id.size());
    result.build_id = id.substr(0, id.find(')'));
    text = text.substr(0, at);
  }
  take_module(text, result);

  if (words pc(text); pc.take_address()) {
    if (!pc.take(" in ")) pc.take(" ");
    text = pc.rest();
  }
  while (text.ends_with(' ')) text.remove_suffix(1);
  if (text.ends_with(" <null>")) {
    text.remove_suffix(unknown.size() + 1);
  } else if (const auto at = start_of_file(text); at != std::string_view::npos) {
    read_place(text.substr(at + 1), result);
    text = text.substr(0, at);
  }
  if (text != unknown) result.function = text;
  return result;
}

void parse_go_place(std::string_view text, frame& into) {
  if (const auto at = text.rfind(" +0x"); at != std::string_view::npos) {
    into.offset = words(text.substr(at + 2)).take_address().value_or(0);
    text = text.substr(0, at);
  }
  read_place(text, into);
}

}  // namespace racelab::tsan
