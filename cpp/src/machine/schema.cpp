#include "machine/schema.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "machine_schema.h"

namespace pto::machine {
namespace {

using nlohmann::ordered_json;

Schema read_schema() {
  const ordered_json text = ordered_json::parse(kSchemaText);
  Schema schema;
  for (const auto& [unit, scale] : text.at("units").items()) schema.scales[unit] = scale.get<double>();
  for (const auto& [name, kind] : text.at("kinds").items()) {
    schema.kinds[name] = {kind.at("integer").get<bool>(), kind.at("count").get<size_t>(),
                          kind.at("least").get<double>(), kind.at("most").get<double>(),
                          kind.at("units").get<std::vector<std::string>>()};
  }
  for (const auto& [name, key] : text.at("keys").items()) {
    schema.keys.push_back({name, &schema.kinds.at(key.at("kind").get<std::string>())});
  }
  return schema;
}

// How many letters have to be put in, left out or replaced to make `a` of `b`.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({replaced, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row[b.size()];
}

// People also leave out the group: `dispatch` for `costs.dispatch`.
size_t distance(std::string_view name, std::string_view key) {
  const std::string_view last = key.substr(key.rfind('.') + 1);
  return std::min(edit_distance(name, key), edit_distance(name, last));
}

}  // namespace

std::string Kind::expected() const {
  const std::string noun = integer ? "integer" : "number";
  const std::string what = count > 1 ? std::to_string(count) + " " + noun + "s" : (integer ? "an " : "a ") + noun;
  return what + " from " + std::to_string(static_cast<int64_t>(least)) + " to " +
         std::to_string(static_cast<int64_t>(most)) + " " + units.front();
}

const Key* Schema::find(std::string_view name) const {
  const auto found = std::find_if(keys.begin(), keys.end(), [name](const Key& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

bool Schema::is_group(std::string_view name) const {
  const std::string prefix = std::string(name) + ".";
  return std::any_of(keys.begin(), keys.end(), [&prefix](const Key& key) { return key.name.starts_with(prefix); });
}

std::string Schema::suggestion(std::string_view name) const {
  std::vector<std::pair<size_t, const Key*>> close;
  const size_t most = std::max<size_t>(1, name.size() / 4);
  for (const Key& key : keys) {
    if (const size_t d = distance(name, key.name); d <= most) close.emplace_back(d, &key);
  }
  std::stable_sort(close.begin(), close.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  if (close.empty()) return {};
  std::string text = "; did you mean `" + close[0].second->name + "`";
  for (size_t i = 1; i < std::min<size_t>(3, close.size()); ++i) text += " or `" + close[i].second->name + "`";
  return text + "?";
}

const Schema& schema() {
  static const Schema schema = read_schema();
  return schema;
}

}  // namespace pto::machine
