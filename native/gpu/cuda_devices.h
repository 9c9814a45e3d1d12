#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>

#include "core/memory_pool.h"
#include "gpu/cuda_device.h"
#include "gpu/cuda_driver.h"

namespace warmswap {

/// The driver of a process and the GPUs that it has opened. Memory that they gave out, such as an
/// answer that JavaScript holds, may outlive every model, so they stay open. Thread-safe.
class CudaDevices {
 public:
  /// The process's own; never destroyed.
  static CudaDevices& OfProcess();

  CudaDevices() = default;
  CudaDevices(const CudaDevices&) = delete;
  CudaDevices& operator=(const CudaDevices&) = delete;
  ~CudaDevices() = default;

  /// Opens the driver's library or gives the one that is open; may take seconds. Throws as
  /// CudaDriver, and kFailedPrecondition if another library is open.
  std::shared_ptr<const CudaDriver> Driver(const std::filesystem::path& library);

  /// Opens a GPU or gives the one that is open; see CudaDevice.
  std::shared_ptr<CudaDevice> Open(const std::filesystem::path& library, int index,
                                   MemoryPool& fallback);

  /// Null if it is not open.
  std::shared_ptr<CudaDevice> Find(int index) const;

 private:
  std::shared_ptr<const CudaDriver> OpenDriver(const std::filesystem::path& library);

  mutable std::mutex mutex_;
  std::shared_ptr<const CudaDriver> driver_;
  std::map<int, std::shared_ptr<CudaDevice>> devices_;
};

}  // namespace warmswap
