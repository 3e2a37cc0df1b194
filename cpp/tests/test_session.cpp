// A session computes numbers and cycles, replays what was read, and reports every error once, without hanging.
#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "pto/error.h"
#include "pto/session.h"
#include "pto/trace.h"
#include "scratch_folder.h"

namespace {

using pto::test::ScratchFolder;
using pto::test::test_program;

std::shared_ptr<const pto::LoadedProgram> load(const std::string& name) {
  const ScratchFolder folder;
  pto::seal(test_program(name), "{}", folder / "p.so");
  return std::make_shared<const pto::LoadedProgram>(folder / "p.so");
}

pto::RunOptions options(pto::Mode mode) {
  pto::RunOptions options;
  options.mode = mode;
  options.machine.vector_cores = 2;
  options.costs = {pto::KernelCost{.compute = 10}, pto::KernelCost{.compute = 100}};
  options.threads = 2;
  return options;
}

// The chain program with inputs: x[r][c] = 10 r + c.
struct Chain {
  explicit Chain(const std::string& name = "chain") : session(load(name)) {
    for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i / 8 * 10 + i % 8);
  }
  void bind_x() { session.bind("x", {PTO_F32, {4, 8}, x.data(), true}); }
  void bind_chosen() { session.bind("chosen", {PTO_I32, {2}, chosen.data(), true}); }
  void bind_all() {
    bind_x();
    bind_chosen();
  }
  pto::Stats run(pto::Mode mode) { return session.start(options(mode))->result().stats; }
  float z(size_t row, size_t col) const { return static_cast<const float*>(session.data("z"))[row * 8 + col]; }

  pto::Session session;
  std::array<float, 32> x{};
  std::array<int32_t, 2> chosen = {2, 0};
};

std::string failure(const std::function<void()>& action) {
  try {
    action();
  } catch (const pto::ExecutionError& error) {
    return error.what();
  }
  return "no error";
}

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("execute computes every value, and twice the same") {
  Chain chain;
  chain.bind_all();
  const pto::Stats first = chain.run(pto::Mode::Execute);
  CHECK(first.tasks == 6);
  CHECK(first.reads == 0);
  CHECK(chain.z(0, 3) == 2 * (23 + 1));
  CHECK(chain.z(1, 7) == 2 * (7 + 1));
  chain.x[0] = 100;
  CHECK(chain.run(pto::Mode::Execute).makespan == first.makespan);
  CHECK(chain.z(1, 0) == 2 * (100 + 1));
}

TEST_CASE("simulate gives the cycles of execute, with or without a trace") {
  const ScratchFolder folder;
  Chain chain;
  chain.bind_all();
  const int64_t makespan = chain.run(pto::Mode::Execute).makespan;
  auto traced = options(pto::Mode::Simulate);
  traced.trace = folder / "trace";
  CHECK(chain.session.start(traced)->result().stats.makespan == makespan);
  CHECK(chain.run(pto::Mode::Simulate).makespan == makespan);
  const pto::Trace trace = pto::read_trace(folder / "trace");
  CHECK(trace.tasks.task.size() == 6);
  CHECK(trace.tasks.axes == std::vector<int64_t>{0, 1, 2, 3, 0, 1});
}

TEST_CASE("simulate needs values only where the workload reads data") {
  Chain chain;
  CHECK(failure([&] { chain.run(pto::Mode::Simulate); }) ==
        "chain.py:32: the workload reads tensor 'chosen', which has no values: execute first, give it data, or declare "
        "routing=Zipf(..)");
  chain.bind_chosen();
  CHECK(chain.run(pto::Mode::Simulate).tasks == 6);
}

TEST_CASE("simulate draws declared routing, and replays an execution rather than data that changed since") {
  Chain drawn("chain_zipf");
  CHECK(drawn.run(pto::Mode::Simulate).tasks == 6);
  Chain chain;
  chain.bind_all();
  chain.run(pto::Mode::Execute);
  chain.chosen[0] = 99;  // would leave the tensor
  CHECK(chain.run(pto::Mode::Simulate).tasks == 6);
  Chain other;
  other.session.replay(chain.session);
  CHECK(other.run(pto::Mode::Simulate).tasks == 6);
  Chain fresh;
  CHECK(mentions(failure([&] { other.session.replay(fresh.session); }), "nothing to replay"));
}

TEST_CASE("execute fills an input that declares routing") {
  Chain chain("chain_zipf");
  chain.bind_x();
  chain.run(pto::Mode::Execute);
  const auto* chosen = static_cast<const int32_t*>(chain.session.data("chosen"));
  CHECK(chosen[0] != chosen[1]);
  CHECK(chain.z(0, 1) == 2 * (10.0f * static_cast<float>(chosen[0]) + 1 + 1));
}

TEST_CASE("an input without values is named") {
  Chain chain;
  chain.bind_chosen();
  CHECK(mentions(failure([&] { chain.run(pto::Mode::Execute); }), "chain.py:20: tensor 'x' has no values"));
  chain.session.bind("x", {PTO_F32, {4, 8}, chain.x.data(), false});
  CHECK(mentions(failure([&] { chain.run(pto::Mode::Execute); }), "tensor 'x' has no values"));
}

TEST_CASE("data that does not fit its tensor is refused") {
  Chain chain;
  CHECK(failure([&] { chain.session.bind("w", {}); }) ==
        "the program has no tensor 'w'; its tensors are: x, y, z, chosen");
  CHECK(failure([&] { chain.session.bind("x", {PTO_F32, {8, 4}, nullptr, true}); }) ==
        "chain.py:20: tensor 'x': expected f32 of shape [4, 8], found f32 of shape [8, 4]");
  CHECK(mentions(failure([&] { chain.session.bind("x", {PTO_F16, {4, 8}, nullptr, true}); }), "found f16"));
}

TEST_CASE("an index outside its tensor stops both modes with the line") {
  for (const int32_t bad : {4, -1}) {
    Chain chain;
    chain.bind_all();
    chain.chosen[1] = bad;
    CHECK(mentions(failure([&] { chain.run(pto::Mode::Simulate); }), "chain.py:33: twice: parameter 'x' ["));
    CHECK(mentions(failure([&] { chain.run(pto::Mode::Execute); }), "chain.py:33"));
    chain.chosen[1] = 1;
    CHECK(chain.run(pto::Mode::Execute).tasks == 6);
  }
}

TEST_CASE("a kernel's error reaches the result, and the session runs again") {
  Chain chain;
  chain.bind_all();
  chain.x[0] = 2e6f;
  CHECK(mentions(failure([&] { chain.run(pto::Mode::Execute); }), "value above one million"));
  chain.x[0] = 0;
  CHECK(chain.run(pto::Mode::Execute).tasks == 6);
}

TEST_CASE("a trace that cannot be written starts no run") {
  Chain chain;
  chain.bind_all();
  auto bad = options(pto::Mode::Execute);
  bad.trace = "/nowhere/trace";
  CHECK(mentions(failure([&] { chain.session.start(bad); }), "/nowhere/trace"));
  CHECK(chain.run(pto::Mode::Execute).tasks == 6);
}

TEST_CASE("an endless program ends when it is cancelled or dropped") {
  pto::Session session(load("endless"));
  for (const pto::Mode mode : {pto::Mode::Simulate, pto::Mode::Execute}) {
    const auto run = session.start(options(mode));
    CHECK_FALSE(run->wait(1));
    CHECK(mentions(failure([&] { session.start(options(mode)); }), "a run of this program goes on"));
    run->cancel();
    CHECK(failure([&] { run->result(); }) == "the run was cancelled");
    CHECK(run->wait(0));
    session.start(options(mode));
  }
}
