// What a kernel sees of its regions, and what the orchestrator reads.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "executor_bench.h"
#include "pto/tile_ops.h"

namespace {

using namespace pto::test;
using pto::Executor;

// y = transpose(x), through scratch.
void transpose_2x3(pto_call* call) {
  auto* x = reinterpret_cast<float*>(call->scratch);
  float* y = x + 6;
  call->ops->load(&call->args[0], PTO_F32, 0, 0, 2, 3, x);
  for (int64_t r = 0; r < 2; ++r) {
    for (int64_t c = 0; c < 3; ++c) y[c * 2 + r] = x[r * 3 + c];
  }
  call->ops->store(&call->args[1], PTO_F32, 0, 0, 3, 2, y);
}

void copy_row(pto_call* call) {
  auto* x = reinterpret_cast<float*>(call->scratch);
  call->ops->load(&call->args[0], PTO_F16, 0, 0, 1, 5, x);
  call->ops->store(&call->args[1], PTO_F32, 0, 0, 1, 5, x);
}

void check_alignment(pto_call* call) {
  if (reinterpret_cast<uintptr_t>(call->scratch) % 64 != 0) call->error = "scratch is not aligned";
  std::fill_n(call->scratch, 1 << 20, char{1});
}

// Reads tensor 0 of the bench.
std::vector<int64_t> read(const ExecutorBench& bench, const pto_region& box) {
  Executor executor(bench.kernels, bench.sites, bench.tensors, 1);
  size_t count = 1;
  for (uint32_t d = 0; d < box.rank; ++d) count *= static_cast<size_t>(box.extent[d]);
  std::vector<int64_t> values(count);
  executor.read(box, values.data());
  return values;
}

template <typename Element>
std::vector<int64_t> read_values(pto_dtype dtype, const std::vector<Element>& elements) {
  ExecutorBench bench;
  const auto count = static_cast<int64_t>(elements.size());
  std::ranges::copy(elements, bench.add_tensor<Element>("x", dtype, {count}, PTO_INPUT));
  return read(bench, region(0, {0}, {count}));
}

template <typename Element>
std::string read_failure(pto_dtype dtype, const std::vector<Element>& elements) {
  return failure([&] { read_values(dtype, elements); });
}

}  // namespace

TEST_CASE("a kernel sees a region without its unit axes") {
  ExecutorBench bench;
  auto* x = bench.add_tensor<float>("x", PTO_F32, {4, 2, 5, 3}, PTO_INPUT);
  const auto* y = bench.add_tensor<float>("y", PTO_F32, {3, 2, 2}, PTO_OUTPUT);
  for (int i = 0; i < 4 * 2 * 5 * 3; ++i) x[i] = static_cast<float>(i);
  bench.add_kernel("transpose", {{"x", PTO_IN, PTO_F32, 2, 3}, {"y", PTO_OUT, PTO_F32, 3, 2}}, transpose_2x3);
  Executor executor(bench.kernels, bench.sites, bench.tensors, 1);
  ExecutorBench::submit(executor, 0, 0, {region(0, {3, 0, 4, 0}, {1, 2, 1, 3}), region(1, {0, 1, 0}, {3, 1, 2})});
  executor.finish();
  for (int r = 0; r < 2; ++r) {
    for (int c = 0; c < 3; ++c) CHECK(y[c * 4 + 2 + r] == static_cast<float>(((3 * 2 + r) * 5 + 4) * 3 + c));
  }
}

TEST_CASE("a region whose extents are not the kernel's, in order, is refused") {
  ExecutorBench bench;
  bench.add_tensor<float>("x", PTO_F32, {6, 6, 6}, PTO_INPUT);
  bench.add_kernel("k", {{"x", PTO_IN, PTO_F32, 2, 3}}, [](pto_call*) {});
  Executor executor(bench.kernels, bench.sites, bench.tensors, 1);
  const std::vector<std::vector<int64_t>> extents = {{3, 2, 1}, {2, 1, 1}, {1, 1, 3}, {2, 3, 2}, {1, 6, 1}, {0, 2, 3}};
  for (const auto& extent : extents) {
    const auto submit = [&] { ExecutorBench::submit(executor, 0, 0, {region(0, {0, 0, 0}, extent)}); };
    CHECK(failure(submit).find("parameter 'x' is 2 x 3, which tensor 'x'[0:") != std::string::npos);
  }
}

TEST_CASE("a procedural tensor's part holds the elements of the whole") {
  ExecutorBench bench;
  bench.add_random("w", PTO_F16, {10, 20}, 0.5);
  const auto* y = bench.add_tensor<float>("y", PTO_F32, {5}, PTO_OUTPUT);
  bench.add_kernel("copy", {{"w", PTO_IN, PTO_F16, 1, 5}, {"y", PTO_OUT, PTO_F32, 1, 5}}, copy_row);
  Executor executor(bench.kernels, bench.sites, bench.tensors, 1);
  ExecutorBench::submit(executor, 0, 0, {region(0, {7, 12}, {1, 5}), region(1, {0}, {5})});
  executor.finish();
  std::vector<uint16_t> whole(200);
  pto::fill_random(PTO_F16, pto::random_key(7, "w"), 0.5f, 0, 200, whole.data());
  std::vector<float> expected(5);
  const pto_tile tile = {whole.data(), 20, 1, 0, 0, 0};
  pto::tile_ops().load(&tile, PTO_F16, 7, 12, 1, 5, expected.data());
  CHECK(std::equal(expected.begin(), expected.end(), y));
}

TEST_CASE("scratch is aligned and as large as the largest kernel asks for") {
  ExecutorBench bench;
  bench.add_tensor<float>("x", PTO_F32, {8}, PTO_OUTPUT);
  bench.add_kernel("small", {{"x", PTO_OUT, PTO_F32, 1, 1}}, [](pto_call*) {}, 0);
  const uint32_t large = bench.add_kernel("large", {{"x", PTO_OUT, PTO_F32, 1, 1}}, check_alignment, 1 << 20);
  Executor executor(bench.kernels, bench.sites, bench.tensors, 3);
  for (int64_t i = 0; i < 8; ++i) {
    ExecutorBench::submit(executor, i % 2 ? large : 0, i, {region(0, {i}, {1})});
  }
  CHECK(failure([&] { executor.finish(); }) == "no error");
}

TEST_CASE("a read widens every dtype") {
  CHECK(read_values<int8_t>(PTO_I8, {-128, 127}) == std::vector<int64_t>{-128, 127});
  CHECK(read_values<uint8_t>(PTO_U8, {255}) == std::vector<int64_t>{255});
  CHECK(read_values<uint8_t>(PTO_I1, {0, 1}) == std::vector<int64_t>{0, 1});
  CHECK(read_values<int16_t>(PTO_I16, {-3}) == std::vector<int64_t>{-3});
  CHECK(read_values<uint16_t>(PTO_U16, {65535}) == std::vector<int64_t>{65535});
  CHECK(read_values<int32_t>(PTO_I32, {INT32_MIN}) == std::vector<int64_t>{INT32_MIN});
  CHECK(read_values<uint32_t>(PTO_U32, {UINT32_MAX}) == std::vector<int64_t>{UINT32_MAX});
  CHECK(read_values<int64_t>(PTO_I64, {INT64_MIN}) == std::vector<int64_t>{INT64_MIN});
  CHECK(read_values<uint64_t>(PTO_U64, {5}) == std::vector<int64_t>{5});
  CHECK(read_values<uint16_t>(PTO_F16, {0xC000, 0x7BFF}) == std::vector<int64_t>{-2, 65504});
  CHECK(read_values<uint16_t>(PTO_BF16, {0x4040}) == std::vector<int64_t>{3});
  CHECK(read_values<float>(PTO_F32, {-16777216, 0}) == std::vector<int64_t>{-16777216, 0});
  CHECK(read_values<double>(PTO_F64, {0x1p53 - 1}) == std::vector<int64_t>{(int64_t{1} << 53) - 1});
}

TEST_CASE("a read sees the elements of a procedural tensor") {
  ExecutorBench bench;
  bench.add_random("w", PTO_F64, {4}, 0.5);
  CHECK(failure([&] { read(bench, region(0, {2}, {1})); }).find("tensor 'w': element [2] is ") != std::string::npos);
}

TEST_CASE("a read takes a box row by row, however long its rows") {
  ExecutorBench bench;
  auto* x = bench.add_tensor<int32_t>("x", PTO_I32, {3, 2, 700}, PTO_INPUT);
  for (int i = 0; i < 4200; ++i) x[i] = i;
  const auto values = read(bench, region(0, {1, 0, 50}, {2, 1, 600}));
  REQUIRE(values.size() == 1200);
  CHECK(values[0] == 1450);
  CHECK(values[599] == 1450 + 599);
  CHECK(values[600] == 2850);
  CHECK(values[1199] == 2850 + 599);
  CHECK(read(bench, region(0, {1, 0, 50}, {2, 0, 600})).empty());
}

TEST_CASE("a read refuses what is no integer") {
  const std::string where = "test.py:100: tensor 'x': element ";
  const std::string expected = ", expected an integer of 64 bits where the workload reads it";
  CHECK(read_failure<float>(PTO_F32, {1, 2, NAN}) == where + "[2] is nan" + expected);
  CHECK(read_failure<float>(PTO_F32, {1, 2.5f}) == where + "[1] is 2.5" + expected);
  CHECK(read_failure<float>(PTO_F32, {INFINITY}) == where + "[0] is inf" + expected);
  CHECK(read_failure<double>(PTO_F64, {0x1p63}) == where + "[0] is 9.22337204e+18" + expected);
  CHECK(read_failure<uint64_t>(PTO_U64, {0, UINT64_MAX}) == where + "[1] is 18446744073709551615" + expected);
  CHECK(read_failure<uint8_t>(PTO_F8E4M3, {0}).find("found f8e4m3") != std::string::npos);
}

TEST_CASE("a read outside the tensor, or of one without values, is refused") {
  ExecutorBench bench;
  bench.add_tensor<int32_t>("x", PTO_I32, {2, 4}, PTO_INPUT);
  bench.add_without_values("empty", PTO_I32, {2});
  CHECK(failure([&] { read(bench, region(0, {2, 0}, {1, 4})); }) ==
        "test.py:100: tensor 'x': the region that the workload reads leaves tensor 'x': index 2 of axis 0, which has "
        "extent 2 (region [2:3, 0:4])");
  CHECK(failure([&] { read(bench, region(1, {0}, {2})); }) ==
        "test.py:100: tensor 'empty' has no values where the workload reads it: give it data");
}
