// Kernel costs: closed forms to the cycle, the roofline, and what may never make a kernel faster.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "pto/cost.h"
#include "pto/dtype.h"
#include "pto/error.h"

namespace {

using Fragments = std::vector<pto_fragment>;

const pto::Machine& a3() {
  static const pto::Machine machine = pto::Machine::load(PTO_MACHINES "/ascend_a3.json");
  return machine;
}

pto_fragment load(int64_t rows, int64_t cols, pto_dtype dtype, int64_t trips = 1) {
  return {"load", PTO_PIPE_LOAD, dtype, rows, 1, cols, rows * cols * pto::dtype_info(dtype).bytes, trips, 0, 0};
}
pto_fragment store(int64_t rows, int64_t cols, pto_dtype dtype, int64_t trips = 1) {
  return {"store", PTO_PIPE_STORE, dtype, rows, 1, cols, rows * cols * pto::dtype_info(dtype).bytes, trips, 0, 0};
}
pto_fragment op(const char* name, int64_t rows, int64_t cols, pto_dtype dtype, int64_t trips = 1) {
  return {name, PTO_PIPE_VECTOR, dtype, rows, 1, cols, 0, trips, 0, -1};
}
pto_fragment matmul(int64_t m, int64_t k, int64_t n, pto_dtype dtype, int64_t trips = 1) {
  return {"matmul", PTO_PIPE_CUBE, dtype, m, k, n, 0, trips, 0, -1};
}

pto::KernelCost cost(const Fragments& fragments, pto_unit unit, const pto::Machine& machine = a3()) {
  const pto_kernel kernel = {"k",
                             "k.py:1",
                             static_cast<uint8_t>(unit),
                             0,
                             nullptr,
                             uint32_t(fragments.size()),
                             fragments.data(),
                             0,
                             nullptr,
                             0,
                             nullptr,
                             0,
                             nullptr};
  return pto::kernel_cost(kernel, machine);
}
pto::KernelCost vector_cost(const Fragments& fragments) { return cost(fragments, PTO_VECTOR); }
pto::KernelCost cube_cost(const Fragments& fragments) { return cost(fragments, PTO_CUBE); }

int64_t total(const pto::KernelCost& c) { return c.load + c.compute + c.store; }

std::string refusal(const Fragments& fragments, pto_unit unit) {
  try {
    cost(fragments, unit);
  } catch (const pto::MachineError& error) {
    return error.what();
  }
  return "no error";
}

// ceil(bytes / rate) in cycles, exactly.
int64_t transfer_cycles(int64_t bytes, const char* rate) {
  const auto numerator = static_cast<__int128>(bytes) * a3().amount("clock");
  const int64_t per_second = a3().amount(std::string("bandwidth.") + rate);
  return static_cast<int64_t>((numerator + per_second - 1) / per_second);
}

Fragments gemm(int64_t m, int64_t k, int64_t n, pto_dtype dtype = PTO_F16) {
  return {load(m, k, dtype), load(k, n, dtype), matmul(m, k, n, dtype), store(m, n, dtype)};
}

// Random fragments of a vector kernel; extents up to the given ones.
Fragments random_vector_kernel(std::mt19937& random, int64_t rows, int64_t cols) {
  const auto below = [&](size_t n) { return random() % n; };
  const char* const names[] = {"add", "exp", "sigmoid", "rowsum", "rowmax", "div", "topk", "select", "cast"};
  const pto_dtype dtype = below(2) == 0 ? PTO_F16 : PTO_F32;
  Fragments fragments = {load(rows, cols, dtype)};
  if (below(2) == 0) fragments.push_back(load(1, cols, dtype));
  for (size_t i = 0; i < 1 + below(4); ++i) fragments.push_back(op(names[below(9)], rows, cols, dtype));
  fragments.push_back(store(rows, cols, dtype));
  return fragments;
}

}  // namespace

TEST_CASE("closed form: one load") {
  const pto::KernelCost c = vector_cost({load(8, 512, PTO_F32)});
  CHECK(c.load == transfer_cycles(16384, "gm_to_ub"));
  CHECK(c.compute == 0);
  CHECK(c.store == 0);
  CHECK(c.load_bytes == 16384);
  CHECK(c.bytes == 16384);
  CHECK(std::string(c.bound_by) == "load");
}

TEST_CASE("closed form: one add of n elements") {
  // head 10, 2 per repeat of 256 B, tail 14; 16 where the last repeat is not whole
  CHECK(total(vector_cost({op("add", 1, 64, PTO_F32)})) == 10 + 2 + 14);
  CHECK(total(vector_cost({op("add", 1, 128, PTO_F16)})) == 10 + 2 + 14);
  CHECK(total(vector_cost({op("add", 1, 6400, PTO_F32)})) == 10 + 2 * 100 + 14);
  CHECK(total(vector_cost({op("add", 1, 100, PTO_F32)})) == 10 + 2 * 2 + 14 + 16);
  CHECK(total(vector_cost({op("add", 16, 64, PTO_F32)})) == 10 + 2 * 16 + 14);
}

TEST_CASE("closed form: reductions and sorting") {
  // 4 rows of 4 repeats: 12 additions of repeats, then a step per row
  CHECK(total(vector_cost({op("rowsum", 4, 256, PTO_F32)})) == (10 + 2 * 12 + 14) + (14 + 7 * 4 + 32));
  CHECK(total(vector_cost({op("rowmax", 4, 256, PTO_F32)})) == (10 + 2 * 12 + 14) + 2 * (14 + 4 + 17));
  // 8 runs of 32: sorted, then merged in two levels
  CHECK(total(vector_cost({op("topk", 4, 256, PTO_F32)})) == 4 * 3 * (20 + 78 * 8));
}

TEST_CASE("closed form: a chain of load, add, store in one block") {
  const pto::KernelCost c = vector_cost({load(1, 64, PTO_F32), op("add", 1, 64, PTO_F32), store(1, 64, PTO_F32)});
  const int64_t in = transfer_cycles(256, "gm_to_ub");  // 4.25
  CHECK(c.load == in);
  CHECK(total(c) == 26 + 7);  // 4.25 + 26 + 2.27 cycles, rounded up once
  CHECK(c.bytes == 512);
  CHECK(c.load_bytes == 256);
  CHECK(std::string(c.bound_by) == "vector");
}

TEST_CASE("closed form: a double-buffered loop of k steps") {
  // A step: 16 KiB in, one add, 16 KiB out. The loads decide: all of them, then one add and one store.
  const int64_t k = 100;
  const pto::KernelCost c =
      vector_cost({load(1, 4096, PTO_F32, k), op("add", 1, 4096, PTO_F32, k), store(1, 4096, PTO_F32, k)});
  const double in = 16384 * 1.8e9 / static_cast<double>(a3().amount("bandwidth.gm_to_ub"));
  const double out = 16384 * 1.8e9 / static_cast<double>(a3().amount("bandwidth.ub_to_gm"));
  const int64_t add = 10 + 2 * 64 + 14;
  CHECK(total(c) <= static_cast<int64_t>(std::ceil(k * in + static_cast<double>(add) + out)));
  CHECK(total(c) >= static_cast<int64_t>(std::ceil(k * in)));
  CHECK(c.bytes == 2 * k * 16384);
}

TEST_CASE("closed form: one matmul of a single base block") {
  const pto::KernelCost c = cube_cost(gemm(16, 16, 16));
  // 16 x 16 x 16 in f16 is one step of the cube
  const double clock = 1.8e9;
  const auto at = [&](int64_t bytes, const char* rate) {
    return static_cast<double>(bytes) * clock / static_cast<double>(a3().amount(std::string("bandwidth.") + rate));
  };
  const double load_l1 = at(1024, "gm_to_l1");
  const double load_l0 = at(512, "l1_to_l0a") + at(512, "l1_to_l0b") + 80;
  const double drain = at(512, "l0c_to_gm");
  CHECK(c.load == static_cast<int64_t>(std::ceil(load_l1)));
  CHECK(total(c) == static_cast<int64_t>(std::ceil(load_l1 + load_l0 + (6 + 1) + drain)));
  CHECK(c.bytes == 3 * 512);
  CHECK(c.load_bytes == 2 * 512);
}

TEST_CASE("the width of the cube is the dtype's") {
  // so deep that the cube decides
  pto::Machine machine = a3();
  for (const char* rate : {"gm_to_l1", "l1_to_l0a", "l1_to_l0b", "l0c_to_gm"}) {
    machine.set(std::string("bandwidth.") + rate, "100000");
  }
  machine.set("cube.transfer", "0");
  machine.set("cube.head", "0");
  const auto macs_per_cycle = [&](pto_dtype dtype) {
    const pto::KernelCost c = cost(gemm(1024, 4096, 1024, dtype), PTO_CUBE, machine);
    CHECK(std::string(c.bound_by) == "cube");
    return 1024.0 * 4096 * 1024 / static_cast<double>(total(c));
  };
  CHECK(macs_per_cycle(PTO_F16) == doctest::Approx(4096).epsilon(0.01));
  CHECK(macs_per_cycle(PTO_I8) == doctest::Approx(8192).epsilon(0.01));
  CHECK(macs_per_cycle(PTO_F32) == doctest::Approx(1024).epsilon(0.01));
}

TEST_CASE("an expert streams its weights") {
  const int64_t hidden = 4096, ffn = 1536;
  const pto::KernelCost c =
      cube_cost({load(1, hidden, PTO_F16), load(hidden, ffn, PTO_F16), matmul(1, hidden, ffn, PTO_F16),
                 op("neg", 1, ffn, PTO_F32), op("exp", 1, ffn, PTO_F32), op("add", 1, ffn, PTO_F32),
                 op("div", 1, ffn, PTO_F32), load(hidden, ffn, PTO_F16), matmul(1, hidden, ffn, PTO_F16),
                 op("mul", 1, ffn, PTO_F32), op("cast", 1, ffn, PTO_F32), load(ffn, hidden, PTO_F16),
                 matmul(1, ffn, hidden, PTO_F16), store(1, hidden, PTO_F16)});
  const int64_t weights = 3 * hidden * ffn * 2;
  CHECK(total(c) >= transfer_cycles(weights, "gm_to_l1"));
  CHECK(total(c) <= transfer_cycles(weights, "gm_to_l1") * 101 / 100);
  CHECK(c.bytes == weights + 2 * hidden * 2);
  CHECK(c.load_bytes < weights / 100);
  CHECK(c.borrowed_vector > 0);
  CHECK(c.borrowed_vector < total(c) / 100);
  CHECK(std::string(c.bound_by) == "load");
}

TEST_CASE("vector work in a cube kernel is shared by the paired cores") {
  const Fragments work = {load(32, 1024, PTO_F32), op("exp", 32, 1024, PTO_F32), store(32, 1024, PTO_F32)};
  const Fragments half = {load(16, 1024, PTO_F32), op("exp", 16, 1024, PTO_F32), store(16, 1024, PTO_F32)};
  const pto::KernelCost borrowed = cube_cost(work);
  CHECK(total(borrowed) == total(vector_cost(half)));
  CHECK(borrowed.borrowed_vector / 2 == doctest::Approx(total(borrowed)).epsilon(0.01));
  CHECK(borrowed.bytes == 2 * 32 * 1024 * 4);
  CHECK(vector_cost(work).borrowed_vector == 0);
}

TEST_CASE("what follows a matmul on the vector cores takes time, a cast of its result none") {
  const Fragments plain = {load(128, 512, PTO_F16), load(512, 128, PTO_F16), matmul(128, 512, 128, PTO_F16),
                           store(128, 128, PTO_F16)};
  Fragments cast = plain, add = plain;
  cast.insert(cast.end() - 1, op("cast", 128, 128, PTO_F32));
  add.insert(add.end() - 1, op("add", 128, 128, PTO_F32));
  CHECK(total(cube_cost(cast)) == total(cube_cost(plain)));
  // out of l0c and into ub, at least
  CHECK(total(cube_cost(add)) > total(cube_cost(plain)) + transfer_cycles(64 * 128 * 4, "gm_to_ub"));
}

TEST_CASE("rows that do not fit into ub are streamed in pieces") {
  const Fragments wide = {load(1, 1 << 20, PTO_F32), op("add", 1, 1 << 20, PTO_F32), store(1, 1 << 20, PTO_F32)};
  const int64_t once = transfer_cycles(4 << 20, "gm_to_ub");
  CHECK(total(vector_cost(wide)) >= once);
  CHECK(total(vector_cost(wide)) < once * 11 / 10);
  // what needs the whole row makes the pieces pass once more
  Fragments normed = wide;
  normed.insert(normed.begin() + 1, op("rowsum", 1, 1 << 20, PTO_F32));
  CHECK(total(vector_cost(normed)) >= 2 * once - 1);
}

TEST_CASE("every op of the dialect costs something") {
  for (const char* name :
       {"neg",       "exp",  "log",   "sqrt",    "rsqrt",  "sigmoid", "add",     "sub",        "mul",
        "div",       "cast", "topk",  "rowsum",  "rowmax", "slice",   "concat",  "interleave", "broadcast",
        "transpose", "iota", "splat", "compare", "select", "gather",  "constant"}) {
    CAPTURE(name);
    CHECK(total(vector_cost({op(name, 1, 1, PTO_F16)})) > 1);
    CHECK(total(vector_cost({op(name, 64, 256, PTO_F32)})) > total(vector_cost({op(name, 1, 1, PTO_F32)})));
  }
}

TEST_CASE("a kernel without fragments still takes a cycle") { CHECK(total(vector_cost({})) == 1); }

TEST_CASE("what has no cost is refused by kernel and op") {
  const std::string prefix = "k.py:1: kernel `k` has no cost on " PTO_MACHINES "/ascend_a3.json: ";
  CHECK(refusal({op("sinh", 1, 1, PTO_F32)}, PTO_VECTOR) == prefix + "op `sinh` is not known to the cost model");
  CHECK(refusal({matmul(16, 16, 16, PTO_F16)}, PTO_VECTOR).find("needs a cube core") != std::string::npos);
  CHECK(refusal({matmul(16, 16, 16, PTO_F64)}, PTO_CUBE).find("at most 4 bytes, found f64") != std::string::npos);
  CHECK(refusal({op("add", 0, 1, PTO_F32)}, PTO_VECTOR).find("extents") != std::string::npos);
  CHECK(refusal({op("add", 1, 1, PTO_F32, 0)}, PTO_VECTOR).find("trips") != std::string::npos);
  CHECK(refusal({op("add", int64_t{1} << 62, 1, PTO_F32)}, PTO_VECTOR).find("too large") != std::string::npos);
  CHECK(refusal(gemm(1 << 20, 1 << 20, 1 << 20), PTO_CUBE).find("too large") != std::string::npos);
  pto::Machine tiny = a3();
  tiny.set("buffers.ub", "1");
  CHECK_NOTHROW(cost({load(1, 4096, PTO_F32)}, PTO_VECTOR, tiny));
  tiny.set("buffers.l0c", "1");
  tiny.set("cube.rows", "4096");
  CHECK_THROWS_AS(cost(gemm(16, 16, 16), PTO_CUBE, tiny), pto::MachineError);
}

TEST_CASE("never faster than the roofline") {
  std::mt19937 random(1);
  const auto extent = [&](int64_t most) { return 1 + static_cast<int64_t>(random() % static_cast<uint32_t>(most)); };
  for (int i = 0; i < 300; ++i) {
    const int64_t m = extent(700), k = extent(3000), n = extent(700);
    CAPTURE(m);
    CAPTURE(k);
    CAPTURE(n);
    const pto::KernelCost c = cube_cost(gemm(m, k, n));
    CHECK(total(c) >= transfer_cycles((m * k + k * n) * 2, "gm_to_l1"));
    CHECK(total(c) >= transfer_cycles(m * n * 2, "l0c_to_gm"));
    CHECK(total(c) >= m * k * n / 4096);
    CHECK(c.load >= 1);
    CHECK(c.compute >= 0);
    CHECK(c.store >= 0);
    CHECK(c.load_bytes <= c.bytes);
    const int64_t rows = extent(64), cols = extent(9000);
    const Fragments work = random_vector_kernel(random, rows, cols);
    const pto::KernelCost v = vector_cost(work);
    CHECK(total(v) >= transfer_cycles(work.front().bytes, "gm_to_ub"));
    CHECK(total(v) >= transfer_cycles(work.back().bytes, "ub_to_gm"));
    CHECK(v.compute >= 0);
    CHECK(v.store >= 0);
    CHECK(v.load_bytes <= v.bytes);
  }
}

TEST_CASE("a large matmul is near its roofline") {
  const int64_t bytes_bound = transfer_cycles((int64_t{1024} * 4096 * 2) * 2, "gm_to_l1");
  const int64_t cube_bound = int64_t{1024} * 4096 * 1024 / 4096;
  const int64_t t = total(cube_cost(gemm(1024, 4096, 1024)));
  CHECK(t >= std::max(bytes_bound, cube_bound));
  CHECK(t <= std::max(bytes_bound, cube_bound) * 13 / 10);
}

TEST_CASE("more work is never faster") {
  std::mt19937 random(2);
  const auto extent = [&](int64_t most) { return 1 + static_cast<int64_t>(random() % static_cast<uint32_t>(most)); };
  for (int i = 0; i < 200; ++i) {
    const int64_t m = extent(600), k = extent(2000), n = extent(600), more = extent(100);
    CAPTURE(m);
    CAPTURE(k);
    CAPTURE(n);
    CAPTURE(more);
    const int64_t t = total(cube_cost(gemm(m, k, n)));
    CHECK(total(cube_cost(gemm(m + more, k, n))) >= t);
    CHECK(total(cube_cost(gemm(m, k + more, n))) >= t);
    CHECK(total(cube_cost(gemm(m, k, n + more))) >= t);
    // Whole repeats: a partial one costs 16 cycles that a whole one does not.
    const int64_t rows = extent(80), repeats = extent(100);
    const uint32_t seed = random();
    const auto kernel = [&](int64_t r, int64_t c) {
      std::mt19937 again(seed);
      return total(vector_cost(random_vector_kernel(again, r, 128 * c)));
    };
    CAPTURE(rows);
    CAPTURE(repeats);
    CAPTURE(seed);
    CHECK(kernel(rows + 1, repeats) >= kernel(rows, repeats));
    CHECK(kernel(rows, repeats + 1) >= kernel(rows, repeats));
  }
}

TEST_CASE("a better machine is never slower") {
  std::mt19937 random(3);
  const auto extent = [&](int64_t most) { return 1 + static_cast<int64_t>(random() % static_cast<uint32_t>(most)); };
  for (const char* key : {"bandwidth.gm_to_l1", "bandwidth.l1_to_l0a", "bandwidth.l1_to_l0b", "bandwidth.l0c_to_gm",
                          "bandwidth.gm_to_ub", "bandwidth.ub_to_gm", "buffers.l1", "buffers.ub"}) {
    CAPTURE(key);
    pto::Machine better = a3();
    better.set(key, "1000");
    for (int i = 0; i < 40; ++i) {
      const Fragments g = gemm(extent(600), extent(2000), extent(600));
      CHECK(total(cost(g, PTO_CUBE, better)) <= total(cube_cost(g)));
      const Fragments v = random_vector_kernel(random, extent(80), extent(9000));
      CHECK(total(cost(v, PTO_VECTOR, better)) <= total(vector_cost(v)));
    }
  }
}

TEST_CASE("loops whose trips tasks decide: the cost is that of constant ones") {
  const pto_loop loop = {"k.py:2", 0, 1, nullptr};
  const pto_loop loops[] = {loop, loop};
  // Loop 1 lies in loop 0; a matmul's loads and the store lie outside of both, in one, and in both.
  Fragments open = {load(64, 64, PTO_F16), load(64, 32, PTO_F16, 3), matmul(64, 64, 32, PTO_F16),
                    op("exp", 64, 32, PTO_F32), store(64, 32, PTO_F32)};
  open[1].loops = 1;
  open[2].loops = 3;
  open[3].loops = 2;
  const pto_kernel kernel = {"k", "k.py:1", PTO_CUBE, 0, nullptr, 5, open.data(), 0, nullptr, 0, nullptr, 2, loops};
  const pto::CostFunction of = pto::cost_function(kernel, a3());
  for (const int64_t outer : {0, 1, 2, 50}) {
    for (const int64_t inner : {0, 1, 7, 4000}) {
      CAPTURE(outer);
      CAPTURE(inner);
      Fragments constant = {open[0]};
      if (outer > 0) constant.push_back(load(64, 32, PTO_F16, 3 * outer));
      if (outer * inner > 0) constant.push_back(matmul(64, 64, 32, PTO_F16, outer * inner));
      if (inner > 0) constant.push_back(op("exp", 64, 32, PTO_F32, inner));
      constant.push_back(open[4]);
      const int64_t trips[] = {outer, inner};
      const pto::KernelCost found = of(trips), expected = cube_cost(constant);
      CHECK(found.load == expected.load);
      CHECK(found.compute == expected.compute);
      CHECK(found.store == expected.store);
      CHECK(found.load_bytes == expected.load_bytes);
      CHECK(found.bytes == expected.bytes);
      CHECK(found.read_bytes == expected.read_bytes);
      CHECK(found.moved_bytes == expected.moved_bytes);
      CHECK(found.borrowed_vector == expected.borrowed_vector);
      CHECK(std::string(found.bound_by) == expected.bound_by);
    }
  }
  const int64_t endless[] = {int64_t{1} << 40, int64_t{1} << 40};
  CHECK_THROWS_WITH_AS(of(endless), doctest::Contains("op `load` is too large: 64 x 1 x 32, 3298534883328 trips"),
                       pto::MachineError);
  CHECK(pto::kernel_cost(kernel, a3()).compute == of(std::array<int64_t, 2>{}.data()).compute);
}

TEST_CASE("published GEMMs, one core's share of a 4 x 6 split") {
  struct Row {
    int64_t size;
    double ms;
  };
  for (const Row& row : {Row{1536, 0.0388}, {3072, 0.2067}, {6144, 1.5060}, {7680, 3.1680}}) {
    CAPTURE(row.size);
    const double ms = static_cast<double>(total(cube_cost(gemm(row.size / 4, row.size, row.size / 6)))) / 1.8e6;
    CHECK(ms + 0.010 == doctest::Approx(row.ms).epsilon(0.08));  // with one launch over all cores
  }
}
