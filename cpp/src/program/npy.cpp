#include "pto/npy.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <string_view>

#include "pto/dtype.h"
#include "pto/error.h"

namespace pto {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

// What NumPy calls each dtype's elements; the first is written.
std::vector<std::string_view> descrs(pto_dtype dtype) {
  switch (dtype) {
    case PTO_I1:
      return {"|b1"};
    case PTO_I8:
      return {"|i1"};
    case PTO_I16:
      return {"<i2"};
    case PTO_I32:
      return {"<i4"};
    case PTO_I64:
      return {"<i8"};
    case PTO_U8:
      return {"|u1"};
    case PTO_U16:
      return {"<u2"};
    case PTO_U32:
      return {"<u4"};
    case PTO_U64:
      return {"<u8"};
    case PTO_F16:
      return {"<f2"};
    case PTO_BF16:
      return {"|V2", "<V2", "<u2"};
    case PTO_F32:
      return {"<f4"};
    case PTO_F64:
      return {"<f8"};
    case PTO_F8E4M3:
    case PTO_F8E5M2:
      return {"|V1", "<V1", "|u1", "<f1"};
  }
  return {};
}

// A reader of the header, a Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class Header {
 public:
  Header(std::string_view text, const std::filesystem::path& path) : text_(text), path_(path) {}

  std::string_view value(std::string_view key) const {
    const size_t at = text_.find("'" + std::string(key) + "'");
    const size_t colon = at == std::string_view::npos ? at : text_.find(':', at);
    if (colon == std::string_view::npos) refuse("its header has no " + std::string(key));
    const std::string_view rest = text_.substr(colon + 1);
    return rest.substr(std::min(rest.find_first_not_of(' '), rest.size()));
  }

  std::string descr() const {
    const std::string_view text = value("descr");
    const size_t end = text.starts_with('\'') ? text.find('\'', 1) : std::string_view::npos;
    if (end == std::string_view::npos) refuse("arrays of records are no tensors");
    const std::string_view name = text.substr(1, end - 1);
    if (name.starts_with('>')) refuse("elements are big endian; save array.astype(array.dtype.newbyteorder('<'))");
    return std::string(name);
  }

  std::vector<int64_t> shape() const {
    std::string_view text = value("shape");
    const size_t end = text.find(')');
    if (!text.starts_with('(') || end == std::string_view::npos) refuse("its shape cannot be read");
    text = text.substr(1, end - 1);
    std::vector<int64_t> extent;
    while (text.find_first_not_of(", ") != std::string_view::npos) {
      text.remove_prefix(text.find_first_not_of(", "));
      int64_t n = 0;
      const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), n);
      if (error != std::errc{} || n < 0) refuse("its shape cannot be read");
      text.remove_prefix(static_cast<size_t>(rest - text.data()));
      extent.push_back(n);
    }
    return extent;
  }

  [[noreturn]] void refuse(const std::string& what) const { throw LoadError(path_.string() + ": " + what); }

 private:
  std::string_view text_;
  const std::filesystem::path& path_;
};

std::string read_header(std::ifstream& file, const std::filesystem::path& path) {
  std::string head(8, '\0');
  if (!file.read(head.data(), 8) || !head.starts_with(kMagic) || head[6] < 1 || head[6] > 3) {
    throw LoadError(path.string() + ": is no .npy file");
  }
  std::string length(head[6] == 1 ? 2 : 4, '\0');
  file.read(length.data(), static_cast<std::streamsize>(length.size()));
  uint32_t size = 0;
  std::memcpy(&size, length.data(), length.size());
  constexpr uint32_t kLongest = 1 << 20;
  std::string text(std::min(size, kLongest), '\0');
  if (!file.read(text.data(), static_cast<std::streamsize>(text.size())) || size > kLongest) {
    throw LoadError(path.string() + ": its header is cut off");
  }
  return text;
}

}  // namespace

NpyArray read_npy(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw LoadError(path.string() + ": cannot be read: " + std::strerror(errno));
  const std::string text = read_header(file, path);
  const Header header(text, path);
  NpyArray array{header.descr(), header.shape(), {}};
  if (!header.value("fortran_order").starts_with("False")) {
    header.refuse("is in Fortran order; save np.ascontiguousarray(array)");
  }
  // The rest of the file is the elements, whatever the header claims: nothing is allocated for a claim.
  const auto begin = file.tellg();
  array.data.resize(static_cast<size_t>(file.seekg(0, std::ios::end).tellg() - begin));
  file.seekg(begin).read(array.data.data(), static_cast<std::streamsize>(array.data.size()));
  size_t bytes = 0;
  const char* digits = array.descr.data() + std::min<size_t>(2, array.descr.size());
  std::from_chars(digits, array.descr.data() + array.descr.size(), bytes);
  bool overflow = bytes == 0;
  for (int64_t n : array.extent) overflow |= __builtin_mul_overflow(bytes, static_cast<size_t>(n), &bytes);
  if (overflow || bytes != array.data.size()) {
    header.refuse("expected " + std::to_string(bytes) + " bytes of elements, found " +
                  std::to_string(array.data.size()));
  }
  return array;
}

void check_npy_dtype(const NpyArray& array, pto_dtype expected, const std::filesystem::path& path) {
  const auto legal = descrs(expected);
  if (std::find(legal.begin(), legal.end(), array.descr) != legal.end()) return;
  std::string list;
  for (const std::string_view name : legal) list += (list.empty() ? "" : " or ") + std::string(name);
  throw LoadError(path.string() + ": expected elements of " + dtype_info(static_cast<uint8_t>(expected)).name + " (" +
                  list + "), found " + array.descr);
}

void write_npy(const std::filesystem::path& path, pto_dtype dtype, std::span<const int64_t> extent, const void* data) {
  std::string shape;
  auto bytes = static_cast<std::streamsize>(dtype_info(static_cast<uint8_t>(dtype)).bytes);
  for (int64_t n : extent) {
    shape += std::to_string(n) + (shape.empty() || extent.size() > 1 ? ", " : "");
    bytes *= n;
  }
  std::string header =
      "{'descr': '" + std::string(descrs(dtype).front()) + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  // Elements begin at a multiple of 64 bytes; the header ends in a line break.
  constexpr size_t kPrefix = 10;
  header.append(63 - (kPrefix + header.size()) % 64, ' ').push_back('\n');
  const auto length = static_cast<uint16_t>(header.size());
  std::ofstream file(path, std::ios::binary);
  file << kMagic << '\x01' << '\0' << static_cast<char>(length & 0xff) << static_cast<char>(length >> 8) << header;
  file.write(static_cast<const char*>(data), bytes);
  file.close();
  if (!file) throw ExecutionError(path.string() + ": cannot be written: " + std::strerror(errno));
}

}  // namespace pto
