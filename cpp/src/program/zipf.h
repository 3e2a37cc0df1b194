// Synthetic routing: which values of an index tensor a row holds where nothing computes them.
//
// Value v (an expert, say) has the popularity -s * ln(1 + rank of v), the ranks being a shuffle by the seed. A row adds
// Gumbel noise to all popularities and takes the k largest, as a router with group-limited choice would: values lie in
// equal groups, a group counts the sum of its two largest scores, and only the `kept_groups` best groups take part.
// So a row holds k distinct values, the most popular ones about as often as Zipf's law says. A row is a function of
// the seed and its own index alone, with the same bits on every machine.
#pragma once

#include <cstdint>
#include <vector>

#include "pto/abi.h"

namespace pto {

class ZipfRouting {
 public:
  // Throws ExecutionError, naming the tensor, where its rows cannot be as declared.
  explicit ZipfRouting(const pto_tensor& tensor);

  // The k values of one row, best score first. `index` counts the rows of the tensor row-major.
  void row(int64_t index, int64_t* values) const;
  // The elements of a box, row-major.
  void read(const pto_region& region, int64_t* values) const;

 private:
  std::vector<double> noisy_scores(int64_t index) const;
  void drop_weak_groups(std::vector<double>& scores) const;

  pto_tensor tensor_;
  int64_t chosen_;  // k
  std::vector<double> popularity_;
};

}  // namespace pto
