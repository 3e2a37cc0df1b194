#define PTO_TABLE kBaselineTable
#include "tile/isa/table.h"
