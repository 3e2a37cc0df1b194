// Columns as NumPy arrays.
#pragma once

#include <pybind11/numpy.h>

#include <memory>
#include <utility>
#include <vector>

// Hands a column over without a copy.
template <typename T>
pybind11::array_t<T> as_array(std::vector<T> column) {
  auto owner = std::make_unique<std::vector<T>>(std::move(column));
  std::vector<T>* memory = owner.release();
  const pybind11::capsule free(memory, [](void* vector) { delete static_cast<std::vector<T>*>(vector); });
  return pybind11::array_t<T>(static_cast<pybind11::ssize_t>(memory->size()), memory->data(), free);
}
