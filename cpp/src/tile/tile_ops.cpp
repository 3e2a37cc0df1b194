#include "pto/tile_ops.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "tile/splitmix.h"
#include "tile/tables.h"
#include "tile/workspace.h"

namespace pto {

const pto_tile_ops& tile_ops() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v4")) return kX86V4Table;
  if (__builtin_cpu_supports("x86-64-v3")) return kX86V3Table;
#endif
  return kBaselineTable;
}

struct TileWorker::Memory : MatmulWorkspace {};

TileWorker::TileWorker() : memory_(new Memory) {}  // left as it is: a matmul writes before it reads
TileWorker::~TileWorker() = default;
TileWorker::TileWorker(TileWorker&&) noexcept = default;
TileWorker& TileWorker::operator=(TileWorker&&) noexcept = default;
void* TileWorker::get() const { return static_cast<MatmulWorkspace*>(memory_.get()); }

uint64_t random_key(uint64_t seed, const char* name) {
  uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
  for (const char c : std::string_view(name)) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return splitmix64(splitmix64(seed) ^ hash);
}

void fill_random(pto_dtype dtype, uint64_t key, float scale, uint64_t first, int64_t count, void* out) {
  constexpr int64_t kChunk = 1024;
  const pto_tile_ops& ops = tile_ops();
  const pto_tile from = {nullptr, 0, 1, first, key, scale};
  const pto_tile to = {out, 0, 1, 0, 0, 0};
  std::array<double, kChunk> values;  // as in scratch: floats or doubles
  for (int64_t done = 0; done < count; done += kChunk) {
    const int64_t size = std::min(kChunk, count - done);
    ops.load(&from, dtype, 0, done, 1, size, values.data());
    ops.store(&to, dtype, 0, done, 1, size, values.data());
  }
}

}  // namespace pto
