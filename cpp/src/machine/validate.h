// Checks a profile against the schema.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "machine/schema.h"

namespace pto::machine {

using Json = nlohmann::ordered_json;  // findings come in the order of the file

// Every finding is one line: "KEY: expected ..., found ...". None: the profile is good.
std::vector<std::string> findings(const Json& profile);

// The finding of a value, or nothing.
std::string value_finding(const Key& key, const Json& value, const std::string& unit);

// A checked value in base units.
std::array<int64_t, 3> amounts(const Key& key, const Json& value, const std::string& unit);

// The entries of a checked profile by dotted key.
std::map<std::string, Json> flatten(const Json& profile);

}  // namespace pto::machine
