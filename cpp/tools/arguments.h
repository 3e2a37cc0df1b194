// The command line of ptosim.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pto {

struct Arguments {
  std::string program;
  std::string machine = "ascend_a3";
  std::vector<std::string> settings;  // KEY=VALUE, in order
  int threads = 0;                    // 0: one per core
  bool timing_only = false;
  bool check = false;
  std::string stats, tasks, edges, stalls, trace, critical_path;  // files; empty: not wanted, "-": stdout
  std::vector<std::pair<std::string, std::string>> inputs;        // tensor, file
  std::vector<std::pair<std::string, std::string>> outputs;
  std::vector<std::pair<std::string, int64_t>> symbols;
  std::vector<std::string> what_if;  // KEY=VALUE, in order

  // A file goes to stdout, which then holds nothing else.
  bool stdout_is_taken() const;
};

inline constexpr const char* kStdout = "-";

// What a command line that runs nothing exits with; --help and --version have been printed, or what was wrong.
struct Exit {
  int code;
};

// Throws Exit.
Arguments parse_arguments(int argc, char** argv);

}  // namespace pto
