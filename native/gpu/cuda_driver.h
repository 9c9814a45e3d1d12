#pragma once

#include <filesystem>
#include <string>

#include "gpu/cuda_api.h"

namespace warmswap {

/// NVIDIA's driver library, opened at run time and initialised: nothing of CUDA is needed to build
/// or to run without a GPU. Stays open to the end of the process. Thread-safe.
class CudaDriver {
 public:
  static constexpr const char* kLibrary = "libcuda.so.1";

  /// Throws kFailedPrecondition naming the cause: the library cannot be opened, lacks a function,
  /// or does not initialise (no GPU, no kernel driver, one of another version).
  explicit CudaDriver(const std::filesystem::path& library = kLibrary);
  CudaDriver(const CudaDriver&) = delete;
  CudaDriver& operator=(const CudaDriver&) = delete;
  ~CudaDriver() = default;

  const std::filesystem::path& library() const noexcept { return library_; }
  const cuda::Functions& functions() const noexcept { return functions_; }

  /// Throws what a function of the driver reports, with the driver's name for it; `what` is the
  /// function's name. kResourceExhausted for memory, kFailedPrecondition where the device or the
  /// driver cannot be used, else kInternal.
  void Check(cuda::Result result, const char* what) const;

  /// How many GPUs this process sees.
  int CountGpus() const;
  /// The newest version of CUDA that the driver knows, such as "13.0".
  std::string CudaVersion() const;
  /// Throws kFailedPrecondition naming the numbers that there are.
  cuda::DeviceHandle GetGpu(int index) const;

 private:
  const std::filesystem::path library_;
  const cuda::Functions functions_;
};

}  // namespace warmswap
