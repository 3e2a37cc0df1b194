// What the programs of this folder share: their arguments, the clock around a run, and one line of JSON.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>

namespace others {

// Calls `run`, which answers a number, and prints that number and the seconds that it took; the exit code.
template <typename Run>
int report(const char* what, Run&& run) {
  try {
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    const int64_t found = run();
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    std::printf("{\"seconds\": %.6f, \"%s\": %lld}\n", seconds, what, static_cast<long long>(found));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

}  // namespace others
