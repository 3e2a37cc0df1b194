#include <cerrno>
#include <cstring>
#include <fstream>

#include "pto/error.h"
#include "pto/trace.h"

namespace pto {

void write_file(const Trace& trace, TraceFormat format, const std::filesystem::path& path) {
  std::ofstream file(path, std::ios::binary);
  if (file) format(trace, file);
  file.close();
  if (!file) throw ExecutionError(path.string() + ": cannot be written: " + std::strerror(errno));
}

}  // namespace pto
