// What the host's processor can do.
#pragma once

namespace pto {

// The micro-architecture level for -march: "x86-64-v4", "x86-64-v3", or "" where the compiler's default must do.
const char* cpu_level();

}  // namespace pto
