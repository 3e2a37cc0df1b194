// What the orchestrator reads when nothing is computed.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "program/tensors.h"
#include "program/zipf.h"
#include "pto/executor.h"

namespace pto {

struct ReadLog {
  ReadLog(std::vector<int64_t> given, std::vector<int64_t> read) : symbols(std::move(given)), values(std::move(read)) {}
  std::vector<int64_t> symbols;  // of the execution
  std::vector<int64_t> values;   // that its reads gave, one after the other
};

int64_t element_count(const pto_region& region);

// In order of preference: the reads of an earlier execution with the same symbols; values that the tensor has and no
// task has written over; the tensor's declared routing.
class SimulatedValues {
 public:
  SimulatedValues(const pto_program& program, const TensorTable& tensors, const std::vector<int64_t>& symbols,
                  std::shared_ptr<const ReadLog> log);

  // Tasks come in program order: what they write is unknown from then on.
  void note_writes(const pto_task& task) {
    if (any_is_read_) mark_written(task);
  }
  // Throws ExecutionError where there are no values.
  void read(const char* location, const pto_region& region, int64_t* values);

 private:
  void mark_written(const pto_task& task);
  void replay(const pto_region& region, int64_t* values);

  const pto_program& program_;
  const TensorTable& tensors_;
  std::shared_ptr<const ReadLog> log_;  // null where nothing can be replayed
  bool other_symbols_ = false;          // the execution had others
  size_t next_ = 0;                     // position in the log
  bool any_is_read_;                    // by the workload, of the tensors
  std::vector<bool> written_;
  std::unique_ptr<Executor> memory_;  // runs no task: it knows how to widen elements
  std::map<uint32_t, ZipfRouting> routing_;
};

}  // namespace pto
