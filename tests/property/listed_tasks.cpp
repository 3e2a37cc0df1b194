// A task program that does what its tensor `lines` says: any program from data, after one compilation.
//
// A line is 16 numbers: kind; then for a task row and column of its first and of its second region, which tensor is
// the first, how many tasks back the one is that it comes after (0: none), and the values of its key functions;
// for a read a row and a column of `a`: the next line is skipped where the element there is odd.
#include "pto/abi.h"

namespace {

constexpr int64_t kSide = 8, kWidth = 4, kColumns = 16, kKeys = 6, kLines = LINES;
constexpr uint64_t kModulus = 1 << 20;
enum Kind : int64_t { Mix, Copy, Square, Read, Scope, Part, End, Nothing };
enum Column : int64_t { FirstTensor = 5, After = 6, FirstKey = 7 };

template <int64_t Rows, class Value>
void apply(pto_call* call, Value value) {
  auto* x = reinterpret_cast<uint64_t*>(call->scratch);
  uint64_t* y = x + Rows * kWidth;
  call->ops->load(&call->args[0], PTO_I64, 0, 0, Rows, kWidth, x);
  call->ops->load(&call->args[1], PTO_I64, 0, 0, Rows, kWidth, y);
  for (int64_t i = 0; i < Rows * kWidth; ++i) y[i] = value(x[i], y[i]) % kModulus;
  call->ops->store(&call->args[1], PTO_I64, 0, 0, Rows, kWidth, y);
}

void mix(pto_call* call) {
  apply<1>(call, [](uint64_t x, uint64_t y) { return 31 * y + x + 1; });
}
void copy(pto_call* call) {
  apply<1>(call, [](uint64_t x, uint64_t) { return 17 * x + 5; });
}
void square(pto_call* call) {
  apply<2>(call, [](uint64_t x, uint64_t y) { return x * x + 7 * y; });
}

const pto_param kMixParams[] = {{"x", PTO_IN, PTO_I64, 1, kWidth}, {"y", PTO_INOUT, PTO_I64, 1, kWidth}};
const pto_param kCopyParams[] = {{"x", PTO_IN, PTO_I64, 1, kWidth}, {"y", PTO_OUT, PTO_I64, 1, kWidth}};
const pto_param kSquareParams[] = {{"x", PTO_IN, PTO_I64, 2, kWidth}, {"y", PTO_INOUT, PTO_I64, 2, kWidth}};
const pto_fragment kFragments[] = {{"load", PTO_PIPE_LOAD, PTO_F32, 1, 1, kWidth, kWidth * 8, 2, 0},
                                   {"add", PTO_PIPE_VECTOR, PTO_F32, 1, 1, kWidth, 0, 1, 0},
                                   {"store", PTO_PIPE_STORE, PTO_F32, 1, 1, kWidth, kWidth * 8, 1, 0}};
constexpr int64_t kScratch = 4 * kWidth * 8;
const pto_kernel kKernels[] = {
    {"mix", "listed.py:1", PTO_VECTOR, 2, kMixParams, 3, kFragments, kScratch, mix, 0, nullptr, 0, nullptr},
    {"copy", "listed.py:2", PTO_CUBE, 2, kCopyParams, 3, kFragments, kScratch, copy, 0, nullptr, 0, nullptr},
    {"square", "listed.py:3", PTO_VECTOR, 2, kSquareParams, 3, kFragments, kScratch, square, 0, nullptr, 0, nullptr},
};

const pto_tensor kTensors[] = {
    {"a", "listed.py:5", PTO_I64, PTO_SOURCE_NONE, PTO_OUTPUT, 2, {kSide, kSide}, 0, 0, 0, 0, 0, 0},
    {"b", "listed.py:6", PTO_I64, PTO_SOURCE_NONE, PTO_OUTPUT, 2, {kSide, kSide}, 0, 0, 0, 0, 0, 0},
    {"lines", "listed.py:7", PTO_I64, PTO_SOURCE_NONE, PTO_INPUT, 2, {kLines, kColumns}, 0, 0, 0, 0, 0, 0},
};

const char* const kAxes[] = {"home", "own", "rank", "stream", "pool", "cost"};
const pto_site kSites[] = {
    {Mix, "listed.py:11", kKeys, kAxes, 1},
    {Copy, "listed.py:12", kKeys, kAxes, 1},
    {Square, "listed.py:13", kKeys, kAxes, 1},
};

template <int64_t Key>
int64_t key(int64_t, const pto_task* task) {
  return task->axes[Key];
}
const pto_key kKeyFunctions[] = {
    {"home", "listed.py:21", key<0>},   {"own", "listed.py:22", key<1>},  {"rank", "listed.py:23", key<2>},
    {"stream", "listed.py:24", key<3>}, {"pool", "listed.py:25", key<4>}, {"cost", "listed.py:26", key<5>},
};

bool submit(const pto_host* host, const int64_t* line, int64_t created) {
  const auto kind = static_cast<uint32_t>(line[0]);
  const auto first = static_cast<uint32_t>(line[FirstTensor]);
  const int64_t rows = kind == Square ? 2 : 1;
  const pto_region operands[] = {{first, 2, {line[1], line[2]}, {rows, kWidth}},
                                 {1 - first, 2, {line[3], line[4]}, {rows, kWidth}}};
  const int64_t after = created - line[After];
  const bool waits = line[After] > 0 && after >= 0;
  const pto_task task = {kind, kind, line + FirstKey, operands, waits ? 1u : 0u, &after, nullptr, nullptr};
  return host->submit(host->self, &task) >= 0;
}

int run(const pto_host* host) {
  int64_t created = 0;
  for (int64_t number = 0; number < kLines; ++number) {
    const pto_region row = {2, 2, {number, 0}, {1, kColumns}};
    int64_t line[kColumns], element = 0;
    if (!host->read(host->self, "listed.py:3", &row, line)) return 0;
    bool goes_on = true;
    if (line[0] == Read) {
      const pto_region place = {0, 2, {line[1], line[2]}, {1, 1}};
      goes_on = host->read(host->self, "listed.py:4", &place, &element);
      if (element % 2 != 0) ++number;
    } else if (line[0] == Scope) {
      goes_on = host->scope_begin(host->self);
    } else if (line[0] == Part) {
      goes_on = host->part(host->self);
    } else if (line[0] == End) {
      goes_on = host->scope_end(host->self);
    } else if (line[0] != Nothing) {
      goes_on = submit(host, line, created++);
    }
    if (!goes_on) return 0;
  }
  return 1;
}

const pto_program kProgram = {PTO_ABI_VERSION, "listed",      3,  kKernels, 3, kTensors, 0, nullptr, 3, kSites,
                              kKeys,           kKeyFunctions, run};

}  // namespace

extern "C" const pto_program* pto_program_entry() { return &kProgram; }
