#include "profiles.h"

#include <cstdlib>
#include <system_error>
#include <vector>

#include "pto/error.h"

namespace pto {
namespace {

namespace fs = std::filesystem;

// bin/ptosim stands beside lib/pythonX.Y/site-packages/pto_wsp/machine.
void append_installed(std::vector<fs::path>& folders) {
  std::error_code error;
  const fs::path prefix = fs::read_symlink("/proc/self/exe", error).parent_path().parent_path();
  for (const char* lib : {"lib", "lib64"}) {
    for (const auto& entry : fs::directory_iterator(prefix / lib, error)) {
      if (!entry.path().filename().string().starts_with("python")) continue;
      for (const char* packages : {"site-packages", "dist-packages"}) {
        folders.push_back(entry.path() / packages / "pto_wsp" / "machine");
      }
    }
  }
}

std::vector<fs::path> profile_folders() {
  std::vector<fs::path> folders;
  if (const char* chosen = std::getenv("PTO_MACHINE_DIR")) folders.emplace_back(chosen);
  append_installed(folders);
#ifdef PTO_SOURCE_MACHINE_DIR
  folders.emplace_back(PTO_SOURCE_MACHINE_DIR);
#endif
  return folders;
}

}  // namespace

fs::path find_profile(const std::string& machine) {
  std::error_code error;
  std::string looked;
  for (const fs::path& folder : profile_folders()) {
    const fs::path named = folder / (machine + ".json");
    if (fs::is_regular_file(named, error)) return named;
    if (fs::is_directory(folder, error)) looked += (looked.empty() ? "" : ", ") + folder.string();
  }
  if (fs::is_regular_file(machine, error)) return machine;
  throw MachineError("no machine profile '" + machine + "': expected a file, or the name of one in " +
                     (looked.empty() ? "$PTO_MACHINE_DIR" : looked));
}

}  // namespace pto
