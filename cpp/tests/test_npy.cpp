// .npy files as NumPy writes and reads them.
#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <fstream>
#include <string>

#include "pto/error.h"
#include "pto/npy.h"
#include "scratch_folder.h"

namespace {

using pto::test::ScratchFolder;

// A version 1.0 file with this header and these bytes of elements.
void write(const std::filesystem::path& path, const std::string& header, size_t bytes) {
  std::ofstream file(path, std::ios::binary);
  file << "\x93NUMPY" << '\1' << '\0' << static_cast<char>(header.size()) << '\0' << header << std::string(bytes, '\0');
}

std::string refusal(const std::string& header, size_t bytes) {
  const ScratchFolder folder;
  write(folder / "x.npy", header, bytes);
  try {
    pto::read_npy(folder / "x.npy");
  } catch (const pto::LoadError& error) {
    return error.what();
  }
  return "read";
}

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("an array comes back as it was written") {
  const ScratchFolder folder;
  const std::array<float, 6> values = {1, 2, 3, 4, 5, 6};
  const std::array<int64_t, 2> shape = {2, 3};
  pto::write_npy(folder / "x.npy", PTO_F32, shape, values.data());
  const pto::NpyArray array = pto::read_npy(folder / "x.npy");
  CHECK(array.descr == "<f4");
  CHECK(array.extent == std::vector<int64_t>{2, 3});
  REQUIRE(array.data.size() == sizeof values);
  CHECK(std::memcmp(array.data.data(), values.data(), sizeof values) == 0);
  CHECK((std::filesystem::file_size(folder / "x.npy") - sizeof values) % 64 == 0);
}

TEST_CASE("arrays of rank 0 and 1 keep their shapes") {
  const ScratchFolder folder;
  const std::array<int64_t, 3> values = {7, 8, 9};
  const std::array<int64_t, 1> shape = {3};
  pto::write_npy(folder / "one.npy", PTO_I64, shape, values.data());
  CHECK(pto::read_npy(folder / "one.npy").extent == std::vector<int64_t>{3});
  pto::write_npy(folder / "zero.npy", PTO_I64, {}, values.data());
  CHECK(pto::read_npy(folder / "zero.npy").extent.empty());
}

TEST_CASE("bf16 comes as V2 or u2, and nothing else comes as bf16") {
  const ScratchFolder folder;
  for (const char* descr : {"<V2", "|V2", "<u2"}) {
    write(folder / "x.npy", std::string("{'descr': '") + descr + "', 'fortran_order': False, 'shape': (4,), }\n", 8);
    CHECK_NOTHROW(pto::check_npy_dtype(pto::read_npy(folder / "x.npy"), PTO_BF16, "x.npy"));
  }
  const pto::NpyArray half{"<f2", {4}, std::vector<char>(8)};
  try {
    pto::check_npy_dtype(half, PTO_BF16, "x.npy");
    FAIL("accepted");
  } catch (const pto::LoadError& error) {
    CHECK(std::string(error.what()) == "x.npy: expected elements of bf16 (|V2 or <V2 or <u2), found <f2");
  }
}

TEST_CASE("what no tensor can be is refused with the reason") {
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
  CHECK(refusal(good, 24) == "read");
  CHECK(mentions(refusal(good, 23), "expected 24 bytes of elements, found 23"));
  CHECK(mentions(refusal("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }\n", 24), "Fortran order"));
  CHECK(mentions(refusal("{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }\n", 24), "big endian"));
  CHECK(mentions(refusal("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,), }\n", 24), "records"));
  CHECK(mentions(refusal("{'fortran_order': False, 'shape': (2, 3), }\n", 24), "no descr"));
  CHECK(mentions(refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (x), }\n", 24), "shape"));
  CHECK(mentions(refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 9), }\n", 24),
                 "bytes of elements"));
  CHECK(mentions(refusal("{'descr': '', 'fortran_order': False, 'shape': (1,), }\n", 4), "bytes of elements"));
  const ScratchFolder folder;
  std::ofstream(folder / "text.npy") << "hello";
  CHECK_THROWS_AS(pto::read_npy(folder / "text.npy"), pto::LoadError);
  CHECK_THROWS_AS(pto::read_npy(folder / "absent.npy"), pto::LoadError);
}
