#include "lab/table.hpp"

#include <algorithm>
#include <utility>

namespace racelab::lab {

std::string table::text(bool coloured) const {
  std::vector<std::size_t> widths;
  std::vector<table_cell> titles;
  for (const table_column& column : columns_) {
    widths.push_back(width(column.title));
    titles.push_back({column.title, style::bold});
  }
  for (const auto& line : lines_) {
    const auto* cells = std::get_if<std::vector<table_cell>>(&line);
    for (std::size_t i = 0; cells != nullptr && i < cells->size(); ++i) {
      widths[i] = std::max(widths[i], width((*cells)[i].text));
    }
  }

  std::string result;
  const auto put = [&](const std::vector<table_cell>& cells) {
    std::size_t spaces = 0;  // put before the next text, so that none end a line
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string& text = cells[i].text;
      const std::size_t padding = widths[i] - width(text);
      if (columns_[i].right) spaces += padding;
      if (!text.empty()) {
        result.append(std::exchange(spaces, 0), ' ').append(paint(text, cells[i].how, coloured));
      }
      if (!columns_[i].right) spaces += padding;
      spaces += 2;
    }
    result += '\n';
  };
  put(titles);
  for (const auto& line : lines_) {
    if (const auto* cells = std::get_if<std::vector<table_cell>>(&line)) {
      put(*cells);
    } else {
      result.append(std::get<std::string>(line)).append("\n");
    }
  }
  return result;
}

}  // namespace racelab::lab
