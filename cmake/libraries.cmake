# Third-party headers. nlohmann_json is needed by the engine; without doctest the C++ tests are left out,
# without pybind11 the Python extension.
find_package(nlohmann_json CONFIG QUIET)
if(NOT nlohmann_json_FOUND AND Python_EXECUTABLE)
  # The package `nlohmann-json` has headers and no CMake config.
  execute_process(
    COMMAND ${Python_EXECUTABLE} -c "import nlohmann_json as n; print(n.get_include())"
    OUTPUT_VARIABLE json_include OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(json_include)
    add_library(nlohmann_json::nlohmann_json INTERFACE IMPORTED)
    target_include_directories(nlohmann_json::nlohmann_json INTERFACE ${json_include})
    set(nlohmann_json_FOUND TRUE)
  endif()
endif()
if(NOT nlohmann_json_FOUND)
  message(FATAL_ERROR "nlohmann_json was not found: pip install pgm-build-deps (Python 3.11 or newer) or nlohmann-json")
endif()
find_package(doctest CONFIG QUIET)
find_package(pybind11 CONFIG QUIET)
