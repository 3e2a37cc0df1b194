// Whether a runtime ran every task once, and after all that it depends on.
#pragma once

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "../limit/inference.h"

namespace others {

class Order {
 public:
  // Of a stream's tasks, if they are to be checked; else each costs one look at an empty table.
  Order(int64_t tasks, bool check) : turns_(check ? static_cast<size_t>(tasks) : 0) {}

  // To be called by the task itself.
  void ran(int64_t task) {
    if (turns_.empty()) return;
    if (turns_[static_cast<size_t>(task)].exchange(next_turn_.fetch_add(1)) != 0) twice_ = true;
  }

  // Throws where a task of the stream is missing, came twice, or came before one that it depends on.
  void check(const std::string& stream, int64_t tasks) const {
    if (turns_.empty()) return;
    if (twice_) throw std::runtime_error("a task ran twice");
    limit::Inference inference(limit::kWindow);
    int64_t id = 0;
    limit::run_stream(stream, tasks, [&](const limit::Task& task) {
      const int64_t turn = turns_[static_cast<size_t>(id)];
      if (turn == 0) throw std::runtime_error("task " + std::to_string(id) + " did not run");
      for (const int64_t source : inference.add(task)) {
        if (turns_[static_cast<size_t>(source)] < turn) continue;
        throw std::runtime_error("task " + std::to_string(id) + " ran before task " + std::to_string(source));
      }
      ++id;
    });
  }

 private:
  std::vector<std::atomic<int64_t>> turns_;  // 0: has not run
  std::atomic<int64_t> next_turn_{1};
  std::atomic<bool> twice_{false};
};

}  // namespace others
