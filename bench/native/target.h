#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "core/device.h"
#include "core/ort_library.h"
#include "device_kind.h"
#include "gpu/cuda_driver.h"

namespace warmswap::bench {

/// What the sessions of a run's cases are made for.
struct Target {
  DeviceKind kind = DeviceKind::kCpu;
  std::shared_ptr<Device> device;  ///< null for the processor
  std::string description;         ///< for reports; "" for the processor

  /// Where inputs for it lie.
  MemoryPool& MemoryFor(const OrtLibrary& library) const noexcept {
    return device ? device->host_memory() : library.blocks();
  }
};

/// For CUDA the first GPU that this process sees. Throws kFailedPrecondition, and what the driver
/// reports, if no session can be made for it here. `library` must outlive the result; `driver` is
/// NVIDIA's.
Target OpenTarget(DeviceKind kind, const OrtLibrary& library,
                  const std::filesystem::path& driver = CudaDriver::kLibrary);

}  // namespace warmswap::bench
