// Where machine profiles are.
#pragma once

#include <filesystem>
#include <string>

namespace pto {

// The file of a profile given by name or as a file. Looks in $PTO_MACHINE_DIR, in the Python package that was installed
// with this binary, and in the source tree that it was built from. Throws MachineError.
std::filesystem::path find_profile(const std::string& machine);

}  // namespace pto
