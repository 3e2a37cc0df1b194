#include <algorithm>
#include <optional>

#include "pto/error.h"
#include "pto/session.h"

namespace pto {
namespace {

std::string title(const pto_symbol& symbol) { return std::string(symbol.location) + ": symbol '" + symbol.name + "'"; }

std::string range(const pto_symbol& symbol) {
  return "a number in " + std::to_string(symbol.least) + " .. " + std::to_string(symbol.most);
}

size_t index_of(std::span<const pto_symbol> symbols, const std::string& name) {
  std::string known;
  for (size_t i = 0; i < symbols.size(); ++i) {
    if (symbols[i].name == name) return i;
    known += (i ? ", " : "") + std::string(symbols[i].name);
  }
  throw ExecutionError("the program has no symbol '" + name +
                       "'; its symbols are: " + (known.empty() ? "none" : known));
}

}  // namespace

std::vector<int64_t> symbol_values(const pto_program& program, std::span<const std::pair<std::string, int64_t>> given) {
  const std::span symbols(program.symbols, program.symbol_count);
  std::vector<std::optional<int64_t>> values;
  for (const pto_symbol& symbol : symbols) {
    values.push_back(symbol.has_value ? std::optional(symbol.value) : std::nullopt);
  }
  for (const auto& [name, value] : given) {
    const size_t index = index_of(symbols, name);
    const pto_symbol& symbol = symbols[index];
    if (value < symbol.least || value > symbol.most) {
      throw ExecutionError(title(symbol) + ": expected " + range(symbol) + ", found " + std::to_string(value));
    }
    values[index] = value;
  }
  std::vector<int64_t> all;
  for (size_t i = 0; i < symbols.size(); ++i) {
    if (!values[i]) throw ExecutionError(title(symbols[i]) + " has no value: give it " + range(symbols[i]));
    all.push_back(*values[i]);
  }
  return all;
}

}  // namespace pto
