// A task program written by hand. y[i] = x[i] + 1, row by row, then z[p] = y[chosen[p]] * 2, where `chosen` is read
// by the orchestrator as the selection of an index tensor would be.
#include "pto/abi.h"

namespace {

constexpr int64_t kRows = 4, kCols = 8;

void add_one(pto_call* call) {
  float* value = reinterpret_cast<float*>(call->scratch);
  call->ops->load(&call->args[0], PTO_F32, 0, 0, 1, kCols, value);
  for (int64_t i = 0; i < kCols; ++i) value[i] += 1;
  call->ops->store(&call->args[1], PTO_F32, 0, 0, 1, kCols, value);
}

void twice(pto_call* call) {
  float* value = reinterpret_cast<float*>(call->scratch);
  call->ops->load(&call->args[0], PTO_F32, 0, 0, 1, kCols, value);
  for (int64_t i = 0; i < kCols; ++i) {
    if (value[i] > 1e6f) {
      call->error = "value above one million";
      return;
    }
    value[i] *= 2;
  }
  call->ops->store(&call->args[1], PTO_F32, 0, 0, 1, kCols, value);
}

const pto_param kRowParams[] = {{"x", PTO_IN, PTO_F32, 1, kCols}, {"y", PTO_OUT, PTO_F32, 1, kCols}};
const pto_fragment kFragments[] = {{"load", PTO_PIPE_LOAD, PTO_F32, 1, 1, kCols, kCols * 4, 1, 0, 0},
                                   {"add", PTO_PIPE_VECTOR, PTO_F32, 1, 1, kCols, 0, 1, 0, -1},
                                   {"store", PTO_PIPE_STORE, PTO_F32, 1, 1, kCols, kCols * 4, 1, 0, 1}};
const pto_kernel kKernels[] = {
    {"add_one", "chain.py:3", PTO_VECTOR, 2, kRowParams, 3, kFragments, kCols * 4, add_one, 0, nullptr, 0, nullptr},
    {"twice", "chain.py:9", PTO_VECTOR, 2, kRowParams, 3, kFragments, kCols * 4, twice, 0, nullptr, 0, nullptr},
};

const pto_tensor kTensors[] = {
    {"x", "chain.py:20", PTO_F32, PTO_SOURCE_NONE, PTO_INPUT, 2, {kRows, kCols}, 0, 0, 0, 0, 0, 0},
    {"y", "chain.py:21", PTO_F32, PTO_SOURCE_NONE, PTO_TEMPORARY, 2, {kRows, kCols}, 0, 0, 0, 0, 0, 0},
    {"z", "chain.py:22", PTO_F32, PTO_SOURCE_NONE, PTO_OUTPUT, 2, {2, kCols}, 0, 0, 0, 0, 0, 0},
    {"chosen", "chain.py:23", PTO_I32, CHOSEN_SOURCE, PTO_INPUT, 1, {2}, 1, 0.8, kRows, 1, 1, 0},
};

const char* const kRowAxis[] = {"row"};
const char* const kPickAxis[] = {"pick"};
const pto_site kSites[] = {{0, "chain.py:30", 1, kRowAxis, 0}, {1, "chain.py:33", 1, kPickAxis, 1}};

pto_region row(uint32_t tensor, int64_t index) { return {tensor, 2, {index, 0}, {1, kCols}}; }

int run(const pto_host* host) {
  for (int64_t i = 0; i < kRows; ++i) {
    const pto_region operands[] = {row(0, i), row(1, i)};
    const pto_task task = {0, 0, &i, operands, 0, nullptr, nullptr, nullptr};
    if (host->submit(host->self, &task) < 0) return 0;
  }
  const pto_region all = {3, 1, {0}, {2}};
  int64_t chosen[2];
  if (!host->read(host->self, "chain.py:32", &all, chosen)) return 0;
  for (int64_t p = 0; p < 2; ++p) {
    const pto_region operands[] = {row(1, chosen[p]), row(2, p)};
    const pto_task task = {1, 1, &p, operands, 0, nullptr, nullptr, nullptr};
    if (host->submit(host->self, &task) < 0) return 0;
  }
  return 1;
}

const pto_program kProgram = {PTO_ABI_VERSION, "chain", 2,      kKernels, 4,       kTensors, 0,
                              nullptr,         2,       kSites, 0,        nullptr, run};

}  // namespace

extern "C" const pto_program* pto_program_entry() { return &kProgram; }
