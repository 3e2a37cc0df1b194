#include "program/orchestration.h"

#include <exception>
#include <string>

#include "pto/error.h"
#include "pto/pipeline.h"

namespace pto {
namespace {

ExecutionError error_of(const pto_refusal& refusal) {
  std::string loops;
  for (uint32_t i = 0; i < refusal.axis_count; ++i) {
    loops += (i ? ", " : "; at ") + std::string(refusal.axes[i]) + " = " + std::to_string(refusal.values[i]);
  }
  return ExecutionError(std::string(refusal.location) + ": " + refusal.what + ": expected " + refusal.expected +
                        ", found " + std::to_string(refusal.found) + loops);
}

class Host {
 public:
  explicit Host(RunSink& sink) : sink_(sink) {}

  void run(const pto_program& program, std::span<const int64_t> symbols) {
    const pto_host host = {this, symbols.data(), submit,   read,       refuse,    scope_begin,
                           part, scope_end,      pipeline, loop_begin, iteration, loop_end};
    const int finished = program.run(&host);
    if (error_) std::rethrow_exception(error_);
    if (!finished) throw ExecutionError("the task program stopped before its end without being asked to");
  }

 private:
  // The answer of `call`, or `stop` from the first exception on.
  template <typename Answer, typename Call>
  static Answer guarded(void* self, Answer stop, Call call) noexcept {
    Host& host = *static_cast<Host*>(self);
    if (host.error_) return stop;
    try {
      const Answer answer = call(host.sink_);
      return host.error_ ? stop : answer;
    } catch (...) {
      // A process that was stopped may have kept others from going on.
      if (!host.error_) host.error_ = std::current_exception();
      return stop;
    }
  }

  static int64_t submit(void* self, const pto_task* task) {
    return guarded(self, int64_t{-1}, [task](RunSink& sink) { return sink.submit(*task); });
  }
  static int read(void* self, const char* location, const pto_region* region, int64_t* values) {
    return guarded(self, 0, [=](RunSink& sink) { return sink.read(location, *region, values), 1; });
  }
  static void refuse(void* self, const pto_refusal* refusal) {
    guarded(self, 0, [refusal](RunSink&) -> int { throw error_of(*refusal); });
  }
  static int scope_begin(void* self) {
    return guarded(self, 0, [](RunSink& sink) { return sink.scope_begin(), 1; });
  }
  static int part(void* self) {
    return guarded(self, 0, [](RunSink& sink) { return sink.part(), 1; });
  }
  static int scope_end(void* self) {
    return guarded(self, 0, [](RunSink& sink) { return sink.scope_end(), 1; });
  }
  static int pipeline(void* self, const pto_pipeline* pipeline) {
    return guarded(self, 0, [pipeline](RunSink& sink) { return run_pipeline(*pipeline, sink), 1; });
  }
  static int loop_begin(void* self) {
    return guarded(self, 0, [](RunSink& sink) { return sink.loop_begin(), 1; });
  }
  static int iteration(void* self) {
    return guarded(self, 0, [](RunSink& sink) { return sink.iteration(), 1; });
  }
  static int loop_end(void* self) {
    return guarded(self, 0, [](RunSink& sink) { return sink.loop_end(), 1; });
  }

  RunSink& sink_;
  std::exception_ptr error_;
};

}  // namespace

void orchestrate(const pto_program& program, std::span<const int64_t> symbols, RunSink& sink) {
  Host(sink).run(program, symbols);
}

}  // namespace pto
