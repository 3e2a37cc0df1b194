#include "machine/validate.h"

#include <algorithm>
#include <cmath>

namespace pto::machine {
namespace {

bool is_legal_number(const Kind& kind, const Json& value, double scale) {
  if (kind.integer ? !value.is_number_integer() : !value.is_number()) return false;
  const double amount = value.get<double>() * scale;
  return amount >= kind.least && amount <= kind.most;
}

std::string one_of(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " or ") + name;
  return text;
}

class Checker {
 public:
  std::vector<std::string> run(const Json& profile) {
    if (!profile.is_object()) return {"expected a JSON object, found " + profile.dump()};
    text(profile, "description", "description");
    for (const auto& [name, value] : profile.items()) {
      if (name != "description") node(name, value);
    }
    for (const Key& key : schema().keys) {
      if (std::find(seen_.begin(), seen_.end(), key.name) == seen_.end()) {
        found_.push_back(key.name + ": expected {value, unit, source}, found nothing");
      }
    }
    return std::move(found_);
  }

 private:
  void node(const std::string& path, const Json& value) {
    if (const Key* key = schema().find(path)) {
      seen_.push_back(path);
      entry(*key, value);
    } else if (!schema().is_group(path)) {
      found_.push_back(path + ": unknown key" + schema().suggestion(path));
    } else if (!value.is_object()) {
      found_.push_back(path + ": expected a group of entries, found " + value.dump());
    } else {
      for (const auto& [name, inner] : value.items()) node(path + "." + name, inner);
    }
  }

  void entry(const Key& key, const Json& value) {
    if (!value.is_object()) {
      found_.push_back(key.name + ": expected {value, unit, source}, found " + value.dump());
      return;
    }
    for (const auto& [name, field] : value.items()) {
      if (name != "value" && name != "unit" && name != "source") {
        found_.push_back(key.name + "." + name + ": unknown field; an entry has value, unit and source");
      }
    }
    text(value, "source", key.name + ".source");
    const std::string unit = checked_unit(key, value);
    if (!value.contains("value")) {
      found_.push_back(key.name + ".value: expected " + key.kind->expected() + ", found nothing");
    } else if (const auto finding = value_finding(key, value["value"], unit); !finding.empty()) {
      found_.push_back(finding);
    }
  }

  // The kind's first unit where the entry's is not legal, so that its value is still looked at.
  std::string checked_unit(const Key& key, const Json& entry) {
    const auto& legal = key.kind->units;
    const Json unit = entry.value("unit", Json());
    if (unit.is_string() && std::find(legal.begin(), legal.end(), unit.get<std::string>()) != legal.end()) {
      return unit.get<std::string>();
    }
    const std::string found = entry.contains("unit") ? unit.dump() : "nothing";
    found_.push_back(key.name + ".unit: expected " + one_of(legal) + ", found " + found);
    return legal.front();
  }

  void text(const Json& object, const char* field, const std::string& path) {
    if (!object.contains(field)) {
      found_.push_back(path + ": expected text, found nothing");
    } else if (!object[field].is_string() || object[field].get<std::string>().empty()) {
      found_.push_back(path + ": expected text, found " + object[field].dump());
    }
  }

  std::vector<std::string> found_;
  std::vector<std::string> seen_;
};

void flatten_into(std::map<std::string, Json>& entries, const std::string& path, const Json& value) {
  if (schema().find(path) != nullptr) {
    entries[path] = value;
  } else if (value.is_object()) {
    for (const auto& [name, inner] : value.items()) {
      flatten_into(entries, path.empty() ? name : path + "." + name, inner);
    }
  }
}

}  // namespace

std::vector<std::string> findings(const Json& profile) { return Checker().run(profile); }

std::string value_finding(const Key& key, const Json& value, const std::string& unit) {
  const Kind& kind = *key.kind;
  const double scale = schema().scales.at(unit);
  const auto legal = [&](const Json& number) { return is_legal_number(kind, number, scale); };
  const bool good = kind.count == 1 ? legal(value)
                                    : value.is_array() && value.size() == kind.count &&
                                          std::all_of(value.begin(), value.end(), legal);
  if (good) return {};
  return key.name + ".value: expected " + kind.expected() + ", found " + value.dump();
}

std::array<int64_t, 3> amounts(const Key& key, const Json& value, const std::string& unit) {
  const double scale = schema().scales.at(unit);
  std::array<int64_t, 3> amounts{};
  if (key.kind->count == 1) {
    amounts[0] = std::llround(value.get<double>() * scale);
  } else {
    for (size_t i = 0; i < key.kind->count; ++i) amounts.at(i) = std::llround(value[i].get<double>() * scale);
  }
  return amounts;
}

std::map<std::string, Json> flatten(const Json& profile) {
  std::map<std::string, Json> entries;
  flatten_into(entries, "", profile);
  return entries;
}

}  // namespace pto::machine
