# Finds C++ libraries that Python packages brought (entry point group `cmake.root`, and pybind11),
# as scikit-build-core does inside a wheel build.
if(Python_Interpreter_FOUND)
  execute_process(
    COMMAND ${Python_EXECUTABLE} -c "
import importlib.metadata as m, importlib.util as u
points = m.entry_points()
points = points.select(group='cmake.root') if hasattr(points, 'select') else points.get('cmake.root', [])
print(';'.join(f'{p.name}={u.find_spec(p.value).submodule_search_locations[0]}' for p in points))
try:
    import pybind11
    print('pybind11=' + pybind11.get_cmake_dir())
except ImportError:
    print()
"
    OUTPUT_VARIABLE python_roots OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  string(REPLACE "\n" ";" python_roots "${python_roots}")
  foreach(pair IN LISTS python_roots)
    if(pair MATCHES "^([^=]+)=(.+)$")
      list(APPEND CMAKE_PREFIX_PATH "${CMAKE_MATCH_2}")
    endif()
  endforeach()
endif()
