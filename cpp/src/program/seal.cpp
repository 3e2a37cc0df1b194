#include "program/seal.h"

#include <stdlib.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>

#include "pto/error.h"
#include "pto/program.h"

namespace pto {
namespace {

uint64_t fnv1a(std::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (unsigned char byte : bytes) hash = (hash ^ byte) * 0x100000001b3u;
  return hash;
}

void append_number(std::string& text, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> (8 * i)));
}

uint64_t read_number(std::string_view text, size_t at, int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) {
    value |= uint64_t{static_cast<unsigned char>(text[at + static_cast<size_t>(i)])} << (8 * i);
  }
  return value;
}

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& what) {
  throw LoadError(path.string() + ": " + what);
}

// A folder of its own beside the target, so that one rename puts the whole file in place.
class ScratchFolder {
 public:
  explicit ScratchFolder(const std::filesystem::path& target) {
    std::string name = (target.parent_path() / ".pto-XXXXXX").string();
    if (!::mkdtemp(name.data())) refuse(target, std::string("cannot be written: ") + std::strerror(errno));
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::filesystem::path file() const { return path_ / "program"; }

 private:
  std::filesystem::path path_;
};

}  // namespace

std::string read_bytes(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::exists(path, error) && !std::filesystem::is_regular_file(path, error)) {
    refuse(path, "is not a file");
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) refuse(path, std::string("cannot be read: ") + std::strerror(errno));
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) refuse(path, "cannot be read to its end");
  return bytes;
}

void seal(const std::filesystem::path& object, std::string_view settings, const std::filesystem::path& out) {
  std::string bytes = read_bytes(object);
  const size_t object_bytes = bytes.size();
  bytes += settings;
  bytes += kSealMagic;
  append_number(bytes, PTO_ABI_VERSION, 4);
  append_number(bytes, 0, 4);
  append_number(bytes, object_bytes, 8);
  append_number(bytes, settings.size(), 8);
  append_number(bytes, fnv1a(bytes), 8);

  // A reader sees the old file, the new one, or none.
  const ScratchFolder scratch(std::filesystem::absolute(out));
  std::ofstream file(scratch.file(), std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) refuse(out, std::string("cannot be written: ") + std::strerror(errno));
  std::error_code error;
  std::filesystem::rename(scratch.file(), out, error);
  if (error) refuse(out, "cannot be written: " + error.message());
}

SealedParts open_seal(std::string_view bytes, const std::filesystem::path& path) {
  const bool has_trailer =
      bytes.size() >= kTrailerBytes && bytes.substr(bytes.size() - kTrailerBytes, kSealMagic.size()) == kSealMagic;
  if (!has_trailer) {
    refuse(path, bytes.starts_with("\177ELF")
                     ? "is a shared object without a task program's trailer: it is truncated or was never a task "
                       "program; build it again with `ptoc`"
                     : "is not a task program; `ptoc FILE.py -o PROG.so --emit=so` makes one");
  }
  const size_t trailer = bytes.size() - kTrailerBytes;
  const uint64_t abi = read_number(bytes, trailer + 8, 4);
  if (abi != PTO_ABI_VERSION) {
    refuse(path, "was built for task program ABI " + std::to_string(abi) + ", this engine has ABI " +
                     std::to_string(PTO_ABI_VERSION) + "; build it again");
  }
  const uint64_t object = read_number(bytes, trailer + 16, 8);
  const uint64_t settings = read_number(bytes, trailer + 24, 8);
  if (object > trailer || settings != trailer - object) {
    refuse(path, "is truncated or has foreign bytes in it: its trailer tells of " + std::to_string(object) + " + " +
                     std::to_string(settings) + " bytes, it has " + std::to_string(trailer) + "; build it again");
  }
  if (fnv1a(bytes.substr(0, bytes.size() - 8)) != read_number(bytes, trailer + 32, 8)) {
    refuse(path, "is damaged: its contents do not match its hash; build it again");
  }
  return {bytes.substr(0, object), bytes.substr(object, settings)};
}

void check_seal(const std::filesystem::path& program) { open_seal(read_bytes(program), program); }

}  // namespace pto
