// Rows of cells, quoted where they have to be.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include "pto/trace.h"

namespace pto {

class Csv {
 public:
  Csv(std::ostream& out, std::string_view head) : out_(out) { lines_.append(head) += '\n'; }
  ~Csv() { flush(); }
  Csv(const Csv&) = delete;
  Csv& operator=(const Csv&) = delete;

  template <typename... Cells>
  void row(const Cells&... cells) {
    (cell(cells), ...);
    lines_.back() = '\n';
    if (lines_.size() >= kFull) flush();
  }

 private:
  static constexpr size_t kFull = 1 << 16;

  // Each ends with a comma.
  void cell(int64_t value) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
    lines_.append(digits.begin(), end) += ',';
  }
  void cell(std::string_view text) {
    if (text.find_first_of(",\"\n") == std::string_view::npos) {
      lines_.append(text) += ',';
      return;
    }
    lines_ += '"';
    for (const char c : text) lines_.append(c == '"' ? 2 : 1, c);
    lines_ += "\",";
  }
  void flush() {
    out_.write(lines_.data(), static_cast<std::streamsize>(lines_.size()));
    lines_.clear();
  }

  std::ostream& out_;
  std::string lines_;
};

// "batch=0 token=17"
std::string axes_text(const TraceSite& site, const int64_t* values);

}  // namespace pto
