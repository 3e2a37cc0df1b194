#include "arguments.h"

#include <getopt.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iostream>
#include <string_view>

#include "pto/abi.h"

namespace pto {
namespace {

constexpr const char* kUsage = R"(usage: ptosim PROGRAM.so [options]

Runs a task program: numbers on host threads, cycles in virtual time.

  --machine NAME|FILE    the machine profile (default: ascend_a3)
  --set KEY=VALUE        a setting of the schedule or the machine; may be repeated
  --window N             as --set window=N
  --threads N            host threads that compute (default: one per core)
  --timing-only          virtual time alone: no numbers
  --input NAME=FILE.npy  a tensor's values; may be repeated
  --symbol NAME=VALUE    a number that the program leaves to its runs; may be repeated
  --output NAME=FILE.npy where a tensor's values go; may be repeated
  --stats FILE           statistics as JSON
  --tasks FILE.csv       one row per task
  --edges FILE.csv       one row per dependency
  --stalls FILE.csv      one row per gap on a core
  --trace FILE.pftrace   for ui.perfetto.dev; one nanosecond is one cycle
  --critical-path FILE.csv  one row per piece of the two critical paths; adds their sum to the summary
  --what-if KEY=VALUE    compares with what this setting would give; may be repeated: each alone, then all together
  --check                proves that edges order all conflicting accesses, or names those that race (exit code 1)
  --version, --help

One FILE, from --stats to --critical-path, may be -: it is printed instead of the summary.

exit code: 0 done, 1 an error of program, settings or data, 2 wrong usage, 70 an error of ptosim, 130 interrupted
)";

[[noreturn]] void refuse(const std::string& what) {
  std::cerr << "ptosim: " << what << "\nptosim --help tells the options\n";
  throw Exit{2};
}

std::pair<std::string, std::string> split(const char* option, std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos || equals + 1 == text.size()) {
    refuse(std::string(option) + ": expected NAME=FILE.npy, found '" + std::string(text) + "'");
  }
  return {std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

std::pair<std::string, int64_t> symbol(std::string_view text) {
  const size_t equals = std::min(text.find('='), text.size());
  const std::string_view name = text.substr(0, equals), number = text.substr(std::min(equals + 1, text.size()));
  int64_t value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (name.empty() || number.empty() || error != std::errc{} || end != number.data() + number.size()) {
    refuse("--symbol: expected NAME=VALUE with an integer, found '" + std::string(text) + "'");
  }
  return {std::string(name), value};
}

int thread_count(std::string_view text) {
  constexpr int kMost = 1024;
  int count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end != text.data() + text.size() || count < 1 || count > kMost) {
    refuse("--threads: expected a number from 1 to " + std::to_string(kMost) + ", found '" + std::string(text) + "'");
  }
  return count;
}

enum Option : int {
  kMachine = 256,
  kSet,
  kWindow,
  kThreads,
  kTimingOnly,
  kInput,
  kSymbol,
  kOutput,
  kStats,
  kTasks,
  kEdges,
  kStalls,
  kTrace,
  kCriticalPath,
  kWhatIf,
  kCheck,
  kVersion,
  kHelp,
};

constexpr std::array kOptions = {
    option{"machine", required_argument, nullptr, kMachine},
    option{"set", required_argument, nullptr, kSet},
    option{"window", required_argument, nullptr, kWindow},
    option{"threads", required_argument, nullptr, kThreads},
    option{"timing-only", no_argument, nullptr, kTimingOnly},
    option{"input", required_argument, nullptr, kInput},
    option{"symbol", required_argument, nullptr, kSymbol},
    option{"output", required_argument, nullptr, kOutput},
    option{"stats", required_argument, nullptr, kStats},
    option{"tasks", required_argument, nullptr, kTasks},
    option{"edges", required_argument, nullptr, kEdges},
    option{"stalls", required_argument, nullptr, kStalls},
    option{"trace", required_argument, nullptr, kTrace},
    option{"critical-path", required_argument, nullptr, kCriticalPath},
    option{"what-if", required_argument, nullptr, kWhatIf},
    option{"check", no_argument, nullptr, kCheck},
    option{"version", no_argument, nullptr, kVersion},
    option{"help", no_argument, nullptr, kHelp},
    option{nullptr, 0, nullptr, 0},
};

void apply(Arguments& arguments, int option, const char* value) {
  switch (option) {
    case kMachine:
      arguments.machine = value;
      break;
    case kSet:
      arguments.settings.emplace_back(value);
      break;
    case kWindow:
      arguments.settings.push_back(std::string("window=") + value);
      break;
    case kThreads:
      arguments.threads = thread_count(value);
      break;
    case kTimingOnly:
      arguments.timing_only = true;
      break;
    case kInput:
      arguments.inputs.push_back(split("--input", value));
      break;
    case kSymbol:
      arguments.symbols.push_back(symbol(value));
      break;
    case kOutput:
      arguments.outputs.push_back(split("--output", value));
      break;
    case kStats:
      arguments.stats = value;
      break;
    case kTasks:
      arguments.tasks = value;
      break;
    case kEdges:
      arguments.edges = value;
      break;
    case kStalls:
      arguments.stalls = value;
      break;
    case kTrace:
      arguments.trace = value;
      break;
    case kCriticalPath:
      arguments.critical_path = value;
      break;
    case kWhatIf:
      arguments.what_if.emplace_back(value);
      break;
    case kCheck:
      arguments.check = true;
      break;
    case kVersion:
      std::cout << "ptosim " PTO_VERSION " (task program ABI " << PTO_ABI_VERSION << ")\n";
      throw Exit{0};
    case kHelp:
      std::cout << kUsage;
      throw Exit{0};
    default:  // getopt_long has said what is wrong
      std::cerr << "ptosim --help tells the options\n";
      throw Exit{2};
  }
}

auto files(const Arguments& a) {
  return std::array{&a.stats, &a.tasks, &a.edges, &a.stalls, &a.trace, &a.critical_path};
}

auto files_on_stdout(const Arguments& arguments) {
  const auto all = files(arguments);
  return std::count_if(all.begin(), all.end(), [](const std::string* file) { return *file == kStdout; });
}

void check(const Arguments& arguments) {
  if (arguments.timing_only && !arguments.outputs.empty()) refuse("--output: --timing-only computes no values");
  if (files_on_stdout(arguments) > 1) refuse("-: expected one file to go to stdout, found several");
  if (arguments.stdout_is_taken() && (arguments.check || !arguments.what_if.empty())) {
    refuse("-: --what-if and --check print to stdout: give the other output a file");
  }
}

}  // namespace

bool Arguments::stdout_is_taken() const { return files_on_stdout(*this) > 0; }

Arguments parse_arguments(int argc, char** argv) {
  Arguments arguments;
  for (int option; (option = ::getopt_long(argc, argv, "", kOptions.data(), nullptr)) != -1;) {
    apply(arguments, option, ::optarg);
  }
  if (::optind + 1 != argc) refuse("expected one task program, found " + std::to_string(argc - ::optind));
  arguments.program = argv[::optind];
  check(arguments);
  return arguments;
}

}  // namespace pto
