// Table: aligned columns of text, with lines of their own between the rows.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "lab/terminal.hpp"

namespace racelab::lab {

struct table_column {
  std::string title;
  bool right = true;  // aligned to the right
};

struct table_cell {
  std::string text;
  style how = style::plain;
};

class table {
 public:
  explicit table(std::vector<table_column> columns) : columns_(std::move(columns)) {}

  /// A row; cells that are missing at its end stay empty.
  void add(std::vector<table_cell> cells) { lines_.emplace_back(std::move(cells)); }

  /// Text as it is, without alignment, in place of a row.
  void add_line(std::string text) { lines_.emplace_back(std::move(text)); }

  /// All of it: the titles, then the rows in order, two spaces between columns, no spaces at the end of a
  /// line.
  [[nodiscard]] std::string text(bool coloured) const;

 private:
  std::vector<table_column> columns_;
  std::vector<std::variant<std::vector<table_cell>, std::string>> lines_;
};

}  // namespace racelab::lab
