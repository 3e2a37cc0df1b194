// The standalone simulator: runs a sealed task program with numbers and virtual time.
#include <pthread.h>
#include <stdlib.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "arguments.h"
#include "profiles.h"
#include "pto/error.h"
#include "pto/npy.h"
#include "pto/report.h"
#include "pto/session.h"
#include "pto/settings.h"
#include "pto/target.h"
#include "pto/trace.h"

namespace pto {
namespace {

namespace fs = std::filesystem;

// Takes Ctrl-C and SIGTERM out of their default course while a run goes on; its threads inherit that.
class Interrupts {
 public:
  Interrupts() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  }
  ~Interrupts() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  bool pending() const {
    const timespec now = {0, 0};
    return sigtimedwait(&signals_, nullptr, &now) > 0;
  }

 private:
  sigset_t signals_, before_;
};

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "ptosim-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw ExecutionError(name + ": no temporary folder can be made");
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  fs::path operator/(const char* name) const { return path_ / name; }

 private:
  fs::path path_;
};

const pto_tensor& tensor_named(const pto_program& program, const std::string& name) {
  std::string known;
  for (uint32_t i = 0; i < program.tensor_count; ++i) {
    if (program.tensors[i].name == name) return program.tensors[i];
    known += (i ? ", " : "") + std::string(program.tensors[i].name);
  }
  throw ExecutionError("the program has no tensor '" + name + "'; its tensors are: " + known);
}

// Files outlive the session that uses their memory.
std::vector<NpyArray> bind_inputs(Session& session, const Arguments& arguments) {
  std::vector<NpyArray> arrays;
  arrays.reserve(arguments.inputs.size());
  for (const auto& [name, file] : arguments.inputs) {
    const auto dtype = static_cast<pto_dtype>(tensor_named(session.program(), name).dtype);
    NpyArray& array = arrays.emplace_back(read_npy(file));
    check_npy_dtype(array, dtype, file);
    session.bind(name, {dtype, array.extent, array.data.data(), true});
  }
  return arrays;
}

void write_outputs(const Session& session, const Arguments& arguments) {
  for (const auto& [name, file] : arguments.outputs) {
    const pto_tensor& tensor = tensor_named(session.program(), name);
    const void* data = session.data(name);
    if (!data) throw ExecutionError("tensor '" + name + "' is procedural: it has no memory that could be written");
    write_npy(file, static_cast<pto_dtype>(tensor.dtype), {tensor.extent, tensor.rank}, data);
  }
}

RunOptions run_options(const Arguments& arguments, const LoadedProgram& program) {
  Settings settings;
  settings.apply_json(program.settings());
  for (const std::string& assignment : arguments.settings) settings.apply_text(assignment);
  RunOptions options = configure(program.program(), settings, find_profile(arguments.machine));
  options.mode = arguments.timing_only ? Mode::Simulate : Mode::Execute;
  const auto cores = static_cast<int>(std::thread::hardware_concurrency());
  options.threads = arguments.threads ? arguments.threads : std::max(1, cores);
  return options;
}

RunResult run(Session& session, const RunOptions& options) {
  constexpr int64_t kPollMs = 20;
  const Interrupts interrupts;
  const auto run = session.start(options);
  while (!run->wait(kPollMs)) {
    if (!interrupts.pending()) continue;
    run->cancel();
    while (!run->wait(kPollMs)) continue;
    std::cerr << "ptosim: interrupted\n";
    throw Exit{130};
  }
  return run->result();
}

void write_stats(const RunResult& result, const std::string& file) {
  const std::string json = stats_json(result.stats, result.host, result.clock_hz) + "\n";
  if (file == "-") {
    std::cout << json;
    return;
  }
  std::ofstream out(file);
  out << json;
  out.close();
  if (!out) throw ExecutionError(file + ": cannot be written");
}

void write_traces(const Arguments& arguments, const fs::path& file) {
  const Trace trace = read_trace(file);
  if (!arguments.tasks.empty()) write_tasks_csv(trace, arguments.tasks);
  if (!arguments.edges.empty()) write_edges_csv(trace, arguments.edges);
  if (!arguments.stalls.empty()) write_stalls_csv(trace, arguments.stalls);
  if (!arguments.trace.empty()) write_perfetto(trace, arguments.trace);
}

void simulate(const Arguments& arguments) {
  const auto program = std::make_shared<const LoadedProgram>(arguments.program);
  for (const auto& output : arguments.outputs) tensor_named(program->program(), output.first);
  RunOptions options = run_options(arguments, *program);
  const bool traced =
      !(arguments.tasks.empty() && arguments.edges.empty() && arguments.stalls.empty() && arguments.trace.empty());
  const ScratchFolder scratch;
  if (traced) options.trace = scratch / "trace";

  Session session(program);
  const std::vector<NpyArray> inputs = bind_inputs(session, arguments);
  const RunResult result = run(session, options);
  write_outputs(session, arguments);
  if (traced) write_traces(arguments, options.trace);
  if (!arguments.stats.empty()) write_stats(result, arguments.stats);
  if (arguments.stats != "-") std::cout << stats_summary(result.stats, result.clock_hz);
}

int guarded_main(int argc, char** argv) {
  try {
    simulate(parse_arguments(argc, argv));
    return 0;
  } catch (const Exit& exit) {
    return exit.code;
  } catch (const Error& error) {
    std::cerr << "ptosim: error: " << error.what() << "\n";
    return 1;
  } catch (const std::bad_alloc&) {
    std::cerr << "ptosim: error: out of memory\n";
    return 1;
  } catch (const std::exception& error) {
    std::cerr << "ptosim: internal error: " << error.what() << "\n";
    return 70;
  }
}

}  // namespace
}  // namespace pto

int main(int argc, char** argv) { return pto::guarded_main(argc, argv); }
