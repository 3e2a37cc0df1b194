// Policies as text: `word` or `word(argument,argument)`, as settings write them (docs/settings.md).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pto {

// One assignment on its way into a schedule. Its readers throw ScheduleError that names key and value.
struct Setting {
  std::string_view key;
  std::string_view value;

  [[noreturn]] void expected(const std::string& what) const;
  int64_t integer(int64_t least, int64_t most) const;

  template <typename T>
  T word(std::initializer_list<std::pair<std::string_view, T>> legal) const {
    std::string list;
    for (const auto& [name, meaning] : legal) {
      if (name == value) return meaning;
      list += (list.empty() ? "" : " or ") + std::string(name);
    }
    expected(list);
  }
};

struct PolicyText {
  std::string_view word;
  std::vector<std::string_view> arguments;

  bool is(std::string_view name, size_t count) const { return word == name && arguments.size() == count; }
  // The one argument as a number; nothing where it is none in this range.
  std::optional<int64_t> number(int64_t least, int64_t most) const;
};

std::optional<int64_t> parse_integer(std::string_view text);
// A name of a key function or a pool: letters, digits, `_` and `.`, no digit first.
bool is_name(std::string_view text);
std::optional<PolicyText> parse_policy(std::string_view text);
// Splits at commas outside of parentheses.
std::vector<std::string_view> split_list(std::string_view text);

}  // namespace pto
