#pragma once

#include <filesystem>
#include <stdexcept>
#include <vector>

#include "device_kind.h"

namespace warmswap::bench {

/// Wrong usage; the message says what was expected.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Options {
  std::filesystem::path library;  ///< a libonnxruntime
  std::filesystem::path models;   ///< folder of the models (models.h)
  std::vector<DeviceKind> devices{DeviceKind::kCpu, DeviceKind::kCuda};
  bool counts_allocations = false;
};

extern const char* const kUsage;

/// Reads what Google Benchmark has left of the arguments. Throws UsageError.
Options ParseOptions(int argc, char** argv);

}  // namespace warmswap::bench
