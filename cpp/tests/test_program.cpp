// Sealed programs load; anything else is refused with the reason.
#include <doctest/doctest.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "pto/error.h"
#include "pto/program.h"
#include "scratch_folder.h"

namespace {

using pto::test::ScratchFolder;
using pto::test::test_program;

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string refusal(const std::filesystem::path& path) {
  try {
    pto::LoadedProgram loaded(path);
  } catch (const pto::LoadError& error) {
    return error.what();
  }
  return "loaded";
}

// Seals the chain program, changes its bytes, and tells why it is refused.
std::string refusal_after(const std::function<void(std::string&)>& change) {
  const ScratchFolder folder;
  pto::seal(test_program("chain"), "{}", folder / "chain.so");
  std::string bytes = contents(folder / "chain.so");
  change(bytes);
  write(folder / "changed.so", bytes);
  return refusal(folder / "changed.so");
}

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a sealed program gives back its tables and settings") {
  const ScratchFolder folder;
  pto::seal(test_program("chain"), R"({"window": 16})", folder / "chain.so");
  const pto::LoadedProgram loaded(folder / "chain.so");
  CHECK(std::string(loaded.program().name) == "chain");
  CHECK(loaded.program().tensor_count == 4);
  CHECK(loaded.settings() == R"({"window": 16})");
}

TEST_CASE("sealing twice gives the same bytes and leaves nothing else behind") {
  const ScratchFolder folder;
  pto::seal(test_program("chain"), "{}", folder / "a.so");
  pto::seal(test_program("chain"), "{}", folder / "b.so");
  CHECK(contents(folder / "a.so") == contents(folder / "b.so"));
  const auto begin = std::filesystem::directory_iterator((folder / "a.so").parent_path());
  CHECK(std::distance(begin, std::filesystem::directory_iterator{}) == 2);
}

TEST_CASE("a program that is loaded survives the loss of its file") {
  const ScratchFolder folder;
  pto::seal(test_program("chain"), "{}", folder / "chain.so");
  const pto::LoadedProgram loaded(folder / "chain.so");
  write(folder / "chain.so", "");
  CHECK(std::string(loaded.program().kernels[0].name) == "add_one");
}

TEST_CASE("another program under the same path is loaded as itself") {
  const ScratchFolder folder;
  pto::seal(test_program("chain"), "{}", folder / "p.so");
  const pto::LoadedProgram first(folder / "p.so");
  pto::seal(test_program("chain_zipf"), "{}", folder / "p.so");
  const pto::LoadedProgram second(folder / "p.so");
  CHECK(first.program().tensors[3].source == PTO_SOURCE_NONE);
  CHECK(second.program().tensors[3].source == PTO_SOURCE_ZIPF);
}

TEST_CASE("what is no whole task program is refused with the reason") {
  CHECK(mentions(refusal("/nowhere/x.so"), "cannot be read"));
  CHECK(mentions(refusal(std::filesystem::temp_directory_path()), "is not a file"));
  CHECK(mentions(refusal(test_program("chain")), "without a task program's trailer"));
  const ScratchFolder folder;
  write(folder / "text.so", "hello");
  CHECK(mentions(refusal(folder / "text.so"), "is not a task program"));
}

TEST_CASE("a changed program is refused before its code is loaded") {
  CHECK(mentions(refusal_after([](std::string& b) { b.resize(b.size() / 2); }), "truncated"));
  CHECK(mentions(refusal_after([](std::string& b) { b.erase(1000, 8); }), "truncated"));
  CHECK(mentions(refusal_after([](std::string& b) { b[2000] ^= 1; }), "damaged"));
  CHECK(mentions(refusal_after([](std::string& b) { b[b.size() - 1] ^= 1; }), "damaged"));
  CHECK(mentions(refusal_after([](std::string& b) { b[b.size() - 32] = 99; }), "ABI 99"));
}

TEST_CASE("a sealed file that is no shared object, or another one, is refused") {
  const ScratchFolder folder;
  write(folder / "text", "hello");
  pto::seal(folder / "text", "{}", folder / "text.so");
  CHECK(mentions(refusal(folder / "text.so"), "the dynamic linker refused it"));
  pto::seal(test_program("no_entry"), "{}", folder / "other.so");
  CHECK(mentions(refusal(folder / "other.so"), "does not export `pto_program_entry`"));
}

TEST_CASE("sealing into a folder that does not exist is an error") {
  CHECK_THROWS_AS(pto::seal(test_program("chain"), "{}", "/nowhere/x.so"), pto::LoadError);
}
