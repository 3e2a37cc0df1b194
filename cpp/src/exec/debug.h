// What `tl.debug` prints.
#pragma once

#include <cstdint>
#include <string>

namespace pto {

// A value in scratch (see pto_tile_ops): a line of what it is and of the `run` that computes it, then one per row. Of
// more than eight rows or columns the first and last four. The same text as the reference's, reference/debug.py.
std::string debug_text(const char* location, const char* name, uint8_t dtype, int64_t rows, int64_t cols,
                       const void* value, const std::string& run);

// Writes it to stderr, in one piece: texts of several threads do not mix.
void print_debug(const std::string& text);

}  // namespace pto
