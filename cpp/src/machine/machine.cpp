#include "pto/machine.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>
#include <stdexcept>

#include "machine/validate.h"
#include "pto/error.h"

namespace pto {
namespace {

using machine::Json;
using machine::Key;
using machine::schema;

Json parsed(std::string_view text, const std::string& origin) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    throw MachineError(origin + ": expected JSON, found an error at byte " + std::to_string(error.byte));
  }
}

// "12", or "10,2,14" for an instruction.
Json override_value(const Key& key, std::string_view text) {
  std::string json(text);
  if (key.kind->count > 1 && !json.starts_with('[')) json = "[" + json + "]";
  Json value = Json::parse(json, nullptr, false);
  return value.is_discarded() ? Json(text) : value;
}

}  // namespace

Machine Machine::load(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  if (!stream || !(text << stream.rdbuf())) {
    throw MachineError(file.string() + ": expected a machine profile, found no readable file");
  }
  return parse(text.str(), file.string());
}

Machine Machine::parse(std::string_view json, const std::string& origin) {
  const Json profile = parsed(json, origin);
  std::string errors;
  for (const std::string& finding : machine::findings(profile)) {
    errors += (errors.empty() ? "" : "\n") + origin + ": " + finding;
  }
  if (!errors.empty()) throw MachineError(errors);
  Machine machine;
  machine.origin_ = origin;
  for (const auto& [name, entry] : machine::flatten(profile)) {
    const auto unit = entry.at("unit").get<std::string>();
    machine.entries_[name] = {unit, machine::amounts(*schema().find(name), entry.at("value"), unit)};
  }
  return machine;
}

void Machine::set(std::string_view key, std::string_view value) {
  const Key* known = schema().find(key);
  if (known == nullptr) {
    throw MachineError(origin_ + ": unknown key `" + std::string(key) + "`" + schema().suggestion(key));
  }
  Entry& entry = entries_.at(known->name);
  const Json json = override_value(*known, value);
  const std::string finding = machine::value_finding(*known, json, entry.unit);
  if (!finding.empty()) throw MachineError(origin_ + ": " + finding + " (in " + entry.unit + ")");
  entry.amounts = machine::amounts(*known, json, entry.unit);
}

const Machine::Entry& Machine::entry(std::string_view key) const {
  const auto found = entries_.find(key);
  if (found == entries_.end()) throw std::logic_error("no key of a machine profile: " + std::string(key));
  return found->second;
}

int64_t Machine::amount(std::string_view key) const { return entry(key).amounts[0]; }

VectorInstruction Machine::instruction(std::string_view key) const {
  const auto& amounts = entry(key).amounts;
  return {amounts[0], amounts[1], amounts[2]};
}

int64_t Machine::cost(std::string_view key) const {
  constexpr int64_t kPicoseconds = 1'000'000'000'000;
  const auto product = static_cast<__int128>(amount(key)) * amount("clock");
  return static_cast<int64_t>((product + kPicoseconds - 1) / kPicoseconds);
}

Machine::Fraction Machine::bytes_per_cycle(std::string_view rate) const {
  const int64_t divisor = std::gcd(amount(rate), amount("clock"));
  return {amount(rate) / divisor, amount("clock") / divisor};
}

MachineConfig Machine::config() const {
  if (amount("schedulers") > amount("schedulers_max")) {
    throw MachineError(origin_ + ": schedulers.value: expected at most schedulers_max, which is " +
                       std::to_string(amount("schedulers_max")) + ", found " + std::to_string(amount("schedulers")));
  }
  MachineConfig config;
  config.clock_hz = amount("clock");
  config.cube_cores = static_cast<int>(amount("cores.cube"));
  config.vector_cores = static_cast<int>(amount("cores.vector"));
  config.schedulers = static_cast<int>(amount("schedulers"));
  config.schedulers_max = static_cast<int>(amount("schedulers_max"));
  config.core_slots = static_cast<int>(amount("core_slots"));
  const Fraction hbm = bytes_per_cycle("memory.hbm"), l2 = bytes_per_cycle("memory.l2");
  config.memory_bytes = hbm.bytes;
  config.memory_cycles = hbm.cycles;
  config.l2_bytes = l2.bytes;
  config.l2_cycles = l2.cycles;
  config.l2_capacity = amount("memory.l2_size");
  config.costs = {.submit = cost("costs.submit"),
                  .submit_operand = cost("costs.submit_operand"),
                  .readback = cost("costs.readback"),
                  .dispatch = cost("costs.dispatch"),
                  .dispatch_latency = cost("costs.dispatch_latency"),
                  .completion_latency = cost("costs.completion_latency"),
                  .complete = cost("costs.complete"),
                  .resolve = cost("costs.resolve"),
                  .steal = cost("costs.steal"),
                  .pickup = cost("costs.pickup")};
  return config;
}

}  // namespace pto
