#if defined(__x86_64__)
#define PTO_TABLE kX86V3Table
#include "tile/isa/table.h"
#endif
