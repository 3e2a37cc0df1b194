// Rows of cells, quoted where they have to be.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>

#include "pto/trace.h"

namespace pto {

class Csv {
 public:
  Csv(std::ostream& out, const char* head) : out_(out) { out_ << head << '\n'; }

  template <typename... Cells>
  void row(const Cells&... cells) {
    const char* separator = "";
    ((out_ << separator, cell(cells), separator = ","), ...);
    out_ << '\n';
  }

 private:
  void cell(int64_t value) { out_ << value; }
  void cell(const std::string& text) {
    if (text.find_first_of(",\"\n") == std::string::npos) {
      out_ << text;
      return;
    }
    out_ << '"';
    for (char c : text) out_ << (c == '"' ? "\"\"" : std::string(1, c));
    out_ << '"';
  }

  std::ostream& out_;
};

// "batch=0 token=17"
std::string axes_text(const TraceSite& site, const int64_t* values);

}  // namespace pto
