#include "sanitizers/watchpoint/plan.hpp"

#include <charconv>

#include "sanitizers/watchpoint/random.hpp"

namespace racelab::watch {
namespace {

constexpr std::string_view blanks = " \t\r";

// The next word, taken off `rest`.
std::string_view take_word(std::string_view& rest) noexcept {
  const std::size_t begin = rest.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return rest = {};
  rest.remove_prefix(begin);
  const std::string_view word = rest.substr(0, rest.find_first_of(blanks));
  rest.remove_prefix(word.size());
  return word;
}

template <class T> std::optional<T> number(std::string_view text, int base = 10) noexcept {
  T value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (failure != std::errc{} || end != text.data() + text.size() || text.empty()) return {};
  return value;
}

template <class Rule> struct option {
  std::string_view name;
  std::uint32_t least;
  std::uint32_t most;
  void (*set)(Rule&, std::uint32_t);
};

constexpr option<entry_delay> options_of_entries[] = {
    {"us", 1, UINT32_MAX, [](entry_delay& to, std::uint32_t value) { to.microseconds = value; }},
    {"chance", 0, 100, [](entry_delay& to, std::uint32_t value) { to.chance = value; }},
    {"limit", 0, UINT32_MAX, [](entry_delay& to, std::uint32_t value) { to.limit = value; }},
};

constexpr option<rule> options_of_a_stall[] = {
    {"us", 1, UINT32_MAX, [](rule& to, std::uint32_t value) { to.microseconds = value; }},
    {"thread", 1, UINT32_MAX, [](rule& to, std::uint32_t value) { to.thread = value; }},
    {"visit", 0, UINT32_MAX, [](rule& to, std::uint32_t value) { to.visit = value; }},
    {"chance", 0, 100, [](rule& to, std::uint32_t value) { to.chance = value; }},
    {"limit", 0, UINT32_MAX, [](rule& to, std::uint32_t value) { to.limit = value; }},
    {"shared", 1, 1, [](rule& to, std::uint32_t) { to.shared = true; }},
    {"linger", 0, UINT32_MAX, [](rule& to, std::uint32_t value) { to.linger = value; }},
    {"atomics", 1, 1, [](rule& to, std::uint32_t) { to.atomics = true; }},
    {"others", 1, 1, [](rule& to, std::uint32_t) { to.others = true; }},
    {"writers", 1, 1, [](rule& to, std::uint32_t) { to.writers = true; }},
};

// Null if the word is right.
template <class Rule>
const char* set_option(Rule& to, std::string_view word, std::span<const option<Rule>> known,
                       const char* unknown) noexcept {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) return "is not name=value";
  for (const option<Rule>& each : known) {
    if (word.substr(0, equals) != each.name) continue;
    const auto value = number<std::uint32_t>(word.substr(equals + 1));
    if (!value || *value < each.least || *value > each.most) return "is not in range";
    each.set(to, *value);
    return nullptr;
  }
  return unknown;
}

const char* set_option_of_a_stall(rule& to, std::string_view word) noexcept {
  if (word != "until=hit") return set_option<rule>(to, word, options_of_a_stall, "is no option of a stall");
  to.until_hit = true;
  return nullptr;
}

}  // namespace

std::optional<plan::error> plan::parse(std::string_view text) noexcept {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    if (std::optional<error> wrong = parse_line(text.substr(0, end))) {
      wrong->line = number;
      return wrong;
    }
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return {};
}

std::optional<plan::error> plan::parse_line(std::string_view line) noexcept {
  std::string_view rest = line;
  const std::string_view verb = take_word(rest);
  if (verb.empty() || verb.starts_with('#')) return {};
  if (verb == "enter") return parse_entries(line, rest);
  rule made;
  made.stalls = verb == "stall";
  if (!made.stalls && verb != "observe")
    return error{.text = verb, .why = "is neither stall nor observe nor enter"};

  // The last one, for a path may have anything in it.
  const std::size_t plus = rest.rfind("+0x");
  const std::size_t begin = rest.find_first_not_of(blanks);
  if (plus == std::string_view::npos || plus == begin)
    return error{.text = line, .why = "names no site, MODULE+0xOFFSET"};
  const std::string_view module = rest.substr(begin, plus - begin);
  rest.remove_prefix(plus + std::string_view("+0x").size());
  const std::string_view digits = take_word(rest);
  const auto offset = number<std::uintptr_t>(digits, 16);
  if (!offset) return error{.text = digits, .why = "is not a hexadecimal offset"};

  for (std::string_view word = take_word(rest); !word.empty(); word = take_word(rest)) {
    if (word.starts_with('#')) break;
    if (!made.stalls) return error{.text = word, .why = "is too much: observe has no options"};
    if (const char* const why = set_option_of_a_stall(made, word)) return error{.text = word, .why = why};
  }
  if (made.stalls && made.microseconds == 0) return error{.text = line, .why = "has no us=N"};
  if (made.linger != 0 && !made.until_hit) return error{.text = line, .why = "has linger without until=hit"};

  const auto site = site_of(module, *offset);
  if (!site) return error{.text = line, .why = "is the 65th site: 64 are the most"};
  if (rule_count_ == most_rules) return error{.text = line, .why = "is the 257th rule: 256 are the most"};
  made.site = *site;
  asks_for_shared_ = asks_for_shared_ || made.shared;
  rules_[rule_count_++] = made;
  return {};
}

std::optional<plan::error> plan::parse_entries(std::string_view line, std::string_view options) noexcept {
  entries_ = {};
  for (std::string_view word = take_word(options); !word.empty(); word = take_word(options)) {
    if (word.starts_with('#')) break;
    if (const char* const why =
            set_option<entry_delay>(entries_, word, options_of_entries, "is no option of enter"))
      return error{.text = word, .why = why};
  }
  if (entries_.microseconds == 0) return error{.text = line, .why = "has no us=N"};
  return {};
}

std::optional<std::uint32_t> plan::site_of(std::string_view module, std::uintptr_t offset) noexcept {
  for (std::size_t i = 0; i < site_count_; ++i)
    if (sites_[i].module == module && sites_[i].offset == offset) return static_cast<std::uint32_t>(i);
  if (site_count_ == most_sites) return {};
  sites_[site_count_] = {.module = module, .offset = offset};
  return static_cast<std::uint32_t>(site_count_++);
}

void plan::resolve(const module& loaded) noexcept {
  for (std::size_t i = 0; i < site_count_; ++i) {
    const place& wanted = sites_[i];
    if (wanted.module != loaded.path && !(loaded.is_executable && wanted.module == "-")) continue;
    const std::uintptr_t pc = loaded.base + wanted.offset;
    if (pc == 0 || index_used_ == index_.size() / 2) continue;
    std::size_t at = index_of(pc);
    while (index_[at].pc.load(std::memory_order_relaxed) != 0 &&
           index_[at].pc.load(std::memory_order_relaxed) != pc)
      at = (at + 1) % index_.size();
    if (index_[at].pc.load(std::memory_order_relaxed) == 0) ++index_used_;
    index_[at].site.store(i, std::memory_order_relaxed);
    index_[at].pc.store(pc, std::memory_order_relaxed);
  }
}

std::optional<std::size_t> plan::choose(const site_visit& visit, std::uint64_t& random) noexcept {
  for (std::size_t i = 0; i < rule_count_; ++i) {
    const rule& each = rules_[i];
    if (each.site != visit.site || !each.stalls) continue;
    if (each.thread != 0 && each.thread != visit.thread) continue;
    if (each.visit && *each.visit != visit.number) continue;
    if (visit.atomic && !each.atomics) continue;
    if (each.shared && !visit.shared) continue;
    if (each.until_hit && visit.met) continue;
    if (each.chance < 100 && next_random(random) % 100 >= each.chance) continue;
    std::uint32_t applied = applied_[i].load(std::memory_order_relaxed);
    while (applied < each.limit &&
           !applied_[i].compare_exchange_weak(applied, applied + 1, std::memory_order_relaxed)) {
    }
    if (applied < each.limit) return i;
  }
  return {};
}

}  // namespace racelab::watch
