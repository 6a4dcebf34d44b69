// Places: program counters that mean the same in every run, and their names.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stacks/symbolise.hpp"

namespace racelab::verdict {

/// A program counter in a module's file: it stays the same wherever the module is loaded. As captured, mostly a return
/// address.
struct place {
  std::uint32_t module = 0;  // of module_table
  std::uintptr_t offset = 0;

  auto operator<=>(const place&) const = default;
};

/// The paths of executables and libraries by small numbers.
class module_table {
 public:
  /// The first one is the program that is judged.
  explicit module_table(std::string_view program) { id(program); }

  std::uint32_t id(std::string_view path);
  [[nodiscard]] const std::string& path(std::uint32_t id) const { return paths_.at(id); }
  [[nodiscard]] std::size_t size() const noexcept { return paths_.size(); }

  /// PATH+0xOFFSET, `-` for the program's own path: as a plan has it.
  [[nodiscard]] std::string text(const place& of) const;
  /// The other way round; nothing if it reads otherwise.
  [[nodiscard]] std::optional<place> parsed(std::string_view text);

 private:
  std::vector<std::string> paths_;
  std::map<std::string, std::uint32_t, std::less<>> ids_;
};

/// The names of places, each looked up once.
class place_names {
 public:
  explicit place_names(const module_table& modules) : modules_(&modules) {}

  /// The frames of one place, innermost first: several if calls were inlined there. `exact`: the very instruction rather
  /// than a return address.
  const std::vector<stacks::frame>& at(const place& where, bool exact = false);
  [[nodiscard]] std::vector<stacks::frame> frames(const std::vector<place>& stack);
  /// The function of another library that such a frame calls; empty where its code does not tell.
  [[nodiscard]] std::string called_by(const stacks::frame& caller);

 private:
  const module_table* modules_;
  std::map<std::uint32_t, std::unique_ptr<stacks::symboliser>> symbolisers_;
  std::map<std::pair<place, bool>, std::vector<stacks::frame>> known_;
  std::map<std::pair<std::string, std::uintptr_t>, std::string> calls_;
};

}  // namespace racelab::verdict
