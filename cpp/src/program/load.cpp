#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "program/seal.h"
#include "pto/error.h"
#include "pto/program.h"

namespace pto {
namespace {

// A file that exists in memory only. Its name, /proc/self/fd/N, stays its own while it is open: the dynamic
// linker, which knows objects by name, never mistakes another program for it, and nobody can truncate it
// under running code.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes, const std::filesystem::path& source)
      : fd_(::memfd_create("task_program", MFD_CLOEXEC)) {
    while (fd_ >= 0 && !bytes.empty()) {
      const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno != EINTR) break;
      if (written > 0) bytes.remove_prefix(static_cast<size_t>(written));
    }
    if (fd_ < 0 || !bytes.empty()) {
      const std::string reason = std::strerror(errno);
      if (fd_ >= 0) ::close(fd_);
      throw LoadError(source.string() + ": no memory to load it: " + reason);
    }
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string name() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

class Library {
 public:
  Library(const MemoryFile& file, const std::filesystem::path& source)
      : handle_(::dlopen(file.name().c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (!handle_) throw LoadError(source.string() + ": the dynamic linker refused it: " + ::dlerror());
  }
  ~Library() { ::dlclose(handle_); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  void* symbol(const char* name) const { return ::dlsym(handle_, name); }

 private:
  void* handle_;
};

bool consistent(const pto_kernel& kernel) {
  if (!kernel.name || !kernel.location || !kernel.body || kernel.unit > PTO_VECTOR) return false;
  for (uint32_t i = 0; i < kernel.param_count; ++i) {
    const pto_param& param = kernel.params[i];
    if (!param.name || param.role > PTO_INOUT || param.dtype > PTO_F8E5M2) return false;
  }
  for (uint32_t i = 0; i < kernel.number_count; ++i) {
    const pto_number& number = kernel.numbers[i];
    if (!number.name || number.least > number.most) return false;
  }
  if (kernel.loop_count > PTO_MAX_LOOPS) return false;
  for (uint32_t i = 0; i < kernel.loop_count; ++i) {
    const pto_loop& loop = kernel.loops[i];
    if (!loop.location || !loop.stop || loop.step < 1) return false;
  }
  for (uint32_t i = 0; i < kernel.fragment_count; ++i) {
    if (kernel.loop_count < PTO_MAX_LOOPS && kernel.fragments[i].loops >> kernel.loop_count != 0) return false;
  }
  return true;
}

bool consistent(const pto_tensor& tensor) {
  if (!tensor.name || !tensor.location || tensor.dtype > PTO_F8E5M2 || tensor.rank > PTO_MAX_RANK) return false;
  if (tensor.source > PTO_SOURCE_ZIPF || tensor.role > PTO_TEMPORARY) return false;
  for (uint32_t i = 0; i < tensor.rank; ++i) {
    if (tensor.extent[i] < 1) return false;
  }
  return true;
}

bool consistent(const pto_program& program) {
  if (!program.name || !program.run) return false;
  for (uint32_t i = 0; i < program.kernel_count; ++i) {
    if (!consistent(program.kernels[i])) return false;
  }
  for (uint32_t i = 0; i < program.tensor_count; ++i) {
    if (!consistent(program.tensors[i])) return false;
  }
  for (uint32_t i = 0; i < program.site_count; ++i) {
    if (!program.sites[i].location || program.sites[i].kernel >= program.kernel_count) return false;
  }
  return true;
}

const pto_program& enter(const Library& library, const std::filesystem::path& path) {
  const auto entry = reinterpret_cast<decltype(&pto_program_entry)>(library.symbol(PTO_PROGRAM_ENTRY));
  if (!entry) throw LoadError(path.string() + ": does not export `" PTO_PROGRAM_ENTRY "`; build it again");
  const pto_program* program = entry();
  if (!program || program->abi_version != PTO_ABI_VERSION || !consistent(*program)) {
    throw LoadError(path.string() + ": its tables are not those of a task program; build it again");
  }
  return *program;
}

}  // namespace

// Members go in reverse order: the library is closed before its file.
struct LoadedProgram::Impl {
  Impl(const SealedParts& parts, const std::filesystem::path& path)
      : settings(parts.settings), file(parts.object, path), library(file, path), program(enter(library, path)) {}
  std::string settings;
  MemoryFile file;
  Library library;
  const pto_program& program;
};

LoadedProgram::LoadedProgram(const std::filesystem::path& path) {
  const std::string bytes = read_bytes(path);
  impl_ = std::make_unique<Impl>(open_seal(bytes, path), path);
}

LoadedProgram::~LoadedProgram() = default;

const pto_program& LoadedProgram::program() const { return impl_->program; }

const std::string& LoadedProgram::settings() const { return impl_->settings; }

}  // namespace pto
