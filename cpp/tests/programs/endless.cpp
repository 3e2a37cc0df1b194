// A task program whose execution would take an hour: only a run that is cancelled ends before.
#include "pto/abi.h"

namespace {

void set_zero(pto_call* call) {
  float* value = reinterpret_cast<float*>(call->scratch);
  for (volatile int left = 100'000; left > 0;) {
    const int next = left - 1;
    left = next;
  }
  *value = 0;
  call->ops->store(&call->args[0], PTO_F32, 0, 0, 1, 1, value);
}

const pto_param kParams[] = {{"y", PTO_OUT, PTO_F32, 1, 1}};
const pto_fragment kFragments[] = {{"store", PTO_PIPE_STORE, PTO_F32, 1, 1, 1, 4, 1, 0, 0}};
const pto_kernel kKernels[] = {
    {"set_zero", "endless.py:2", PTO_VECTOR, 1, kParams, 1, kFragments, 64, set_zero, 0, nullptr, 0, nullptr},
    {"unused", "endless.py:5", PTO_VECTOR, 1, kParams, 1, kFragments, 64, set_zero, 0, nullptr, 0, nullptr},
};
const pto_tensor kTensors[] = {
    {"y", "endless.py:8", PTO_F32, PTO_SOURCE_NONE, PTO_OUTPUT, 2, {1, 1}, 0, 0, 0, 0, 0, 0}};
const char* const kAxes[] = {"step"};
const pto_site kSites[] = {{0, "endless.py:10", 1, kAxes, 0}};

int run(const pto_host* host) {
  constexpr int64_t kSteps = 50'000'000;
  for (int64_t step = 0; step < kSteps; ++step) {
    const pto_region operand = {0, 2, {0, 0}, {1, 1}};
    const pto_task task = {0, 0, &step, &operand, 0, nullptr, nullptr, nullptr};
    if (host->submit(host->self, &task) < 0) return 0;
  }
  return 1;
}

const pto_program kProgram = {PTO_ABI_VERSION, "endless", 2,      kKernels, 1,       kTensors, 0,
                              nullptr,         1,         kSites, 0,        nullptr, run};

}  // namespace

extern "C" const pto_program* pto_program_entry() { return &kProgram; }
