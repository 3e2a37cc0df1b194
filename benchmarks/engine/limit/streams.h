// The benchmark's streams of tasks; workloads.py describes the same ones as pto_wsp workloads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string_view>

namespace limit {

// A tile of a tensor: all that exact matching looks at.
using Tile = uint64_t;
inline Tile tile(uint64_t tensor, uint64_t index) { return tensor << 48 | index; }

// Tasks write one tile each.
struct Task {
  uint32_t kernel;
  std::span<const Tile> reads;
  Tile write;  // or updated: the edges are the same
};

inline constexpr int64_t kWindow = 16384;  // tasks

enum Tensor : uint64_t { kX, kY, kZ };

// Kernels are numbered in the order in which a stream uses them first.

// Every task updates a tile of its own; one in three is a cube task.
template <typename Sink>
void independent(int64_t tasks, Sink&& sink) {
  for (int64_t i = 0; i < tasks / 3; ++i) {
    sink(Task{0, {}, tile(kX, static_cast<uint64_t>(i))});
    for (int64_t j = 0; j < 2; ++j) sink(Task{1, {}, tile(kY, static_cast<uint64_t>(2 * i + j))});
  }
}

// Every task updates one and the same tile.
template <typename Sink>
void chain(int64_t tasks, Sink&& sink) {
  for (int64_t i = 0; i < tasks; ++i) sink(Task{0, {}, tile(kX, 0)});
}

// Layers of 1000; each task reads 2 to 4 tiles of the layer before.
template <typename Sink>
void layered(int64_t tasks, Sink&& sink) {
  constexpr uint64_t kWidth = 1000;
  constexpr std::array<uint64_t, 3> kTasks = {334, 333, 333};  // that read 2, 3, 4
  constexpr std::array<uint64_t, 3> kFirst = {0, 334, 667};
  const uint64_t layers = static_cast<uint64_t>(tasks) / kWidth;
  std::array<Tile, 4> reads;
  for (uint64_t layer = 0; layer < layers; ++layer) {
    for (size_t group = 0; group < 3; ++group) {
      for (uint64_t j = 0; j < kTasks[group]; ++j) {
        const uint64_t own = kFirst[group] + j;
        for (uint64_t r = 0; r < group + 2; ++r) reads[r] = tile(kX, layer * kWidth + (own * 13 + r * 337) % kWidth);
        const Tile write = tile(kX, (layer + 1) * kWidth + own);
        sink(Task{static_cast<uint32_t>(group), {reads.data(), group + 2}, write});
      }
    }
  }
}

// Rounds of 16 tiles -> 2048 tasks that read two of them -> 16 combines of 128 results each.
template <typename Sink>
void moe(int64_t tasks, Sink&& sink) {
  constexpr uint64_t kTiles = 16, kExperts = 2048, kParts = kExperts / kTiles;
  const uint64_t rounds = static_cast<uint64_t>(tasks) / (kTiles + kExperts + kTiles);
  std::array<Tile, kParts> reads;
  for (uint64_t round = 0; round < rounds; ++round) {
    for (uint64_t t = 0; t < kTiles; ++t) {
      reads[0] = tile(kX, round * kTiles + t);
      sink(Task{0, {reads.data(), 1}, tile(kY, round * kTiles + t)});
    }
    for (uint64_t e = 0; e < kExperts; ++e) {
      reads[0] = tile(kY, round * kTiles + e % kTiles);
      reads[1] = tile(kY, round * kTiles + (e + e / kTiles + 1) % kTiles);
      sink(Task{1, {reads.data(), 2}, tile(kZ, round * kExperts + e)});
    }
    for (uint64_t t = 0; t < kTiles; ++t) {
      for (uint64_t p = 0; p < kParts; ++p) reads[p] = tile(kZ, round * kExperts + t * kParts + p);
      sink(Task{2, {reads.data(), kParts}, tile(kX, (round + 1) * kTiles + t)});
    }
  }
}

template <typename Sink>
void run_stream(std::string_view name, int64_t tasks, Sink&& sink) {
  if (name == "independent") return independent(tasks, sink);
  if (name == "chain") return chain(tasks, sink);
  if (name == "layered") return layered(tasks, sink);
  if (name == "moe") return moe(tasks, sink);
  throw std::invalid_argument("expected independent, chain, layered or moe");
}

}  // namespace limit
