#include "sanitizers/verdict/places.hpp"

#include <fmt/format.h>

#include <charconv>
#include <span>

#include "sanitizers/verdict/calls.hpp"

namespace racelab::verdict {
namespace {

constexpr std::uintptr_t load_address = 0x10000000;

}  // namespace

std::uint32_t module_table::id(std::string_view path) {
  if (const auto found = ids_.find(path); found != ids_.end()) return found->second;
  paths_.emplace_back(path);
  const auto fresh = static_cast<std::uint32_t>(paths_.size() - 1);
  ids_.emplace(path, fresh);
  return fresh;
}

std::string module_table::text(const place& of) const {
  return fmt::format("{}+{:#x}", of.module == 0 ? "-" : path(of.module), of.offset);
}

std::optional<place> module_table::parsed(std::string_view text) {
  const std::size_t plus = text.rfind("+0x");
  if (plus == std::string_view::npos || plus == 0) return std::nullopt;
  const std::string_view digits = text.substr(plus + 3);
  place result;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), result.offset, 16);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  const std::string_view module = text.substr(0, plus);
  result.module = module == "-" ? 0 : id(module);
  return result;
}

const std::vector<stacks::frame>& place_names::at(const place& where, bool exact) {
  const auto [at, fresh] = known_.try_emplace({where, exact});
  if (!fresh) return at->second;
  std::unique_ptr<stacks::symboliser>& names = symbolisers_[where.module];
  if (!names) {
    const std::vector<stacks::loaded_module> alone{{modules_->path(where.module), load_address}};
    names = std::make_unique<stacks::symboliser>(alone);
  }
  const std::uintptr_t pc = load_address + where.offset;
  at->second = names->resolve(std::span(&pc, 1), exact);
  for (stacks::frame& each : at->second) each.module = modules_->path(where.module);
  return at->second;
}

std::vector<stacks::frame> place_names::frames(const std::vector<place>& stack) {
  std::vector<stacks::frame> all;
  for (const place& each : stack) {
    const std::vector<stacks::frame>& here = at(each);
    all.insert(all.end(), here.begin(), here.end());
  }
  return all;
}

std::string place_names::called_by(const stacks::frame& caller) {
  const auto [at, fresh] = calls_.try_emplace({caller.module, caller.pc});
  if (fresh) at->second = function_called(caller.module, caller.pc - load_address);
  return at->second;
}

}  // namespace racelab::verdict
