#include "program/policy_text.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "pto/error.h"

namespace pto {

void Setting::expected(const std::string& what) const {
  throw ScheduleError("setting `" + std::string(key) + "`: expected " + what + ", found `" + std::string(value) + "`");
}

int64_t Setting::integer(int64_t least, int64_t most) const {
  const auto number = parse_integer(value);
  if (!number || *number < least || *number > most) {
    expected("an integer from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return *number;
}

std::optional<int64_t> PolicyText::number(int64_t least, int64_t most) const {
  if (arguments.size() != 1) return std::nullopt;
  const auto value = parse_integer(arguments[0]);
  return value && *value >= least && *value <= most ? value : std::nullopt;
}

std::optional<int64_t> parse_integer(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_name(std::string_view text) {
  const auto legal = [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '.'; };
  return !text.empty() && !std::isdigit(static_cast<unsigned char>(text.front())) &&
         std::all_of(text.begin(), text.end(), legal);
}

std::optional<PolicyText> parse_policy(std::string_view text) {
  const size_t open = text.find('(');
  if (open == std::string_view::npos) return is_name(text) ? std::optional(PolicyText{text, {}}) : std::nullopt;
  if (!is_name(text.substr(0, open)) || !text.ends_with(')')) return std::nullopt;
  return PolicyText{text.substr(0, open), split_list(text.substr(open + 1, text.size() - open - 2))};
}

std::vector<std::string_view> split_list(std::string_view text) {
  std::vector<std::string_view> parts;
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    if (text[i] != ',' || depth != 0) continue;
    parts.push_back(text.substr(begin, i - begin));
    begin = i + 1;
  }
  parts.push_back(text.substr(begin));
  return parts;
}

}  // namespace pto
