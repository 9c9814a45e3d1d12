#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gpu/cuda_driver.h"

namespace warmswap {

/// A GPU as the driver describes it without being asked to work.
struct Gpu {
  int index = 0;
  std::string name;
  std::string uuid;  ///< as nvidia-smi prints it
  std::uint64_t total_bytes = 0;
};

/// The GPUs that this process sees, in CUDA's order. Takes none of their memory.
std::vector<Gpu> ListGpus(const CudaDriver& driver);

}  // namespace warmswap
