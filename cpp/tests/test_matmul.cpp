// Every element of a product is one chain of fused multiply-adds over k, in order, in float: the same bits for every
// blocking, instruction set, tile height and form of the operands.
#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

#include "pto/dtype.h"
#include "pto/tile_ops.h"
#include "tile_reference.h"

namespace {

using namespace pto::test;

using Matrix = std::vector<float>;  // dense, row-major

enum class Form { Value, Memory, Procedural };

// An operand, and what it means as a dense matrix of rows x cols.
class Operand {
 public:
  Operand(int64_t rows, int64_t cols, pto_dtype dtype, Form form, bool transposed, uint32_t seed)
      : dense_(static_cast<size_t>(rows * cols)) {
    const int64_t stored_rows = transposed ? cols : rows, stored_cols = transposed ? rows : cols;
    if (form != Form::Value) make_tile(stored_rows, stored_cols, dtype, form == Form::Procedural, seed);
    Matrix stored(dense_.size());
    if (form == Form::Value) {
      pto::fill_random(PTO_F32, pto::random_key(seed, "value"), 1, 0, rows * cols, stored.data());
      value_ = stored;
    } else {
      pto::kBaselineTable.load(&tile_, dtype, kRow, kCol, stored_rows, stored_cols, stored.data());
    }
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < cols; ++c) {
        dense_[static_cast<size_t>(r * cols + c)] =
            stored[static_cast<size_t>(transposed ? c * stored_cols + r : r * stored_cols + c)];
      }
    }
    operand_ = {form == Form::Value ? value_.data() : nullptr,
                &tile_,
                form == Form::Value ? 0 : kRow,
                form == Form::Value ? 0 : kCol,
                static_cast<uint8_t>(dtype),
                transposed};
  }
  Operand(const Operand&) = delete;
  Operand& operator=(const Operand&) = delete;

  const pto_operand& operand() const { return operand_; }
  const Matrix& dense() const { return dense_; }

 private:
  static constexpr int64_t kRow = 2, kCol = 3;  // the box's corner

  void make_tile(int64_t rows, int64_t cols, pto_dtype dtype, bool procedural, uint32_t seed) {
    const int64_t height = rows + kRow, width = cols + kCol + 1;
    tile_ = {nullptr, width, 1, 1000, pto::random_key(seed, "tile"), 0.75f};
    if (procedural) return;
    memory_.resize(static_cast<size_t>(height * width * pto::dtype_info(static_cast<uint8_t>(dtype)).bytes));
    pto::fill_random(dtype, tile_.key, 1, 0, height * width, memory_.data());
    tile_.data = memory_.data();
  }

  Matrix dense_, value_;
  std::vector<char> memory_;
  pto_tile tile_{};
  pto_operand operand_{};
};

Matrix chains(int64_t m, int64_t k, int64_t n, const Matrix& a, const Matrix& b, const Matrix* acc) {
  Matrix result(static_cast<size_t>(m * n));
  for (int64_t r = 0; r < m; ++r) {
    for (int64_t c = 0; c < n; ++c) {
      float sum = acc ? (*acc)[static_cast<size_t>(r * n + c)] : 0;
      for (int64_t i = 0; i < k; ++i) {
        sum = std::fma(a[static_cast<size_t>(r * k + i)], b[static_cast<size_t>(i * n + c)], sum);
      }
      result[static_cast<size_t>(r * n + c)] = sum;
    }
  }
  return result;
}

Matrix multiply(const pto_tile_ops& ops, int64_t m, int64_t k, int64_t n, const pto_operand& a, const pto_operand& b,
                const Matrix* acc) {
  const pto::TileWorker worker;
  Matrix result(static_cast<size_t>(m * n), NAN);
  ops.matmul(worker.get(), m, k, n, &a, &b, acc ? acc->data() : nullptr, result.data());
  return result;
}

Matrix random_matrix(int64_t count, uint32_t seed) {
  Matrix values(static_cast<size_t>(count));
  pto::fill_random(PTO_F32, pto::random_key(seed, "acc"), 1, 0, count, values.data());
  return values;
}

void check_product(int64_t m, int64_t k, int64_t n, const Operand& a, const Operand& b, const Matrix* acc) {
  CAPTURE(m);
  CAPTURE(k);
  CAPTURE(n);
  const auto expected = bits(chains(m, k, n, a.dense(), b.dense(), acc));
  for (const auto& [name, ops] : tile_tables()) {
    CAPTURE(name);
    CHECK(bits(multiply(ops, m, k, n, a.operand(), b.operand(), acc)) == expected);
  }
}

template <typename T, size_t N>
T pick(std::mt19937& random, const T (&from)[N]) {
  return from[random() % N];
}

}  // namespace

TEST_CASE("products of random shapes and operand forms are chains of fused multiply-adds") {
  constexpr int64_t kRows[] = {1, 2, 5, 8, 9, 16, 23}, kDepths[] = {1, 64, 127, 128, 129, 300};
  constexpr int64_t kCols[] = {1, 4, 15, 16, 17, 24, 47, 48, 49, 97, 200};
  constexpr pto_dtype kDtypes[] = {PTO_F16, PTO_BF16, PTO_F32, PTO_F8E4M3, PTO_F8E5M2};
  constexpr Form kForms[] = {Form::Value, Form::Memory, Form::Procedural};
  std::mt19937 random(5);
  for (uint32_t seed = 0; seed < 150; ++seed) {
    CAPTURE(seed);
    const int64_t m = pick(random, kRows), k = pick(random, kDepths), n = pick(random, kCols);
    const auto operand = [&](int64_t rows, int64_t cols) {
      const Form form = pick(random, kForms);
      const pto_dtype dtype = form == Form::Value ? PTO_F32 : pick(random, kDtypes);
      return Operand(rows, cols, dtype, form, random() % 2, static_cast<uint32_t>(random()));
    };
    const Operand a = operand(m, k), b = operand(k, n);
    const Matrix acc = random_matrix(m * n, seed);
    check_product(m, k, n, a, b, random() % 2 ? &acc : nullptr);
  }
}

TEST_CASE("products larger than every block are chains, too") {
  const Operand a(259, 270, PTO_F16, Form::Memory, false, 1), b(270, 401, PTO_F16, Form::Memory, false, 2);
  check_product(259, 270, 401, a, b, nullptr);
  const Operand row(1, 1000, PTO_F32, Form::Value, false, 3), weights(1000, 450, PTO_F16, Form::Procedural, false, 4);
  check_product(1, 1000, 450, row, weights, nullptr);
}

TEST_CASE("so are those of right operands that are read where they lie, and of larger ones, which are packed") {
  constexpr pto_dtype kDtypes[] = {PTO_F16, PTO_BF16, PTO_F32, PTO_F8E4M3};
  uint32_t seed = 0;
  for (const pto_dtype dtype : kDtypes) {
    for (const bool transposed : {false, true}) {
      for (const int64_t rows : {1, 2, 20, 67}) {
        const int64_t k = 530, n = 217;
        const Operand a(rows, k, dtype, Form::Memory, transposed, ++seed);
        const Operand b(k, n, dtype, Form::Memory, transposed, ++seed);
        const Matrix acc = random_matrix(rows * n, ++seed);
        check_product(rows, k, n, a, b, &acc);
      }
    }
  }
}

TEST_CASE("and of one that is streamed from memory") {
  const int64_t k = 2100, n = 2001;
  const Operand a(5, k, PTO_F16, Form::Memory, false, 1), b(k, n, PTO_BF16, Form::Memory, false, 2);
  check_product(5, k, n, a, b, nullptr);
}

TEST_CASE("a row does not depend on the rows around it") {
  const int64_t k = 300, n = 70;
  const Operand a(37, k, PTO_F32, Form::Value, false, 1), b(k, n, PTO_BF16, Form::Procedural, false, 2);
  for (const auto& [name, ops] : tile_tables()) {
    const Matrix all = multiply(ops, 37, k, n, a.operand(), b.operand(), nullptr);
    for (int64_t r = 0; r < 37; r += 6) {
      const pto_operand one = {a.dense().data() + r * k, nullptr, 0, 0, PTO_F32, 0};
      const Matrix row = multiply(ops, 1, k, n, one, b.operand(), nullptr);
      CHECK(bits(row) == bits(Matrix(all.begin() + r * n, all.begin() + (r + 1) * n)));
    }
  }
}

TEST_CASE("the accumulator may be the result") {
  const Operand a(9, 200, PTO_F32, Form::Value, false, 1), b(200, 50, PTO_F32, Form::Value, false, 2);
  const Matrix acc = random_matrix(9 * 50, 3);
  for (const auto& [name, ops] : tile_tables()) {
    const pto::TileWorker worker;
    Matrix value = acc;
    ops.matmul(worker.get(), 9, 200, 50, &a.operand(), &b.operand(), value.data(), value.data());
    CHECK(bits(value) == bits(multiply(ops, 9, 200, 50, a.operand(), b.operand(), &acc)));
  }
}

TEST_CASE("a product is near the one in double precision") {
  const int64_t m = 16, k = 512, n = 64;
  const Operand a(m, k, PTO_F16, Form::Memory, false, 1), b(k, n, PTO_F16, Form::Procedural, true, 2);
  const Matrix result = multiply(pto::tile_ops(), m, k, n, a.operand(), b.operand(), nullptr);
  double worst = 0;
  for (int64_t r = 0; r < m; ++r) {
    for (int64_t c = 0; c < n; ++c) {
      double sum = 0;
      for (int64_t i = 0; i < k; ++i) {
        sum +=
            static_cast<double>(a.dense()[static_cast<size_t>(r * k + i)]) * b.dense()[static_cast<size_t>(i * n + c)];
      }
      worst = std::max(worst, std::abs(sum - result[static_cast<size_t>(r * n + c)]));
    }
  }
  CHECK(worst < 1e-4);
}
