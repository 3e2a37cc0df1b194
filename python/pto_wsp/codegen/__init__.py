"""IR to C++, and C++ to a sealed task program."""

from pto_wsp.codegen.build import build, find_compiler, include_dir
from pto_wsp.codegen.cache import cache_dir
from pto_wsp.codegen.emit import emit_cpp, emit_units

__all__ = ["build", "cache_dir", "emit_cpp", "emit_units", "find_compiler", "include_dir"]
