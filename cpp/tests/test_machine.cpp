// A profile is taken whole or refused with everything that is wrong in it, and overrides change what the engine reads.
#include <doctest/doctest.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "pto/error.h"
#include "pto/machine.h"

namespace {

using Json = nlohmann::ordered_json;

const std::string kFile = PTO_MACHINES "/ascend_a3.json";

Json profile() {
  std::ifstream stream(kFile);
  return Json::parse(stream);
}

std::string message(const std::function<void()>& action) {
  try {
    action();
  } catch (const pto::MachineError& error) {
    return error.what();
  }
  return "no error";
}

std::string refusal(const Json& changed) {
  return message([&] { pto::Machine::parse(changed.dump(), "m.json"); });
}

pto::Machine a3() { return pto::Machine::load(kFile); }

}  // namespace

TEST_CASE("ascend_a3 as the engine reads it") {
  const pto::MachineConfig config = a3().config();
  CHECK(config.clock_hz == 1'800'000'000);
  CHECK(config.cube_cores == 24);
  CHECK(config.vector_cores == 48);
  CHECK(config.schedulers == 3);
  CHECK(config.schedulers_max == 5);
  CHECK(config.core_slots == 2);
  CHECK(config.memory_bytes == 8000);
  CHECK(config.memory_cycles == 9);
  CHECK(config.l2_bytes == 20000);
  CHECK(config.l2_cycles == 9);
  CHECK(config.l2_capacity == 192 << 20);
  CHECK(config.costs.submit == 792);  // 0.44 us
  CHECK(config.costs.submit_operand == 252);
  CHECK(config.costs.readback == 1800);
  CHECK(config.costs.dispatch == 5400);
  CHECK(config.costs.dispatch_latency == 252);
  CHECK(config.costs.completion_latency == 1080);
  CHECK(config.costs.complete == 3600);
  CHECK(config.costs.resolve == 90);
  CHECK(config.costs.steal == 360);
  CHECK(config.costs.pickup == 1440);
}

TEST_CASE("costs round up, in the unit of the profile") {
  pto::Machine machine = a3();
  machine.set("costs.resolve", "0.5");  // ns
  CHECK(machine.config().costs.resolve == 1);
  machine.set("costs.dispatch", "0.0001");  // us
  CHECK(machine.config().costs.dispatch == 1);
  machine.set("costs.dispatch", "0");
  CHECK(machine.config().costs.dispatch == 0);
  machine.set("clock", "1");
  CHECK(machine.config().costs.dispatch_latency == 140);
}

TEST_CASE("overrides") {
  pto::Machine machine = a3();
  machine.set("cores.cube", "12");
  CHECK(machine.config().cube_cores == 12);
  machine.set("memory.hbm", "0.9");  // TB/s
  CHECK(machine.config().memory_bytes == 500);
  CHECK(machine.config().memory_cycles == 1);
  machine.set("vector.add", "1,2,3");
  CHECK(machine.instruction("vector.add").tail == 3);
}

TEST_CASE("an override that cannot be") {
  pto::Machine machine = a3();
  const auto set = [&](const char* key, const char* value) {
    std::string text = message([&] { machine.set(key, value); });
    if (text.starts_with(kFile)) text.erase(0, kFile.size() + 2);
    return text;
  };
  CHECK(set("cores.cubes", "12") == "unknown key `cores.cubes`; did you mean `cores.cube`?");
  CHECK(set("dispatch", "12") == "unknown key `dispatch`; did you mean `costs.dispatch`?");
  CHECK(set("weather", "12") == "unknown key `weather`");
  CHECK(set("cores", "12").starts_with("unknown key `cores`"));
  CHECK(set("cores.cube", "0") == "cores.cube.value: expected an integer from 1 to 65536 cores, found 0 (in cores)");
  CHECK(set("cores.cube", "many").ends_with("found \"many\" (in cores)"));
  CHECK(set("cores.cube", "").ends_with("found \"\" (in cores)"));
  CHECK(set("cores.cube", "2.5").ends_with("found 2.5 (in cores)"));
  CHECK(set("cores.cube", "1e400").ends_with("found \"1e400\" (in cores)"));
  CHECK(set("costs.dispatch", "-1").ends_with("expected a number from 0 to 1000000000000000 ps, found -1 (in us)"));
  CHECK(set("vector.add", "1,2").ends_with("expected 3 integers from 0 to 1000000 cycles, found [1,2] (in cycles)"));
  CHECK(machine.config().cube_cores == 24);
  machine.set("schedulers", "6");
  CHECK(message([&] { machine.config(); }) ==
        kFile + ": schedulers.value: expected at most schedulers_max, which is 5, found 6");
  machine.set("schedulers_max", "6");
  CHECK(machine.config().schedulers == 6);
}

TEST_CASE("a bad profile: everything at once, by file and key") {
  Json bad = profile();
  bad["cores"].erase("cube");
  bad["clock"]["value"] = "fast";
  bad["costs"]["submit"]["value"] = -1;
  bad["costs"]["dispatch"]["unit"] = "hours";
  bad["costs"]["steal"].erase("source");
  bad["costs"]["pikcup"] = bad["costs"]["pickup"];
  bad["buffers"] = 3;
  bad["vector"]["add"]["value"] = {1, 2};
  bad["vector"]["mul"]["note"] = "x";
  bad["schedulers"] = 3;
  bad.erase("description");
  const std::string text = refusal(bad);
  for (const char* line : {
           "m.json: description: expected text, found nothing\n",
           "m.json: cores.cube: expected {value, unit, source}, found nothing\n",
           "m.json: clock.value: expected a number from 1 to 1000000000000 Hz, found \"fast\"\n",
           "m.json: costs.submit.value: expected a number from 0 to 1000000000000000 ps, found -1\n",
           "m.json: costs.dispatch.unit: expected ps or ns or us or ms, found \"hours\"\n",
           "m.json: costs.steal.source: expected text, found nothing\n",
           "m.json: costs.pikcup: unknown key; did you mean `costs.pickup`?\n",
           "m.json: buffers: expected a group of entries, found 3\n",
           "m.json: vector.add.value: expected 3 integers from 0 to 1000000 cycles, found [1,2]\n",
           "m.json: vector.mul.note: unknown field; an entry has value, unit and source\n",
           "m.json: schedulers: expected {value, unit, source}, found 3\n",
           "m.json: buffers.l0c: expected {value, unit, source}, found nothing\n",
       }) {
    CAPTURE(line);
    CHECK((text + "\n").find(line) != std::string::npos);
  }
}

TEST_CASE("impossible values") {
  const auto with = [](const char* group, const char* key, const Json& value) {
    Json bad = profile();
    bad[group][key]["value"] = value;
    return refusal(bad);
  };
  CHECK(with("cores", "cube", 0) != "no error");
  CHECK(with("cores", "cube", 24.5) != "no error");
  CHECK(with("cores", "cube", true) != "no error");
  CHECK(with("cores", "cube", nullptr) != "no error");
  CHECK(with("cores", "cube", 1'000'000'000'000) != "no error");
  CHECK(with("memory", "hbm", 0) != "no error");
  CHECK(with("memory", "hbm", 1e300) != "no error");
  CHECK(with("bandwidth", "gm_to_l1", -1) != "no error");
  CHECK(with("vector", "add", {1, -2, 3}) != "no error");
  CHECK(with("costs", "submit", 0) == "no error");
}

TEST_CASE("no profile at all") {
  CHECK(message([] { pto::Machine::load("nowhere.json"); }) ==
        "nowhere.json: expected a machine profile, found no readable file");
  CHECK(message([] { pto::Machine::load(PTO_MACHINES); }).find("expected") != std::string::npos);
  CHECK(message([] { pto::Machine::parse("{\"clock\": ", "m.json"); }) ==
        "m.json: expected JSON, found an error at byte 11");
  CHECK(message([] { pto::Machine::parse("[]", "m.json"); }) == "m.json: expected a JSON object, found []");
}
