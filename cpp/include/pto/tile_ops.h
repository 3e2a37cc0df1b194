// The numeric routines that kernels call (pto_tile_ops), and the values of procedural tensors.
#pragma once

#include <cstdint>
#include <memory>

#include "pto/abi.h"

namespace pto {

// The fastest routines that this processor can run. All give the same bits.
const pto_tile_ops& tile_ops();

// Memory that the matmuls of one host thread pack into: pto_call.worker.
class TileWorker {
 public:
  TileWorker();
  ~TileWorker();
  TileWorker(TileWorker&&) noexcept;
  TileWorker& operator=(TileWorker&&) noexcept;

  void* get() const;

 private:
  struct Memory;
  std::unique_ptr<Memory> memory_;
};

// pto_tile.key of the procedural tensor `name`.
uint64_t random_key(uint64_t seed, const char* name);

// Writes the elements `first` .. `first + count - 1`, counted row-major, of a procedural tensor to `out`.
// `dtype` is a float.
void fill_random(pto_dtype dtype, uint64_t key, float scale, uint64_t first, int64_t count, void* out);

}  // namespace pto
