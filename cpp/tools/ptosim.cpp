// The standalone simulator: runs a sealed task program with numbers and virtual time.
#include <stdlib.h>

#include <algorithm>
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
#include "pto/analysis.h"
#include "pto/comparison.h"
#include "pto/error.h"
#include "pto/npy.h"
#include "pto/report.h"
#include "pto/session.h"
#include "pto/settings.h"
#include "pto/target.h"
#include "pto/trace.h"
#include "run.h"

namespace pto {
namespace {

namespace fs = std::filesystem;

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

RunOptions run_options(const Arguments& arguments, const LoadedProgram& program,
                       const std::vector<std::string>& changes = {}) {
  Settings settings;
  settings.apply_json(program.settings());
  for (const std::string& assignment : arguments.settings) settings.apply_text(assignment);
  for (const std::string& assignment : changes) settings.apply_text(assignment);
  RunOptions options = configure(program.program(), settings, find_profile(arguments.machine));
  options.symbols = symbol_values(program.program(), arguments.symbols);
  options.mode = arguments.timing_only ? Mode::Simulate : Mode::Execute;
  const auto cores = static_cast<int>(std::thread::hardware_concurrency());
  options.threads = arguments.threads ? arguments.threads : std::max(1, cores);
  return options;
}

struct Variant {
  std::string what;
  RunOptions options;
};

// Each change alone, then all of them.
std::vector<Variant> variants(const Arguments& arguments, const LoadedProgram& program) {
  std::vector<Variant> list;
  for (const std::string& change : arguments.what_if)
    list.push_back({change, run_options(arguments, program, {change})});
  if (list.size() > 1) list.push_back({"all together", run_options(arguments, program, arguments.what_if)});
  for (Variant& variant : list) variant.options.mode = Mode::Simulate;
  return list;
}

std::string what_if_table(Session& session, const RunResult& base, const std::vector<Variant>& list) {
  std::vector<ComparedRun> runs;
  for (const Variant& variant : list) runs.push_back({variant.what, run_to_end(session, variant.options)});
  return comparison_table(base, runs);
}

void write_stats(const RunResult& result, const std::string& file) {
  const std::string json = stats_json(result.stats, result.host, result.clock_hz) + "\n";
  if (file == kStdout) {
    std::cout << json;
    return;
  }
  std::ofstream out(file);
  out << json;
  out.close();
  if (!out) throw ExecutionError(file + ": cannot be written");
}

struct TraceFile {
  std::string name;
  TraceFormat format;
};

std::vector<TraceFile> trace_files(const Arguments& arguments) {
  std::vector<TraceFile> files = {{arguments.tasks, write_tasks_csv},
                                  {arguments.edges, write_edges_csv},
                                  {arguments.stalls, write_stalls_csv},
                                  {arguments.trace, write_perfetto},
                                  {arguments.critical_path, write_critical_path_csv}};
  std::erase_if(files, [](const TraceFile& file) { return file.name.empty(); });
  return files;
}

void write_traces(const std::vector<TraceFile>& files, const Trace& trace) {
  for (const auto& [name, format] : files) {
    if (name == kStdout) {
      format(trace, std::cout);
    } else {
      write_file(trace, format, name);
    }
  }
}

// Prints what was found; true where nothing races.
bool check_races(Session& session, RunOptions options) {
  options.mode = Mode::Check;
  options.trace.clear();
  const CheckReport report = run_to_end(session, options).check.value();
  std::cout << "\n" << check_text(report);
  return report.races.empty();
}

void simulate(const Arguments& arguments) {
  const auto program = std::make_shared<const LoadedProgram>(arguments.program);
  for (const auto& output : arguments.outputs) tensor_named(program->program(), output.first);
  RunOptions options = run_options(arguments, *program);
  const std::vector<Variant> changed = variants(arguments, *program);
  const std::vector<TraceFile> files = trace_files(arguments);
  const ScratchFolder scratch;
  if (!files.empty()) options.trace = scratch / "trace";

  Session session(program);
  const std::vector<NpyArray> inputs = bind_inputs(session, arguments);
  const RunResult result = run_to_end(session, options);
  write_outputs(session, arguments);
  const Trace trace = files.empty() ? Trace() : read_trace(options.trace);
  write_traces(files, trace);
  if (!arguments.stats.empty()) write_stats(result, arguments.stats);
  if (!arguments.stdout_is_taken()) {
    std::cout << stats_summary(result.stats, result.clock_hz);
    if (!arguments.critical_path.empty()) std::cout << "\n" << critical_path_summary(trace);
  }
  if (!changed.empty()) std::cout << "\n" << what_if_table(session, result, changed);
  if (arguments.check && !check_races(session, options)) throw Exit{1};
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
